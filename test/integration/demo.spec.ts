import { join } from "node:path";
import { check, type Spoken } from "../../bin/demo/transcript";
import type { WireEvent } from "../../services/schemas";
import { startProgram } from "../support/program";
import { freePort, startServer, type TestServer } from "../support/server";

const runDemo = (env: Readonly<Record<string, string>>) => startProgram(["bin/demo.ts"], env).ended;

describe("the demo", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ env: { ADMIN_EMAIL: "", ADMIN_PASSWORD: "" } });
  }, 40_000);

  afterAll(() => server.stop(), 30_000);

  it("plays a conversation and can be repeated, with the administrator's password from the data folder", async () => {
    for (let round = 0; round < 2; round++) {
      const { code, output } = await runDemo({ PORT: String(server.port), DATA_DIR: server.dataDir });
      expect(output).toContain("caught up on 3 events");
      expect(output).toMatch(/^ +1 .*session\.opened/m);
      expect(output).toMatch(/^OK: \d+ events, seen by both/m);
      expect(output).toMatch(/1st in the queue, .* 2nd[^]*pushed to her[^]*she is 1st[^]*he took it up[^]*"expired"/);
      expect(output).toMatch(/^OK: pushed to one agent only/m);
      expect(code).toBe(0);
    }
  }, 90_000);

  it("leaves no topic behind for customers to see", async () => {
    const { topics } = (await server.rest("GET", "/topics", (await server.guest()).token)).expect<{
      topics: Array<{ id: string }>;
    }>(200);
    expect(topics.map(({ id }) => id)).toEqual(["loan", "payment", "other"]);
  });

  it("says what to do when no server is there", async () => {
    const { code, output } = await runDemo({ PORT: String(await freePort()), DATA_DIR: server.dataDir });
    expect(output).toContain('Start one with "npm start"');
    expect(code).toBe(1);
  }, 30_000);

  it("says what is missing when the administrator is unknown", async () => {
    const { code, output } = await runDemo({ PORT: String(server.port), DATA_DIR: join(server.dataDir, "none") });
    expect(output).toContain("ADMIN_EMAIL");
    expect(code).toBe(1);
  }, 30_000);
});

describe("the demo's own check", () => {
  const event = (seq: number): WireEvent => ({
    conversationId: "talk",
    seq,
    prevSeq: seq - 1,
    id: `e${seq}`,
    type: "message.created",
    at: "2026-01-01T00:00:00.000Z",
    by: "ada",
    data: { text: `text ${seq}` },
    commandId: `c${seq}`,
  });
  const all = [event(1), event(2), event(3)];
  const spoken: Spoken[] = all.map(({ by, data }) => ({ by, text: String(data["text"]) }));
  const judge =
    (seen: readonly WireEvent[], history: readonly WireEvent[] = all, said = spoken) =>
    () =>
      check([{ name: "Ada", events: seen }], 3, said, history);

  it("finds nothing in a complete view", () => {
    expect(judge(all)).not.toThrow();
  });

  it.each<[string, () => void]>([
    ["missing at the end", judge(all.slice(0, 2))],
    ["missing in the middle", judge([event(1), event(3)])],
    ["doubled", judge([event(1), event(1), event(2), event(3)])],
    ["out of order", judge([event(2), event(1), event(3)])],
    ["not what was said", judge(all, all, [...spoken].reverse())],
    ["missing from the history", judge(all, all.slice(1))],
    ["too much in the history", judge(all, [...all, event(4)])],
  ])("finds an event that is %s", (_what, act) => {
    expect(act).toThrow();
  });
});
