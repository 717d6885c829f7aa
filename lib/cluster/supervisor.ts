import { NodeProcess, type NodeProcessOptions } from "./node-process";

export interface SupervisorOptions {
  /** Name of the process, for what is said about it. */
  readonly id: string;
  /** How to start it; asked before each start. */
  launch(): NodeProcessOptions;
  /** Start it again when it ends by itself. */
  readonly restart: boolean;
  /** Time for an orderly end, milliseconds; then it is killed. */
  readonly stopMs: number;
  onReady(): void;
  /** It is about to stop, or has ended by itself. */
  onDown(): void;
  say(line: string): void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** After so long a life the next end counts as the first. */
const STEADY_MS = 30_000;

/** Keeps one process alive: starts it, starts it again after an end of its own with growing pauses, and stops it. */
export class Supervisor {
  private process: NodeProcess | undefined;
  private pause: NodeJS.Timeout | undefined;
  private pauseMs = FIRST_PAUSE_MS;
  private stopping = false;
  private wasReady = false;

  constructor(private readonly options: SupervisorOptions) {}

  /** Starts the process. Resolves when it is ready. Rejects when it ends before and is not started again. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => this.launch(resolve, reject));
  }

  /** Asks the process to end, and kills it when it does not. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.pause);
    const { process } = this;
    if (!process?.running) return;
    this.options.onDown();
    process.signal("SIGTERM");
    const late = setTimeout(() => {
      this.options.say(`${this.options.id} did not end in ${this.options.stopMs} ms and is killed`);
      process.signal("SIGKILL");
    }, this.options.stopMs);
    await process.ended;
    clearTimeout(late);
  }

  private launch(resolve: () => void, reject: (error: Error) => void): void {
    const started = Date.now();
    const process = new NodeProcess(this.options.launch());
    this.process = process;
    process.ready.then(
      () => {
        this.wasReady = true;
        this.options.onReady();
        resolve();
      },
      () => undefined,
    );
    void process.ended.then(({ code, signal }) => {
      if (this.stopping) return;
      this.options.onDown();
      const how = `${this.options.id} ended with ${signal ?? code}`;
      // One that never was ready would fail again: its settings are wrong.
      if (!this.options.restart || !this.wasReady) {
        this.options.say(how);
        reject(new Error(how));
        return;
      }
      this.again(how, Date.now() - started, () => this.launch(resolve, reject));
    });
  }

  private again(how: string, livedMs: number, launch: () => void): void {
    if (livedMs > STEADY_MS) this.pauseMs = FIRST_PAUSE_MS;
    this.options.say(`${how}, starts again in ${this.pauseMs} ms`);
    this.pause = setTimeout(launch, this.pauseMs);
    this.pauseMs = Math.min(2 * this.pauseMs, LONGEST_PAUSE_MS);
  }
}
