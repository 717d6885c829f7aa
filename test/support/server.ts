import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServerApi, serverEnv } from "./api";
import { until } from "./wait";

export type { TestUser } from "./api";

const ROOT = join(__dirname, "../..");
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;

export interface ServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Kept afterwards; a temporary folder, removed by `stop`, when absent. */
  readonly dataDir?: string;
  /** Words before `node`, such as `taskset -c 0`. */
  readonly prefix?: readonly string[];
  readonly nodeArguments?: readonly string[];
}

/** The real server as a child process on a free port. */
export class TestServer extends ServerApi {
  private child: ChildProcess | undefined;
  private lines: string[] = [];

  constructor(
    readonly port: number,
    readonly dataDir: string,
    private readonly options: ServerOptions,
  ) {
    super();
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** What it has written to stdout and stderr, over all its lives. */
  get logs(): string {
    return this.lines.join("");
  }

  get running(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  /** Starts the process, again after `kill` on the same folder and port, and waits until it is ready. */
  async start(): Promise<void> {
    const { prefix = [], nodeArguments = [], env = {} } = this.options;
    const words = [...prefix, process.execPath, ...nodeArguments, "--require", "tsx/cjs", "bin/parley.ts"];
    const child = spawn(words[0] ?? "", words.slice(1), {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...serverEnv(),
        ...env,
        PORT: String(this.port),
        DATA_DIR: this.dataDir,
      },
    });
    child.stdout.on("data", (data: Buffer) => this.lines.push(data.toString()));
    child.stderr.on("data", (data: Buffer) => this.lines.push(data.toString()));
    this.child = child;
    await until("the server is ready", () => this.ready(), START_TIMEOUT_MS).catch((error: unknown) => {
      child.kill("SIGKILL");
      throw new Error(`${String(error)}\n${this.logs.slice(-4_000)}`);
    });
  }

  private async ready(): Promise<boolean> {
    if (!this.running) throw new Error("the server has ended");
    return fetch(`${this.url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    );
  }

  /** Sends a signal and waits until the process has ended. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const { child } = this;
    if (!child || !this.running) return;
    child.kill(signal);
    await until(`the server ends on ${signal}`, () => !this.running, STOP_TIMEOUT_MS);
  }

  /** Ends the process and removes its temporary folder. */
  async stop(): Promise<void> {
    await this.kill("SIGTERM").catch(() => this.kill("SIGKILL"));
    if (this.options.dataDir === undefined) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Starts the real server with every limit out of the way. Stop it with `stop`. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "parley-test-"));
  const server = new TestServer(await freePort(), dataDir, options);
  await server.start();
  return server;
}

/** A TCP port that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
