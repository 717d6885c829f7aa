import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cached, exclusively } from "../../support/servers/cache";
import { withDatabase } from "../../support/servers";

const ROOT = join(__dirname, "../../..");
const folders: string[] = [];

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-servers-"));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Runs `npm run servers` to its end without npm, in an environment of its own. */
async function runServers(args: readonly string[], env: Readonly<Record<string, string>>) {
  const words = ["--require", "tsx/cjs", "test/support/servers/cli.ts", ...args];
  const child = spawn(process.execPath, words, { cwd: ROOT, env: { TMPDIR: temporary(), ...env } });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.on("data", (data: Buffer) => out.push(data.toString()));
  child.stderr.on("data", (data: Buffer) => err.push(data.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, stdout: out.join(""), stderr: err.join("") };
}

describe("npm run servers", () => {
  it("says exactly what to install when nothing can be found or obtained", async () => {
    const { code, stdout, stderr } = await runServers([], { PATH: temporary(), XDG_CACHE_HOME: temporary() });
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("nats-server is not in PATH and could not be installed.");
    expect(stderr).toContain("apt-get install nats-server, or go install github.com/nats-io/nats-server/v2@v2.15.2");
    expect(stderr).toContain("apt-get install redis-server");
    expect(stderr).toContain("Go 1.24 or later from https://go.dev/dl");
  });

  it("refuses a stand-in that it does not know", async () => {
    const { code, stderr } = await runServers(["--mongo", "oracle"], { PATH: temporary() });
    expect(code).toBe(1);
    expect(stderr).toContain("--mongo oracle is neither ferret nor java");
  });
});

describe("the cache of built servers", () => {
  const cacheHome = process.env["XDG_CACHE_HOME"];

  beforeEach(() => {
    process.env["XDG_CACHE_HOME"] = temporary();
  });

  afterEach(() => {
    if (cacheHome === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = cacheHome;
  });

  it("builds once for all who ask at once", async () => {
    let builds = 0;
    const ask = () =>
      cached("thing-1", async (folder) => {
        builds += 1;
        writeFileSync(join(folder, "file"), "built");
      });
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(first).toBe(second);
    expect(readFileSync(join(await ask(), "file"), "utf8")).toBe("built");
    expect(builds).toBe(1);
  });

  it("keeps nothing of a build that failed", async () => {
    const broken = async () => {
      throw new Error("no compiler");
    };
    await expect(cached("thing-1", broken)).rejects.toThrow("no compiler");
    const folder = await cached("thing-1", async (draft) => writeFileSync(join(draft, "file"), "built"));
    expect(existsSync(join(folder, "file"))).toBe(true);
  });

  it("takes over the lock of a process that has ended", async () => {
    const lock = join(temporary(), "lock");
    const child = spawn(process.execPath, ["--eval", ""]);
    await new Promise((resolve) => child.on("close", resolve));
    writeFileSync(lock, String(child.pid));
    expect(await exclusively(lock, async () => "done")).toBe("done");
    expect(existsSync(lock)).toBe(false);
  });
});

describe("the address of another database on the same server", () => {
  it.each([
    ["mongodb://127.0.0.1:27017", "mongodb://127.0.0.1:27017/other"],
    ["mongodb://127.0.0.1:27017/parley", "mongodb://127.0.0.1:27017/other"],
    ["mongodb://a:1,b:2/parley?replicaSet=rs0", "mongodb://a:1,b:2/other?replicaSet=rs0"],
    ["mongodb://ann:secret@a/parley", "mongodb://ann:secret@a/other?authSource=parley"],
    ["mongodb+srv://ann:secret@a/?tls=true", "mongodb+srv://ann:secret@a/other?tls=true&authSource=admin"],
    ["mongodb://ann:secret@a/parley?authSource=x", "mongodb://ann:secret@a/other?authSource=x"],
  ])("%s", (uri, other) => {
    expect(withDatabase(uri, "other")).toBe(other);
  });
});
