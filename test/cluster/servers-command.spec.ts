import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../support/wait";

const ROOT = join(__dirname, "../..");
const READY_MS = 60_000;
const LINES = /^NATS_URL=nats:\/\/\S+\nREDIS_URL=redis:\/\/\S+\nMONGODB_URI=mongodb:\/\/\S+\n$/;
const DIRECT = [process.execPath, "--require", "tsx/cjs", "test/support/servers/cli.ts"];

let child: ChildProcess | undefined;
let folder = "";
let output = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-servers-"));
});

afterEach(async () => {
  child?.kill("SIGKILL");
  await until("nothing is left running", () => folders().length === 0);
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the command, with the folders of its servers in `folder`, until it has printed everything. */
async function run([program = "", ...words]: readonly string[]): Promise<ChildProcess> {
  output = "";
  const env = { ...process.env, TMPDIR: folder, MONGODB_URI: undefined };
  const started = spawn(program, words, { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
  started.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child = started;
  await until("the addresses are printed", () => output.includes("MONGODB_URI=") && output.endsWith("\n"), READY_MS);
  return started;
}

/** The data folders that are there; others use the folder for temporary files too. */
const folders = (): string[] => readdirSync(folder).filter((name) => name.startsWith("parley-"));
const ports = (): number[] => [...output.matchAll(/:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

const listening = async () => (await Promise.all(ports().map(accepts))).filter(Boolean).length;

describe("npm run servers", () => {
  it.each(["ferret", "java"])("prints the addresses together, last, when all are ready (%s)", async (mongo) => {
    await run([...DIRECT, "--mongo", mongo]);
    expect(output).toMatch(LINES);
    expect(output).not.toContain("&");
    expect(await listening()).toBe(3);
    const kinds = folders().map((name) => name.split("-")[1]);
    expect(kinds.sort()).toEqual([mongo, "nats", "redis"].sort());
  });

  it.each(["SIGINT", "SIGTERM"] as const)("stops them and removes their folders on %s to npm", async (signal) => {
    const npm = await run(["npm", "run", "servers"]);
    expect(output.slice(output.indexOf("NATS_URL"))).toMatch(LINES);
    npm.kill(signal);
    await until("no server is left", async () => (await listening()) === 0);
    await until("no folder is left", () => folders().length === 0);
  });

  it("leaves no server behind when it is killed", async () => {
    const command = await run(DIRECT);
    command.kill("SIGKILL");
    await until("no server is left", async () => (await listening()) === 0);
    await until("no folder is left", () => folders().length === 0);
  });

  it("leaves no server behind when npm is killed", async () => {
    const npm = await run(["npm", "run", "servers"]);
    npm.kill("SIGKILL");
    await until("no server is left", async () => (await listening()) === 0);
    await until("no folder is left", () => folders().length === 0);
  });
});
