import type { Socket } from "socket.io-client";
import type { Contract } from "../../lib/contract";
import type { WireError } from "../../lib/errors";
import { CONTRACTS } from "../../services/contracts";
import { readLog } from "../support/history";
import { openSocket, type Outcome, overSocket, restAnswer } from "../support/invoke";
import { startServer, type TestServer } from "../support/server";
import { type Cast, makeCast, setStage, type Stage } from "../support/stage";

type Actor = "owner" | "otherAgent" | "otherCustomer" | "removed";
/** `allow`; `hidden`: exactly as if it did not exist; else the type of the refusal. */
type Verdict = "allow" | "hidden" | "FORBIDDEN" | "SESSION_TAKEN" | "SESSION_EXISTS" | "VALIDATION";
type Row = Readonly<Record<Actor, Verdict>>;
type Target = "session" | "group";

const ACTORS: readonly Actor[] = ["owner", "otherAgent", "otherCustomer", "removed"];
const MISSING = "no-such-conversation";
/** Of a shared reply. */
const SHORTCUT = "hello";

const everyone: Row = { owner: "allow", otherAgent: "allow", otherCustomer: "allow", removed: "allow" };
const membersOnly: Row = { owner: "allow", otherAgent: "hidden", otherCustomer: "hidden", removed: "hidden" };
const nobody: Row = { owner: "FORBIDDEN", otherAgent: "FORBIDDEN", otherCustomer: "FORBIDDEN", removed: "FORBIDDEN" };
const staffOnly: Row = { ...nobody, otherAgent: "allow", removed: "allow" };
/** The session has another agent. */
const servingAgent: Row = { ...nobody, otherAgent: "hidden", removed: "hidden" };

/** Open to strangers: what they answer with is tested by the specs of auth. */
const PUBLIC = ["auth.guest", "auth.signup", "auth.login", "auth.refresh", "auth.logout"];

/** Actions that name no conversation: who may call them. */
const UNBOUND: Readonly<Record<string, Row>> = {
  "users.me": everyone,
  "users.setRoles": nobody,
  "users.setTier": nobody,
  "topics.list": everyone,
  "topics.get": staffOnly,
  "topics.put": nobody,
  "topics.archive": nobody,
  "topics.keywords": nobody,
  "topics.putKeyword": nobody,
  "topics.deleteKeyword": nobody,
  "session.open": everyone,
  "session.list": everyone,
  "session.queue": staffOnly,
  "room.create": everyone,
  "room.list": everyone,
  "room.sync": everyone,
  "presence.get": everyone,
  "presence.set": everyone,
  "agents.me": staffOnly,
  "agents.setAvailability": staffOnly,
  "agents.list": nobody,
  "agents.put": nobody,
  "audit.list": nobody,
  "desk.counters": nobody,
  "statistics.sessions": staffOnly,
  "statistics.rebuild": nobody,
  "bulk.import": nobody,
  "bulk.export": nobody,
  "replies.list": staffOnly,
  "replies.put": staffOnly,
  "replies.delete": staffOnly,
};

/** Actions on one conversation. `leave` is last word for an owner of a session: it is closed instead. */
const BOUND: Readonly<Record<string, Partial<Record<Target, Row>>>> = {
  "session.claim": { session: { ...nobody, otherAgent: "SESSION_TAKEN", removed: "SESSION_TAKEN" } },
  "session.return": { session: servingAgent },
  "session.transfer": { session: servingAgent },
  "session.attend": { session: servingAgent },
  "session.decline": { session: servingAgent },
  "session.close": { session: membersOnly },
  // It is open, so that its customer can do neither.
  "session.reopen": { session: { ...membersOnly, owner: "SESSION_EXISTS" } },
  "session.rate": { session: { ...membersOnly, owner: "VALIDATION" } },
  "session.explain": { session: staffOnly },
  "session.watch": { session: nobody },
  "session.transcript": { session: membersOnly },
  "session.history": { session: nobody },
  "session.get": { session: { ...everyone, otherCustomer: "hidden" } },
  "replies.render": { session: staffOnly },
  "room.join": { session: membersOnly, group: membersOnly },
  "room.invite": { session: { ...membersOnly, owner: "FORBIDDEN" }, group: membersOnly },
  "room.leave": { session: { ...membersOnly, owner: "FORBIDDEN" }, group: membersOnly },
  "room.get": { session: membersOnly, group: membersOnly },
  "message.send": { session: membersOnly, group: membersOnly },
  "message.edit": { session: membersOnly, group: membersOnly },
  "message.delete": { session: membersOnly, group: membersOnly },
  "message.react": { session: membersOnly, group: membersOnly },
  "message.history": { session: membersOnly, group: membersOnly },
  "message.delivered": { session: membersOnly, group: membersOnly },
  "message.read": { session: membersOnly, group: membersOnly },
  "presence.typing": { session: membersOnly, group: membersOnly },
};

type Transport = "rest" | "socket";
const transportsOf = (contract: Contract): Transport[] => [
  ...(contract.rest ? (["rest"] as const) : []),
  ...(contract.socket === undefined ? [] : (["socket"] as const)),
];

/** An outcome, and the HTTP status when REST carried it. */
type Told = Outcome & { readonly status?: number };

describe("the access matrix", () => {
  let server: TestServer;
  let cast: Cast;
  const sockets = new Map<Actor, Socket>();

  beforeAll(async () => {
    server = await startServer();
    cast = await makeCast(server);
    const reply = { text: "Hello" };
    (await server.rest("PUT", `/replies/shared/${SHORTCUT}`, await server.adminToken(), reply)).expect(200);
    for (const actor of ACTORS) sockets.set(actor, await openSocket(server.url, cast[actor].token));
  }, 60_000);

  afterAll(async () => {
    for (const socket of sockets.values()) socket.disconnect();
    await server.stop();
  }, 30_000);

  const tell = async (contract: Contract, transport: Transport, actor: Actor, params: object): Promise<Told> => {
    const socket = sockets.get(actor);
    if (transport === "socket" && socket) return overSocket(socket, contract, params);
    return asTold(await restAnswer(server.url, contract, params, cast[actor].token));
  };

  it("names every action", () => {
    const named = [...PUBLIC, ...Object.keys(UNBOUND), ...Object.keys(BOUND)];
    expect(named.sort()).toEqual(CONTRACTS.map(({ name }) => name).sort());
  });

  const cells = (kind: "bound" | "unbound") =>
    CONTRACTS.filter(({ name }) => name in (kind === "bound" ? BOUND : UNBOUND)).flatMap((contract) =>
      transportsOf(contract).map((transport) => [contract.name, transport, contract] as const),
    );

  it.each(cells("bound"))("keeps strangers out of %s over %s", async (name, transport, contract) => {
    for (const [target, row] of Object.entries(BOUND[name] ?? {}) as Array<[Target, Row]>) {
      const stage = await setStage(server, cast);
      const log = await logs(server, cast, stage);
      const deniedFirst = [...ACTORS].sort((a, b) => Number(row[a] === "allow") - Number(row[b] === "allow"));
      for (const actor of deniedFirst) {
        const verdict = row[actor];
        if (verdict === "allow") expect(await logs(server, cast, stage)).toEqual(log);
        const told = await tell(contract, transport, actor, paramsOf(contract, cast, stage, target));
        const where = `${actor} on the ${target}`;
        if (verdict !== "hidden") {
          expect([where, verdictOf(told)]).toEqual([where, verdict]);
          continue;
        }
        const missing = { ...stage, sessionId: MISSING, groupId: MISSING };
        const unknown = await tell(contract, transport, actor, paramsOf(contract, cast, missing, target));
        expect([where, bare(told)]).toEqual([where, bare(unknown)]);
        expect([where, verdictOf(told)]).toEqual([where, "NOT_FOUND"]);
      }
    }
  });

  it.each(cells("unbound"))("gives %s over %s to whom it is for", async (name, transport, contract) => {
    const stage = await setStage(server, cast);
    for (const actor of ACTORS) {
      const told = await tell(contract, transport, actor, paramsOf(contract, cast, stage, "group"));
      expect([actor, verdictOf(told)]).toEqual([actor, UNBOUND[name]?.[actor]]);
    }
  });

  it.each(
    cells("bound")
      .concat(cells("unbound"))
      .filter(([, transport]) => transport === "rest"),
  )("asks who is calling %s over %s", async (_name, _transport, contract) => {
    const stage = await setStage(server, cast);
    for (const token of [undefined, "nonsense", ""]) {
      const params = paramsOf(contract, cast, stage, "session" in (BOUND[contract.name] ?? {}) ? "session" : "group");
      const answer = await restAnswer(server.url, contract, params, token);
      expect([answer.status, answer.error.type]).toEqual([401, "UNAUTHORIZED"]);
    }
  });

  it("refuses a socket without a valid token, so that no event of a stranger is heard", async () => {
    for (const token of ["", "nonsense", "Bearer x"])
      await expect(openSocket(server.url, token)).rejects.toThrow("Unauthorized");
  });

  it("answers events outside the contracts like any unknown event", async () => {
    const socket = sockets.get("otherCustomer");
    const internal = [
      "$node.list",
      "$node.options",
      "io.broadcast",
      "io.getClients",
      "call",
      "users.get",
      "room.command",
    ];
    for (const event of internal) {
      const answer: unknown = await socket?.timeout(5_000).emitWithAck(event, { event: "events", args: [] });
      expect(answer).toMatchObject({ ok: false, error: { type: "UNKNOWN_EVENT" } });
    }
  });

  it("lets a stranger's sync, lists and presence show nothing", async () => {
    const strangers = await makeCast(server);
    const { sessionId, groupId } = await setStage(server, strangers);
    for (const actor of ["otherCustomer", "removed", "otherAgent"] as const) {
      const { token } = strangers[actor];
      const cursors = { [sessionId]: 0, [groupId]: 0, [MISSING]: 0 };
      const sync = await server.rest("POST", "/conversations/sync", token, { cursors });
      expect(sync.body).toEqual({ events: [], reset: [sessionId, groupId, MISSING], more: false });
      const list = await server.rest("GET", "/conversations?limit=100", token);
      expect(JSON.stringify(list.expect(200))).not.toMatch(new RegExp(`"id":"(${sessionId}|${groupId})"`));
    }
    const sessions = await server.rest("GET", "/sessions?limit=100", strangers.otherCustomer.token);
    expect(JSON.stringify(sessions.expect(200))).not.toContain(sessionId);
    const presence = await server.rest("POST", "/presence", strangers.otherCustomer.token, {
      userIds: [strangers.owner.id],
    });
    expect(presence.expect(200)).toEqual({});
  });
});

/** Valid params of an action on this target. */
function paramsOf(contract: Contract, cast: Cast, stage: Stage, target: Target): object {
  const [conversationId, seq] =
    target === "session" ? [stage.sessionId, stage.sessionSeq] : [stage.groupId, stage.groupSeq];
  const fields: Record<string, unknown> = {
    conversationId,
    seq,
    sessionId: stage.sessionId,
    commandId: crypto.randomUUID(),
    text: "Hello",
    emoji: "+1",
    on: true,
    userId: cast.otherCustomer.id,
    to: { agentId: cast.otherAgent.id },
    id: cast.otherCustomer.id,
    roles: ["admin"],
    kind: "group",
    members: [cast.agent.id],
    topic: crypto.randomUUID(),
    cursors: {},
    userIds: [cast.owner.id],
    items: [],
    subscribe: true,
    availability: "online",
    score: 5,
    scope: contract.name === "replies.render" ? "shared" : "own",
    shortcut: SHORTCUT,
    from: "2026-01-01T00:00:00Z",
  };
  const own: Readonly<Record<string, object>> = {
    "topics.get": { id: "loan" },
    "topics.put": { id: "loan", version: 1, name: "Loan", urgency: "low", mode: "pull" },
    "topics.archive": { id: "loan", version: 1 },
    "topics.putKeyword": { id: "rule", words: ["fraud"], urgency: "urgent" },
    "users.setTier": { id: fields["id"], tier: "gold" },
    "statistics.sessions": { from: fields["from"], to: "2026-02-01T00:00:00Z" },
    "session.list": {},
    "room.list": {},
    "presence.set": { status: "online" },
    "session.open": { commandId: fields["commandId"], topic: fields["topic"] },
  };
  const wanted = contract.params["required"] ?? [];
  const asked = contract.name === "message.send" ? [...wanted, "text"] : wanted;
  return own[contract.name] ?? Object.fromEntries(asked.map((name) => [name, fields[name]]));
}

const asTold = (answer: { status: number; body: unknown; error: WireError }): Told =>
  answer.status < 400
    ? { ok: true, data: answer.body, status: answer.status }
    : { ok: false, error: answer.error, status: answer.status };

const verdictOf = (told: Told): string => (told.ok ? "allow" : told.error.type);

/** An answer without what differs between any two requests. */
function bare(told: Told): string {
  if (told.ok) return JSON.stringify(told);
  const { requestId: _requestId, ...error } = told.error;
  return JSON.stringify({ ...told, error });
}

const logs = async (server: TestServer, { owner }: Cast, { sessionId, groupId }: Stage) => [
  await readLog(server, sessionId, owner),
  await readLog(server, groupId, owner),
];
