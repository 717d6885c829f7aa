import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export interface NodeProcessOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tells the line of its output by which the process says that it is ready. */
  isReady(line: string): boolean;
  onLine?(line: string): void;
  /** The process has started, and has ended: for whoever keeps a list of them. */
  onStart?(pid: number): void;
  onEnd?(pid: number): void;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One life of a child process, from its start to its end. */
export class NodeProcess {
  /** When it said that it is ready. Rejects when it ends before. */
  readonly ready: Promise<void>;
  /** When it has ended and its output is read. Never rejects. */
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;

  constructor(private readonly options: NodeProcessOptions) {
    const [program = "", ...words] = options.command;
    this.child = spawn(program, words, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      // What interrupts us in the terminal must not reach it: we say who ends when.
      detached: true,
    });
    if (this.child.pid !== undefined) options.onStart?.(this.child.pid);
    this.ended = this.untilEnd();
    this.ready = this.untilReady();
    // Whoever does not wait for it hears of the end anyway.
    this.ready.catch(() => undefined);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.child.kill(signal);
  }

  private untilEnd(): Promise<Ended> {
    const { child, options } = this;
    child.once("exit", () => options.onEnd?.(this.pid));
    return new Promise((resolve) => {
      child.once("error", (error) => {
        options.onLine?.(String(error));
        resolve({ code: null, signal: null });
      });
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  private untilReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      const take = (line: string): void => {
        this.options.onLine?.(line);
        if (this.options.isReady(line)) resolve();
      };
      for (const stream of [this.child.stdout, this.child.stderr]) if (stream) eachLine(stream, take);
      void this.ended.then(({ code, signal }) => reject(new Error(`ended with ${signal ?? code} before it was ready`)));
    });
  }
}

function eachLine(input: Readable, take: (line: string) => void): void {
  createInterface({ input, crlfDelay: Infinity }).on("line", take);
}
