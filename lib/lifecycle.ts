import type { Middleware } from "moleculer";
import { perBroker } from "./per-broker";

export type Phase = "starting" | "ready" | "draining";

/**
 * Where a node is between its start and its end. While it drains it takes nothing new, and its services still answer
 * what is in flight: only after all drain hooks do they stop.
 */
export class Lifecycle {
  private current: Phase = "starting";
  private readonly hooks: Array<() => Promise<void>> = [];
  private readonly beginnings: Array<() => void> = [];
  private drained: Promise<void> | undefined;

  get phase(): Phase {
    return this.current;
  }

  setReady(): void {
    if (this.current !== "starting") return;
    this.current = "ready";
    for (const begin of this.beginnings.splice(0)) begin();
  }

  /** What begins by itself when every service of this node has started; at once when that is so already. */
  onReady(begin: () => void): void {
    if (this.current === "ready") begin();
    else this.beginnings.push(begin);
  }

  /** What must end before the services stop: sending clients away, finishing requests. */
  onDrain(hook: () => Promise<void>): void {
    this.hooks.push(hook);
  }

  /** Runs every drain hook once and waits for them; a second call waits for the first. Never rejects. */
  drain(onError: (error: unknown) => void = () => undefined): Promise<void> {
    this.current = "draining";
    this.drained ??= Promise.all(this.hooks.map((hook) => hook().catch(onError))).then(() => undefined);
    return this.drained;
  }
}

/** The lifecycle of a broker's node. */
export const lifecycleOf = perBroker(() => new Lifecycle());

/** Drains before the services stop whoever stops the broker, the REPL included. */
export const drainMiddleware: Middleware = {
  name: "Drain",
  stopping: (broker) => lifecycleOf(broker).drain((error) => broker.logger.error("draining failed", { error })),
};
