import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeProcess } from "../../lib/cluster/node-process";
import { unusedPort } from "../../lib/cluster/ports";
import { UNLIMITED } from "../support/api";
import { ParleyClient } from "../support/client";
import { isAlive } from "../support/processes";
import { rest, type TokenPair } from "../support/rest";
import { type FreshEnvironment, freshEnvironment } from "../support/servers/shared";
import { until } from "../support/wait";

const READY = /^Parley is ready: (\S+) \(1 gateway, 2 io, 2 core, 1 scheduler\)$/;

const ROOT = join(__dirname, "../..");
/** What the npm scripts run, from source: the other specs here run what is compiled. */
const program = (name: string): string[] => [process.execPath, "--require", "tsx/cjs", `bin/${name}.ts`];

function run(folder: string, env: Readonly<Record<string, string>>) {
  const lines: string[] = [];
  const runner = new NodeProcess({
    command: program("cluster"),
    cwd: ROOT,
    env: { PATH: process.env["PATH"], DATA_DIR: folder, DRAIN_SECONDS: "1", ...UNLIMITED, ...env },
    isReady: (line) => READY.test(line),
    onLine: (line) => lines.push(line),
  });
  return { runner, lines };
}

/** The process of each node, the last one of those that were started again. */
const pidsOf = (lines: readonly string[]): Map<string, number> =>
  new Map(
    lines.flatMap((line): Array<[string, number]> => {
      const [, id = "", pid] = /^cluster +\| (\S+) is process (\d+)/.exec(line) ?? [];
      return id === "" ? [] : [[id, Number(pid)]];
    }),
  );

describe("npm run cluster", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-runner-"));
  let fresh: FreshEnvironment;

  beforeAll(async () => {
    fresh = await freshEnvironment();
  });
  afterAll(async () => {
    await fresh.drop();
    rmSync(folder, { recursive: true });
  });

  it("says what is missing when the servers are not set, and starts nothing", async () => {
    const { runner, lines } = run(folder, { NATS_URL: fresh.env.NATS_URL });
    expect(await runner.ended).toEqual({ code: 1, signal: null });
    expect(lines.join("\n")).toMatch(/MONGODB_URI: missing.*\nREDIS_URL: missing.*\n`npm run servers`/);
  });

  it("starts all processes behind one address, keeps them alive, and ends them in order", async () => {
    const url = `http://127.0.0.1:${await unusedPort()}`;
    const { runner, lines } = run(folder, { ...fresh.env, PORT: new URL(url).port });
    try {
      await runner.ready.catch((error: unknown) => {
        throw new Error(`${String(error)}\n${lines.join("\n")}`);
      });
      expect(lines.filter((line) => READY.test(line))).toEqual([expect.stringContaining(url)]);
      for (const id of ["gateway-1", "io-1", "io-2", "core-1", "core-2", "scheduler-1"])
        expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${id} +\\| Parley is ready: ${id}`)));

      expect(pidsOf(lines).size).toBe(6);
      const password = readFileSync(join(folder, "admin-password"), "utf8").trim();
      expect(lines.filter((line) => line.includes(password))).toHaveLength(1);
      const answer = await rest(url, "POST", "/auth/login", undefined, { email: "admin@localhost", password });
      const { user, accessToken: token } = answer.expect<TokenPair>(200);
      const client = await ParleyClient.open({ url, user: user.id, token });

      process.kill(pidsOf(lines).get("io-1") ?? 0, "SIGKILL");
      await until(
        "io-1 is back",
        () => lines.filter((line) => line.includes("Parley is ready: io-1")).length === 2,
        20_000,
      );
      expect(lines).toContainEqual(expect.stringMatching(/^cluster +\| io-1 ended with SIGKILL, starts again in/));
      await until("the client is back", () => client.socket.connected);
      client.close();
    } finally {
      runner.signal("SIGTERM");
      expect(await runner.ended).toEqual({ code: 0, signal: null });
    }
    expect([...pidsOf(lines).values()].filter(isAlive)).toEqual([]);
  }, 90_000);
});

describe("npm run start:node", () => {
  const startNode = async (kind: string, env: Readonly<Record<string, string>> = {}) => {
    const lines: string[] = [];
    const node = new NodeProcess({
      command: [...program("node"), kind],
      cwd: ROOT,
      env: { PATH: process.env["PATH"], ...env },
      isReady: () => false,
      onLine: (line) => lines.push(line),
    });
    return { ...(await node.ended), text: lines.join("\n") };
  };

  it("refuses a process of several that lacks what they share, and names it", async () => {
    const { code, text } = await startNode("io", { REDIS_URL: "redis://127.0.0.1" });
    expect(code).toBe(1);
    for (const name of ["NATS_URL", "MONGODB_URI", "AUTH_KEYS"]) expect(text).toContain(`${name}: missing`);
    expect(text).not.toContain("REDIS_URL: missing");
  });

  it("names the kinds there are when asked for another", async () => {
    const { code, text } = await startNode("database");
    expect([code, text]).toEqual([1, 'There is no kind "database"; there are gateway, io, core, scheduler.']);
  });
});
