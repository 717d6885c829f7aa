import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../server";
import { until } from "../wait";

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const PORT_ATTEMPTS = 5;
const OUTPUT_CHARACTERS = 100_000;

/** Kills the server and removes its folder as soon as the process that holds the other end of its input has ended. */
const WATCH = 'read -r _; kill -KILL "$1"; rm -rf "$2"';

export interface ServerOptions {
  /** Kept afterwards; a temporary folder, removed by `stop`, when absent. */
  readonly folder?: string;
  /** Further words of the command line. */
  readonly args?: readonly string[];
}

/**
 * A server as a child process on loopback, with a folder and a port of its own that it keeps over all its lives.
 * It does not outlive this process, however that ends.
 */
export abstract class ServerProcess {
  readonly folder: string;
  private currentPort = 0;
  private child: ChildProcess | undefined;
  private watch: ChildProcess | undefined;
  private text = "";

  constructor(
    readonly name: string,
    private readonly options: ServerOptions,
  ) {
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), `parley-${name}-`));
  }

  /** The command line that serves `folder` on `port`; may take minutes the first time. */
  protected abstract command(port: number): Promise<readonly string[]>;
  /** Asks one question in the server's own protocol; rejects until it is answered. */
  protected abstract ping(): Promise<void>;
  abstract readonly url: string;

  get port(): number {
    return this.currentPort;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get running(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  /** The end of what it has written, over all its lives. */
  get output(): string {
    return this.text;
  }

  /**
   * Starts it, again after `kill` on the same folder and port, and waits until it answers.
   * @throws Error with the end of its output
   */
  async start(): Promise<void> {
    if (this.running) return;
    const again = this.currentPort !== 0;
    for (let attempt = 1; ; attempt += 1) {
      if (!again) this.currentPort = await freePort();
      const command = await this.command(this.currentPort);
      try {
        return await this.launch([...command, ...(this.options.args ?? [])]);
      } catch (error) {
        await this.kill();
        // Somebody else may have taken the port since it was found free.
        if (again || attempt === PORT_ATTEMPTS || !/in use/i.test(this.text)) throw error;
      }
    }
  }

  private async launch([program = "", ...words]: readonly string[]): Promise<void> {
    // Detached, so that Ctrl+C in a terminal reaches the program under test alone.
    const child = spawn(program, words, { cwd: this.folder, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const keep = (data: Buffer) => (this.text = (this.text + data.toString()).slice(-OUTPUT_CHARACTERS));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => (this.text += `${String(error)}\n`));
    this.child = child;
    if (child.pid !== undefined) this.watch = this.watchOver(child.pid);
    const answers = () =>
      this.ping().then(
        () => true,
        () => false,
      );
    await until(
      `${this.name} answers`,
      async () => {
        if (!this.running || child.pid === undefined) throw new Error(`${this.name} has ended`);
        return answers();
      },
      START_TIMEOUT_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.text.slice(-4_000)}`);
    });
  }

  private watchOver(pid: number): ChildProcess {
    const folder = this.options.folder === undefined ? this.folder : "";
    const watch = spawn("/bin/sh", ["-c", WATCH, "watch", String(pid), folder], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    watch.stdin.on("error", () => undefined);
    return watch;
  }

  /** Sends a signal that ends it, and waits until it has ended. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const { child, watch } = this;
    if (child && this.running && child.pid !== undefined) {
      child.kill(signal);
      await until(`${this.name} ends on ${signal}`, () => !this.running, STOP_TIMEOUT_MS);
    }
    watch?.kill("SIGKILL");
    this.watch = undefined;
  }

  /** Stops it where it is (SIGSTOP): from now on its connections stay open and nothing is answered. */
  async suspend(): Promise<void> {
    this.child?.kill("SIGSTOP");
    await until(`${this.name} is suspended`, () => isSuspended(this.pid));
  }

  /** Lets a suspended server go on. */
  resume(): void {
    this.child?.kill("SIGCONT");
  }

  /** Ends it in order and removes its temporary folder. */
  async stop(): Promise<void> {
    this.resume();
    await this.kill("SIGTERM").catch(() => this.kill("SIGKILL"));
    if (this.options.folder === undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whether every thread of a process has stopped; where there is no /proc, whether it was told to. */
function isSuspended(pid: number): boolean {
  if (!existsSync("/proc")) return true;
  return readdirSync(`/proc/${pid}/task`).every((task) =>
    // The name of the program, in parentheses, may contain anything; the state comes after it.
    /\) T [^)]*$/.test(readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8")),
  );
}
