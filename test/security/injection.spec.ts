import type { TSchema } from "@sinclair/typebox";
import type { Socket } from "socket.io-client";
import type { Contract } from "../../lib/contract";
import { CONTRACTS } from "../../services/contracts";
import { readLog } from "../support/history";
import { openSocket, type Outcome, overRest, overSocket } from "../support/invoke";
import { startServer, type TestServer } from "../support/server";
import { type Cast, makeCast, setStage, type Stage } from "../support/stage";

/** Query operators and their kin: an object where the contract wants a plain value. */
const OPERATORS: readonly unknown[] = [
  { $gt: "" },
  { $ne: null },
  { $in: ["", "x"] },
  { $regex: ".*" },
  { $where: "sleep(1000)" },
  { $exists: true },
  [{ $gt: "" }],
  JSON.parse('{"__proto__":{"polluted":"yes"}}'),
  JSON.parse('{"constructor":{"prototype":{"polluted":"yes"}}}'),
];

/** A value of another type for each type of a contract. */
const CONFUSED: Readonly<Record<string, readonly unknown[]>> = {
  string: [0, true, null, [], ["x"], {}, { length: 1 }, { toString: "x" }],
  integer: ["1", "", true, null, [1], {}, 0.5, -1, 1e300],
  boolean: ["true", 1, 0, null, [], {}],
  array: ["x", 1, null, {}, { length: 1, 0: "x" }],
  object: ["x", 1, null, [], true],
};

const fieldsOf = ({ params }: Contract): Array<[string, TSchema]> => Object.entries(params.properties);
const refusal = (outcome: Outcome): string => (outcome.ok ? "accepted" : outcome.error.type);

describe("injection", () => {
  let server: TestServer;
  let cast: Cast;
  let stage: Stage;
  let socket: Socket;

  beforeAll(async () => {
    server = await startServer();
    cast = await makeCast(server);
    stage = await setStage(server, cast);
    socket = await openSocket(server.url, cast.agent.token);
  }, 60_000);

  afterAll(async () => {
    socket.disconnect();
    await server.stop();
  }, 30_000);

  const logs = async () => [
    await readLog(server, stage.sessionId, cast.owner),
    await readLog(server, stage.groupId, cast.owner),
  ];
  const sample = ({ params }: Contract): Record<string, unknown> => {
    const values: Record<string, unknown> = {
      conversationId: stage.groupId,
      sessionId: stage.sessionId,
      commandId: crypto.randomUUID(),
      seq: stage.groupSeq,
      text: "x",
      emoji: "+1",
      on: true,
      userId: cast.owner.id,
      userIds: [cast.owner.id],
      id: cast.owner.id,
      roles: ["customer"],
      members: [cast.owner.id],
      kind: "group",
      cursors: { [stage.groupId]: 0 },
      to: { topic: "other" },
      email: "someone@example.org",
      password: "correct horse",
      name: "Someone",
      refreshToken: "none",
      status: "online",
      subscribe: true,
    };
    return Object.fromEntries((params["required"] ?? []).map((name) => [name, values[name]]));
  };

  /** Sends a contract with one field replaced, over every transport it has; in a path there is only text. */
  const tryField = async (contract: Contract, field: string, value: unknown): Promise<string[]> => {
    const params = { ...sample(contract), [field]: value };
    const inBody = contract.rest && contract.rest.method !== "GET" && !contract.rest.path.includes(`:${field}`);
    return [
      ...(inBody ? [refusal(await overRest(server.url, contract, params, cast.agent.token))] : []),
      ...(contract.socket === undefined ? [] : [refusal(await overSocket(socket, contract, params))]),
    ];
  };

  const cases = CONTRACTS.flatMap((contract) =>
    fieldsOf(contract).map(([field, schema]) => [contract.name, field, contract, schema] as const),
  );

  it.each(cases)(
    "of operators or another type into %s %s is refused and has no effect",
    async (_name, field, contract, schema) => {
      const before = await logs();
      const type = String(schema["type"]);
      const values = [
        ...OPERATORS.filter((value) => type !== "array" || !Array.isArray(value)),
        ...(CONFUSED[type] ?? []),
      ];
      for (const value of values.filter((candidate) => !harmless(schema, candidate))) {
        for (const told of await tryField(contract, field, value))
          expect([JSON.stringify(value), told]).toEqual([JSON.stringify(value), refusedAs(told)]);
      }
      expect(await logs()).toEqual(before);
    },
  );

  it("of operators into a query string or a path finds nothing", async () => {
    const { token } = cast.otherCustomer;
    const plain = await server.rest("GET", "/sessions", token);
    for (const query of [
      "status[$ne]=closed",
      "status[]=closed&status[]=assigned",
      "customerId[$exists]=true",
      "$where=1",
    ]) {
      const answer = await server.rest("GET", `/sessions?${query}`, token);
      if (answer.status !== 400) expect(answer.body).toEqual(plain.body);
    }
    for (const id of [
      "[object Object]",
      "$gt",
      "%7B%22$gt%22:%22%22%7D",
      "__proto__",
      "constructor",
      "%00",
      "..%2f..%2fme",
    ]) {
      const answer = await server.rest("GET", `/conversations/${id}/messages`, token);
      expect([id, Math.floor(answer.status / 100)]).toEqual([id, 4]);
    }
  });

  it("of fields that only the server sets is ignored", async () => {
    const { owner, agent } = cast;
    const extra = {
      by: agent.id,
      seq: 1,
      id: "mine",
      _id: "mine",
      at: "2001-01-01T00:00:00Z",
      key: "open/x",
      user: { id: agent.id, roles: ["admin"] },
      meta: { user: { roles: ["admin"] } },
      incarnation: "x",
      flush: 1,
    };
    const body = { commandId: crypto.randomUUID(), text: "Plain", ...extra };
    const sent = await server.rest("POST", `/conversations/${stage.groupId}/messages`, owner.token, body);
    const { seq } = sent.expect<{ seq: number }>(201);
    const event = (await readLog(server, stage.groupId, owner)).at(-1);
    expect(event).toMatchObject({ seq, by: owner.id, type: "message.created", data: { text: "Plain" } });
    expect(Object.keys(event?.data ?? {})).toEqual(["text"]);
    expect(event?.id).not.toBe("mine");
    const note = { commandId: crypto.randomUUID(), text: "Hidden", audience: "staff" };
    const hidden = await server.rest("POST", `/conversations/${stage.groupId}/messages`, owner.token, note);
    expect(hidden.status).toBe(403);

    const account = { email: `${crypto.randomUUID()}@example.org`, password: "correct horse", name: "Mallory" };
    const signedUp = await server.rest("POST", "/auth/signup", undefined, { ...account, roles: ["admin"], ...extra });
    expect(signedUp.expect<{ user: object }>(201).user).toMatchObject({ roles: ["customer"], guest: false });
    const guest = await server.rest("POST", "/auth/guest", undefined, { name: "M", roles: ["agent"], guest: false });
    expect(guest.expect<{ user: object }>(201).user).toMatchObject({ roles: ["customer"], guest: true });
    const opened = await server.rest("POST", "/sessions", owner.token, {
      commandId: crypto.randomUUID(),
      topic: crypto.randomUUID(),
      customerId: cast.otherCustomer.id,
      agentId: agent.id,
      status: "assigned",
      sessionId: stage.sessionId,
    });
    const session = opened.expect<Record<string, unknown>>(201);
    expect(session).toMatchObject({ customerId: owner.id, status: "unassigned" });
    expect(session).not.toHaveProperty("agentId");
  });

  it("of a prototype changes no object of the server", async () => {
    const poison =
      '{"commandId":"p","text":"x","__proto__":{"polluted":"yes","roles":["admin"]},"constructor":{"prototype":{"polluted":"yes"}}}';
    await server.rest("POST", `/conversations/${stage.groupId}/messages`, cast.owner.token, poison);
    await server.rest("POST", "/conversations/sync", cast.owner.token, '{"cursors":{"__proto__":1,"constructor":2}}');
    const me = await server.rest("GET", "/me", cast.otherCustomer.token);
    expect(me.expect<object>(200)).toMatchObject({ roles: ["customer"] });
    expect(me.body).not.toHaveProperty("polluted");
    const denied = await server.rest("PUT", `/users/${cast.owner.id}/roles`, cast.otherCustomer.token, {
      roles: ["admin"],
    });
    expect(denied.error.type).toBe("FORBIDDEN");
  });
});

/** The refusal that is right; FORBIDDEN comes before the fields are looked at. */
const refusedAs = (told: string): string => (told === "FORBIDDEN" ? told : "VALIDATION");

/** Would this value satisfy the field after all? A record takes an empty one, and `__proto__` is never a key of it. */
function harmless(schema: TSchema, value: unknown): boolean {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const isRecord = schema["type"] === "object" && schema["patternProperties"] !== undefined;
  return isRecord && Object.keys(value).every((key) => key === "__proto__");
}
