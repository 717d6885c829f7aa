import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { type Answer, errorOf, type Operation, type Request, type WorkerData } from "./protocol";

interface Pending {
  resolve(value: string): void;
  reject(error: Error): void;
}

/**
 * Calls to one worker thread. When the thread dies, every pending call is rejected - its outcome is unknown - and the
 * next call starts another one.
 */
export class WorkerChannel {
  private worker: Worker | undefined;
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  private closing: Promise<void> | undefined;

  /** @param data read whenever a thread starts */
  constructor(private readonly data: () => WorkerData) {}

  /** Number of calls that wait for their answer. */
  get waiting(): number {
    return this.pending.size;
  }

  get running(): boolean {
    return this.worker !== undefined;
  }

  /** The result's JSON. Rejects with the port's typed errors, else with a plain error: an unknown outcome. */
  call(operation: Operation, collection = "", text = ""): Promise<string> {
    if (this.closing) return Promise.reject(new Error("the store is closed"));
    return this.send(operation, collection, text);
  }

  /** Lets the thread finish what it was given, then ends it. */
  close(): Promise<void> {
    this.closing ??= this.worker ? this.stop(this.worker) : Promise.resolve();
    return this.closing;
  }

  private async stop(worker: Worker): Promise<void> {
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    await this.send("close", "", "").catch(() => undefined);
    await ended;
  }

  private send(operation: Operation, collection: string, text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.worker ??= this.start();
      const id = ++this.lastId;
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ id, operation, collection, text } satisfies Request);
    });
  }

  private start(): Worker {
    const worker = startThread(this.data());
    let failure = "the store's thread ended";
    worker.on("message", (answers: readonly Answer[]) => answers.forEach((answer) => this.settle(answer)));
    worker.on("error", (error: Error) => (failure = `the store's thread failed: ${error.message}`));
    worker.on("exit", () => {
      if (this.worker === worker) this.worker = undefined;
      const lost = [...this.pending.values()];
      this.pending.clear();
      for (const { reject } of lost) reject(new Error(failure));
    });
    return worker;
  }

  private settle({ id, outcome }: Answer): void {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    const error = errorOf(outcome);
    if (error) pending?.reject(error);
    else if ("value" in outcome) pending?.resolve(outcome.value);
  }
}

/** From sources the thread needs the same TypeScript loader as the process; a build has plain JavaScript. */
function startThread(workerData: WorkerData): Worker {
  const extension = extname(__filename);
  const execArgv = extension === ".ts" ? ["--require", require.resolve("tsx/cjs")] : [];
  return new Worker(join(__dirname, `worker${extension}`), { workerData, execArgv });
}
