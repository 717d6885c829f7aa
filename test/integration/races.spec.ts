import { readLog } from "../support/history";
import { overRest } from "../support/invoke";
import { startServer, type TestServer } from "../support/server";
import * as session from "../../services/session/session.contract";

const MANY = 50;
const all = <T>(make: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: MANY }, (_, at) => make(at)));

describe("races", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
  }, 40_000);

  afterAll(() => server.stop(), 30_000);

  it("gives a session that 50 agents claim at once to one of them, and tells the others who", async () => {
    const customer = await server.guest();
    const agents = await server.users(MANY, ["agent"]);
    const opened = await server.rest("POST", "/sessions", customer.token, { commandId: crypto.randomUUID() });
    const { id, conversationId } = opened.expect<{ id: string; conversationId: string }>(201);

    const outcomes = await all((at) =>
      overRest(server.url, session.claim, { sessionId: id, commandId: `claim-${at}` }, agents[at]?.token),
    );

    const winner = agents[outcomes.findIndex(({ ok }) => ok)];
    const refused = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
    expect(refused).toHaveLength(MANY - 1);
    for (const { type, data } of refused) {
      expect(type).toBe("SESSION_TAKEN");
      expect(data).toEqual({ agentId: winner?.id });
    }
    const log = await readLog(server, conversationId, customer);
    expect(log.filter(({ type }) => type === "session.assigned").map(({ data }) => data["agentId"])).toEqual([
      winner?.id,
    ]);
  }, 60_000);

  it("opens one session when a customer opens 50 at once", async () => {
    const customer = await server.guest();

    const outcomes = await all((at) => overRest(server.url, session.open, { commandId: `open-${at}` }, customer.token));

    const answers = outcomes.map((outcome) => (outcome.ok ? (outcome.data as { id: string; existing?: boolean }) : {}));
    expect(new Set(answers.map((answer) => ("id" in answer ? answer.id : "refused"))).size).toBe(1);
    expect(answers.filter((answer) => !("existing" in answer && answer.existing))).toHaveLength(1);
    const list = await server.rest("GET", "/sessions", customer.token);
    expect(list.expect<{ sessions: unknown[] }>(200).sessions).toHaveLength(1);
  });

  it("opens one session per topic, whichever of 50 openings comes first", async () => {
    const customer = await server.guest();

    const outcomes = await all((at) =>
      overRest(server.url, session.open, { commandId: `open-${at}`, topic: `topic-${at % 2}` }, customer.token),
    );

    const ids = outcomes.map((outcome) => (outcome.ok ? (outcome.data as { id: string }).id : outcome.error.type));
    expect(new Set(ids.filter((_, at) => at % 2 === 0)).size).toBe(1);
    expect(new Set(ids).size).toBe(2);
  });
});
