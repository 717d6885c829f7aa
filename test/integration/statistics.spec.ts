import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SessionView } from "../../services/conversation-views";
import type { StatisticsRow } from "../../services/statistics/tally";
import { startServer, type TestServer, type TestUser } from "../support/server";
import { until } from "../support/wait";

const commandId = (): string => crypto.randomUUID();
const HOUR = 3_600_000;
const ROOT = join(__dirname, "../..");

describe("statistics", () => {
  let server: TestServer;
  let admin: string;
  let supervisor: TestUser;

  beforeAll(async () => {
    server = await startServer();
    admin = await server.adminToken();
    supervisor = await server.user("supervisor");
  }, 60_000);
  afterAll(() => server.stop(), 30_000);

  const range = () => ({
    from: new Date(Date.now() - HOUR).toISOString(),
    to: new Date(Date.now() + HOUR).toISOString(),
  });
  const ask = async (query: Record<string, string>, token = supervisor.token): Promise<StatisticsRow[]> => {
    const answer = await server.rest(
      "GET",
      `/statistics?${new URLSearchParams({ ...range(), ...query }).toString()}`,
      token,
    );
    return answer.expect<{ rows: StatisticsRow[] }>(200).rows;
  };
  const post = async (path: string, token: string, body: object = {}): Promise<SessionView> =>
    (await server.rest("POST", path, token, { commandId: commandId(), ...body })).expect<SessionView>(
      path === "/sessions" ? 201 : 200,
    );
  const say = async (id: string, token: string, text: string): Promise<void> => {
    (await server.rest("POST", `/conversations/${id}/messages`, token, { commandId: commandId(), text })).expect(201);
  };
  const rowOf = (topic: string, wanted: (row: StatisticsRow) => boolean): Promise<StatisticsRow> =>
    until(`the statistics of ${topic} are as wanted`, async () => {
      const [row] = await ask({ topic });
      return row && wanted(row) && row;
    });

  it("follow a session from its opening to its rating", async () => {
    const topic = "whole life";
    const customer = await server.guest();
    const agent = await server.user("agent");
    const { id } = await post("/sessions", customer.token, { topic, text: "Hello" });
    const waiting = await rowOf(topic, ({ open }) => open === 1);
    expect(waiting).toMatchObject({ opened: 1, active: 1, assigned: 0, wait: { count: 0 } });
    await post(`/sessions/${id}/claim`, agent.token);
    await say(id, agent.token, "Good morning");
    // The first answer is told of, before anything else happens to the session.
    const answered = await rowOf(topic, ({ firstResponse }) => firstResponse.count === 1);
    expect(answered).toMatchObject({ assigned: 1, wait: { count: 1 }, closed: 0, open: 1 });
    await say(id, customer.token, "Thank you");
    await post(`/sessions/${id}/close`, agent.token);
    await post(`/sessions/${id}/rate`, customer.token, { score: 5 });
    const over = await rowOf(topic, ({ rating }) => rating.count === 1);
    expect(over).toMatchObject({
      closed: 1,
      open: 0,
      messages: { customer: 2, staff: 1 },
      handle: { count: 1 },
      rating: { average: 5 },
    });
    expect(over.firstResponse.wall.medianMs).toBeGreaterThanOrEqual(over.wait.wall.medianMs ?? Infinity);
    const own = await ask({}, agent.token);
    expect(own[0]).toMatchObject({ assigned: 1, closed: 1, handle: { count: 1 } });
    const [byAgent] = (await ask({ topic, per: "agent" })).filter(({ agentId }) => agentId === agent.id);
    expect(byAgent).toMatchObject({ closed: 1, returned: 0 });
  });

  it("of other agents are for supervisors", async () => {
    const agent = await server.user("agent");
    const query = new URLSearchParams({ ...range(), agentId: supervisor.id }).toString();
    const answer = await server.rest("GET", `/statistics?${query}`, agent.token);
    expect([answer.status, answer.error.type]).toEqual([403, "FORBIDDEN"]);
    expect(await ask({ per: "topic" }, agent.token)).toEqual([]);
  });

  it("refuse what they cannot answer, and say why", async () => {
    const now = Date.now();
    const days = (n: number) => new Date(now + n * 24 * HOUR).toISOString();
    const refused: Array<[Record<string, string>, number, string]> = [
      [{ from: days(1), to: days(0) }, 400, "VALIDATION"],
      [{ from: "yesterday", to: days(0) }, 400, "VALIDATION"],
      [{ from: days(-2_000), to: days(0) }, 400, "VALIDATION"],
      [{ from: days(-1), to: days(0), timeZone: "Mars/Olympus" }, 400, "VALIDATION"],
      [{ from: days(-1), to: days(0), by: "minute" }, 400, "VALIDATION"],
      [{ from: days(-1_000), to: days(0), by: "day" }, 409, "LIMIT_REACHED"],
    ];
    for (const [query, status, type] of refused) {
      const answer = await server.rest("GET", `/statistics?${new URLSearchParams(query).toString()}`, supervisor.token);
      expect([query, answer.status, answer.error.type]).toEqual([query, status, type]);
    }
    expect(await ask({ by: "day", topic: "of nobody", from: days(-6), to: days(0) })).toHaveLength(7);
  });

  it("are made afresh by the opening hours there are now", async () => {
    const topic = "rules change";
    const customer = await server.guest();
    const { id } = await post("/sessions", customer.token, { topic });
    const agent = await server.user("agent");
    await post(`/sessions/${id}/claim`, agent.token);
    const before = await rowOf(topic, ({ wait }) => wait.count === 1);
    expect(before.wait.openingHours).toEqual(before.wait.wall);
    const hours = { timeZone: "UTC", weekly: [], holidays: [] };
    const closed = { version: 0, name: topic, urgency: "normal", mode: "pull", skills: [], hours };
    (await server.rest("PUT", `/topics/${encodeURIComponent(topic)}`, admin, closed)).expect(200);
    expect((await ask({ topic }))[0]?.wait).toEqual(before.wait);
    type Progress = { done: number; total: number; finished: boolean };
    const rebuild = async (): Promise<Progress> =>
      (await server.rest("POST", "/statistics/rebuild", admin, { restart: true })).expect<Progress>(200);
    const done = await until("all statistics are made afresh", async () => {
      const progress = await rebuild();
      return progress.finished && progress;
    });
    expect(done.done).toBe(done.total);
    const after = (await ask({ topic }))[0]?.wait;
    expect(after?.wall).toEqual(before.wait.wall);
    expect(after?.openingHours).toEqual({ medianMs: 0, p90Ms: 0, totalMs: 0 });
    const refused = await server.rest("POST", "/statistics/rebuild", supervisor.token, {});
    expect(refused.error.type).toBe("FORBIDDEN");
  });

  it("are made afresh from the command line, and a mistake there is told in words", async () => {
    const file = join(server.dataDir, "token");
    writeFileSync(file, admin, { mode: 0o600 });
    const run = (...words: string[]) =>
      promisify(execFile)(process.execPath, ["--require", "tsx/cjs", "bin/stats-rebuild.ts", ...words], { cwd: ROOT });
    const { stdout } = await run("--restart", "--url", server.url, "--token-file", file);
    expect(stdout).toMatch(/^The statistics of \d+ sessions are new\.$/m);
    writeFileSync(file, supervisor.token);
    await expect(run("--url", server.url, "--token-file", file)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("FORBIDDEN") as string,
    });
  });

  it("are there after the server was killed between an event and its projection", async () => {
    const topic = "killed";
    const customer = await server.guest();
    const opened = await post("/sessions", customer.token, { topic });
    await server.kill();
    await server.start();
    expect(await rowOf(topic, ({ opened: count }) => count === 1)).toMatchObject({ open: 1 });
    expect(opened.topic).toBe(topic);
  });
});
