import fc from "fast-check";
import type { Socket } from "socket.io-client";
import { COMMON_ERRORS, type Contract } from "../../lib/contract";
import { validatorOf } from "../../lib/schema";
import { CONTRACTS } from "../../services/contracts";
import { broken, type Known, valid } from "../support/arbitrary";
import { readLog } from "../support/history";
import { openSocket, type Outcome, overRest, overSocket } from "../support/invoke";
import { startServer, type TestServer } from "../support/server";
import { type Cast, makeCast, setStage, type Stage } from "../support/stage";

const RUNS = 40;
/** Each costs a password hash. */
const HASHING = { names: ["auth.signup", "auth.login"], runs: 6 };
/** Given by the transports, before any action. */
const TRANSPORT_ERRORS = ["PAYLOAD_TOO_LARGE", "NOT_FOUND"];

const ROUTES = CONTRACTS.filter(({ rest }) => rest).map((contract) => [contract.name, contract] as const);
const FOR_ADMINS = ROUTES.filter(([, { access }]) => typeof access === "object" && access.roles.join() === "admin");
const EVENTS = CONTRACTS.filter(({ socket }) => socket !== undefined).map(
  (contract) => [contract.name, contract] as const,
);

describe("random requests", () => {
  let server: TestServer;
  let cast: Cast;
  let stage: Stage;
  let socket: Socket;
  let known: Known;

  beforeAll(async () => {
    server = await startServer();
    cast = await makeCast(server);
    stage = await setStage(server, cast);
    socket = await openSocket(server.url, cast.owner.token);
    known = {
      conversationId: [stage.sessionId, stage.groupId],
      sessionId: [stage.sessionId],
      seq: [stage.sessionSeq, stage.groupSeq],
      members: [[cast.agent.id]],
      userId: [cast.otherCustomer.id],
      userIds: [[cast.agent.id]],
      version: [0, 1],
      timeZone: ["Europe/Berlin"],
      holidays: [["2026-12-25"]],
    };
  }, 60_000);

  afterEach(async () => {
    expect(server.running).toBe(true);
    expect(socket.connected).toBe(true);
    const health = await fetch(`${server.url}/health/ready`);
    expect(health.status).toBe(200);
  });

  afterAll(async () => {
    socket.disconnect();
    await server.stop();
  }, 30_000);

  const runsOf = ({ name }: Contract): number => (HASHING.names.includes(name) ? HASHING.runs : RUNS);
  const answered = (contract: Contract, outcome: Outcome): void => {
    if (outcome.ok) return;
    const { type, message, retryable } = outcome.error;
    expect([...contract.errors, ...COMMON_ERRORS, ...TRANSPORT_ERRORS]).toContain(type);
    expect(type).not.toBe("INTERNAL");
    expect([typeof message, typeof retryable]).toEqual(["string", "boolean"]);
  };

  it.each(ROUTES)("to the route of %s get an answer of its contract", async (_name, contract) => {
    const inputs = fc.oneof(valid(contract.params, known), broken(contract.params, known));
    const send = async (params: unknown) =>
      answered(contract, await overRest(server.url, contract, params, cast.owner.token));
    await fc.assert(fc.asyncProperty(inputs, send), { numRuns: runsOf(contract) });
  });

  it.each(EVENTS)("as the event of %s get an answer of its contract", async (_name, contract) => {
    const inputs = fc.oneof(valid(contract.params, known), broken(contract.params, known));
    const send = async (params: unknown) => answered(contract, await overSocket(socket, contract, params));
    await fc.assert(fc.asyncProperty(inputs, send), { numRuns: runsOf(contract) });
  });

  it.each(FOR_ADMINS)(
    "to the route of %s by an administrator get an answer of its contract",
    async (_name, contract) => {
      const admin = await server.adminToken();
      const inputs = fc.oneof(valid(contract.params, known), broken(contract.params, known));
      const send = async (params: unknown) => answered(contract, await overRest(server.url, contract, params, admin));
      await fc.assert(fc.asyncProperty(inputs, send), { numRuns: runsOf(contract) });
    },
  );

  it("that a contract does not allow store nothing", async () => {
    const { sessionId, groupId, ...seqs } = await setStage(server, cast);
    const fresh = { ...known, conversationId: [sessionId, groupId], sessionId: [sessionId], seq: Object.values(seqs) };
    const logs = async () => [await readLog(server, sessionId, cast.owner), await readLog(server, groupId, cast.owner)];
    const before = await logs();
    for (const [, contract] of EVENTS) {
      const allows = checkOf(contract);
      const inputs = broken(contract.params, fresh).filter((params) => !allows(params));
      const send = async (params: unknown) => {
        const outcome = await overSocket(socket, contract, params);
        expect(outcome.ok ? "accepted" : outcome.error.type).toMatch(/^(VALIDATION|FORBIDDEN)$/);
      };
      await fc.assert(fc.asyncProperty(inputs, send), { numRuns: 20 });
    }
    expect(await logs()).toEqual(before);
  });

  it("that are no JSON, or another kind of body, get a typed 4xx", async () => {
    const bodies: ReadonlyArray<readonly [string, string]> = [
      ["application/json", "{"],
      ["application/json", '"text"'],
      ["application/json", "null"],
      ["application/json", "[[["],
      ["application/json", `{"text":"${"x".repeat(200_000)}"}`],
      ["application/json", `${"[".repeat(50_000)}${"]".repeat(50_000)}`],
      ["application/x-www-form-urlencoded", "commandId[$gt]=&text=x"],
      ["text/plain", "hello"],
    ];
    for (const [type, body] of bodies) {
      const path = `/conversations/${stage.groupId}/messages`;
      const answer = await server.rest("POST", path, cast.owner.token, body, { "content-type": type });
      expect([400, 413, 415]).toContain(answer.status);
      expect(answer.error.type).toMatch(/^(VALIDATION|PAYLOAD_TOO_LARGE)$/);
    }
  });

  it("as junk frames leave the process and other sockets alone", async () => {
    const frames = ["", "9", "42", "42[", '42["x"', "42[]", "42[1]", '42["message.send"', "43[]", '431["x"]', "45-[]"];
    frames.push(
      '451-["x",{"_placeholder":true,"num":0}]',
      '42["__proto__",{}]',
      '42/other,["x"]',
      "40{",
      "4".repeat(1_000),
    );
    const junk = fc.oneof(fc.constantFrom(...frames), fc.string({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }));
    const throwJunk = async (parts: Array<string | Uint8Array>): Promise<void> => {
      const raw = new WebSocket(`${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
      const ended = new Promise<void>((resolve) => raw.addEventListener("close", () => resolve()));
      await new Promise<void>((resolve) => {
        raw.addEventListener("open", () => resolve());
        raw.addEventListener("error", () => resolve());
      });
      if (raw.readyState === WebSocket.OPEN) {
        raw.send(`40${JSON.stringify({ token: cast.owner.token })}`);
        for (const part of parts) raw.send(typeof part === "string" ? part : part.slice().buffer);
      }
      raw.close();
      await ended;
    };
    await fc.assert(fc.asyncProperty(fc.array(junk, { minLength: 1, maxLength: 20 }), throwJunk), { numRuns: 60 });
  });
});

/** Does a contract allow these params? */
function checkOf(contract: Contract): (params: unknown) => boolean {
  const validate = validatorOf(contract.params);
  return (params) => {
    try {
      validate(params);
      return true;
    } catch {
      return false;
    }
  };
}
