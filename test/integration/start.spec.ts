import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NODE_ROLES } from "../../services/roles";
import { startProgram } from "../support/program";
import { rest, type TokenPair } from "../support/rest";
import { freePort, startServer, type TestServer } from "../support/server";
import { until } from "../support/wait";

const ROOT = join(__dirname, "../..");

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Runs the program until it ends by itself. */
function run(env: Readonly<Record<string, string>>, words = ["bin/parley.ts"]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--require", "tsx/cjs", ...words], {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env["PATH"], LOG_LEVEL: "silent", ...env },
    });
    let stderr = "";
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    child.on("close", (code) => resolve({ code, stderr }));
  });
}

describe("starting and stopping the program", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-start-"));
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ dataDir: folder, env: { ADMIN_EMAIL: "", ADMIN_PASSWORD: "", LOG_LEVEL: "info" } });
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const logIn = async (): Promise<number> => {
    const password = readFileSync(join(folder, "admin-password"), "utf8").trim();
    const body = { email: "admin@localhost", password };
    return (await rest(server.url, "POST", "/auth/login", undefined, body)).status;
  };

  it("prints where everything is, and the first password once and not in the log", async () => {
    expect(server.logs).toContain(`${server.url}/v1`);
    expect(server.logs).toContain(`${server.url}/docs`);
    const password = readFileSync(join(folder, "admin-password"), "utf8").trim();
    expect(server.logs.split(password)).toHaveLength(2);
    expect(server.logs.split("\n").filter((line) => line.startsWith("{") && line.includes(password))).toEqual([]);
    expect(statSync(join(folder, "admin-password")).mode & 0o777).toBe(0o600);
    expect(await logIn()).toBe(200);
  });

  it("says nothing but that: no line of how it came up, and the address last", () => {
    const lines = server.logs.trim().split("\n");
    expect(lines.filter((line) => line.startsWith("{"))).toEqual([]);
    expect(lines[0]).toMatch(/^First administrator: /);
    expect(lines.at(-1)).toContain("/docs");
  });

  it("calls nothing that is not there yet", () => {
    expect(server.logs).not.toContain("is not registered");
  });

  it("names every malformed setting and ends", async () => {
    const { code, stderr } = await run({ PORT: "http", LOG_LEVEL: "loud", DATA_DIR: folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^The configuration is not valid\.\nPORT: read "http"; allowed is an integer from 0 to 65535\n/,
    );
    expect(stderr).toContain('LOG_LEVEL: read "loud"');
    expect(stderr).not.toContain("    at ");
  });

  it.each([
    ...["parley", "demo", "seed", "repl", "migrate", "node"].map((name) => `bin/${name}`),
    ...["bench", "test/chaos", "test/simulation"].map((folder) => `${folder}/cli`),
  ])("%s refuses an option that it does not know", async (program) => {
    const { code, stderr } = await run({ DATA_DIR: folder }, [`${program}.ts`, "--nope"]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^Unknown option '--nope'\.\nnpm (start|run)/) as unknown,
    ]);
  });

  it("names the services there are when asked for another", async () => {
    const { code, stderr } = await run({ SERVICES: "gateway,nope", DATA_DIR: folder });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/SERVICES: read "nope"; allowed are .*gateway/) as unknown,
    ]);
  });

  it("says so in one line when the port is taken, before it has made anything", async () => {
    const other = mkdtempSync(join(tmpdir(), "parley-start-"));
    const { code, stderr } = await run({ PORT: String(server.port), DATA_DIR: other });
    const made = readdirSync(other);
    rmSync(other, { recursive: true, force: true });
    expect(made).toEqual([]);
    expect([code, stderr]).toEqual([
      1,
      `Port ${server.port} of 127.0.0.1 is in use: stop what uses it, or set PORT.\n`,
    ]);
  }, 40_000);

  it("says so in one line when another process has the data folder", async () => {
    const { code, stderr } = await run({ PORT: String(await freePort()), DATA_DIR: folder });
    expect(code).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain(folder);
  }, 40_000);

  it("keeps users, logins and keys over a restart", async () => {
    const guest = (await rest(server.url, "POST", "/auth/guest", undefined, {})).expect<TokenPair>(201);
    const before = server.logs;
    await server.kill("SIGTERM");
    await server.start();
    expect(server.logs.slice(before.length)).not.toContain("Password");
    expect(await logIn()).toBe(200);
    (await rest(server.url, "GET", "/me", guest.accessToken)).expect(200);
  }, 60_000);
});

describe("a process whose servers do not answer", () => {
  it.each(NODE_ROLES)(
    "%s waits for them, alive and not ready, and ends when it is told to",
    async (role) => {
      const [port, nowhere] = [await freePort(), await freePort()];
      const program = startProgram(["bin/node.ts", role], {
        PORT: String(port),
        NATS_URL: `nats://anna:hunter2@127.0.0.1:${nowhere}`,
        MONGODB_URI: `mongodb://anna:hunter2@127.0.0.1:${nowhere}/parley`,
        REDIS_URL: `redis://127.0.0.1:${nowhere}`,
        AUTH_KEYS: `k1:${"A".repeat(43)}`,
      });
      const says = (text: string) => () => program.output.includes(text);
      const ask = async (page: string) => fetch(`http://127.0.0.1:${port}/${page}`).catch(() => undefined);
      try {
        await until("it waits for MongoDB", says(`waiting for MongoDB at 127.0.0.1:${nowhere}`), 30_000);
        await until("it waits for NATS", says(`NATS at 127.0.0.1:${nowhere}: CONNECTION_REFUSED`));
        expect((await ask("health/live"))?.status).toBe(200);
        const ready = await ask("health/ready");
        expect([ready?.status, await ready?.json()]).toEqual([
          503,
          { status: "not ready", parts: { node: "starting", broker: "down", store: "down", kv: "down" } },
        ]);
        expect((await ask("v1/me"))?.status).toBe(503);
      } finally {
        program.child.kill("SIGTERM");
      }
      const { code, output } = await program.ended;
      expect(code).toBe(0);
      expect(output).not.toContain("is ready");
      expect(output).not.toContain("hunter2");
    },
    60_000,
  );
});
