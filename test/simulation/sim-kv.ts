import type { Kv } from "../../lib/kv/kv";
import { MemoryKv } from "../../lib/kv/memory";
import type { Faults } from "./faults";
import { EPOCH } from "./life";
import type { Receiver } from "./sim-store";
import type { World } from "./world";

const TIMEOUT_MS = 1_000;

type Method = (...args: never[]) => Promise<unknown>;

/**
 * A key-value server that all processes share: the product's own one in memory, behind a network. Its answers come
 * late or never, it cannot be reached for a while, and it may lose all it has.
 */
export class SimKv {
  /** Faults happen. */
  disturbed = true;
  private readonly kept: MemoryKv;
  private readonly empty: () => MemoryKv;
  private memory: MemoryKv;
  private downUntil = 0;

  constructor(
    private readonly world: World,
    private readonly faults: Faults,
  ) {
    this.empty = () => new MemoryKv({ clock: { now: () => Math.floor(EPOCH + world.now) } });
    this.memory = this.kept = this.empty();
  }

  /** What there is, read without delay. */
  get now(): Kv {
    return this.memory;
  }

  /** Everything is forgotten. */
  lose(): void {
    this.world.trace("kv lost");
    this.memory = this.empty();
  }

  /** Nobody is answered for a while. */
  outage(ms: number): void {
    this.world.trace("kv down", Math.round(ms));
    this.downUntil = Math.max(this.downUntil, this.world.now + ms);
  }

  /** The server as one process sees it. */
  client(receiver: Receiver): Kv {
    const target = this.kept;
    return new Proxy<Kv>(target, {
      get: (_target, name: string) => {
        const known = (target as unknown as Record<string, Method | undefined>)[name];
        if (typeof known !== "function") return undefined;
        return (...args: never[]) =>
          this.request(receiver, () => {
            const { memory } = this as unknown as { memory: Record<string, Method> };
            return memory[name]?.(...args);
          });
      },
    });
  }

  private request(receiver: Receiver, run: () => Promise<unknown> | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let waiting = true;
      const answer = (settle: () => void): void =>
        receiver.deliver(() => {
          if (!waiting) return;
          waiting = false;
          cancel();
          settle();
        });
      const cancel = this.world.schedule(TIMEOUT_MS, () =>
        answer(() => reject(new Error("the key-value server did not answer"))),
      );
      this.world.schedule(this.delay(), () => {
        if (this.world.now < this.downUntil) return;
        const fate = this.disturbed ? this.world.random.float() : 1;
        if (fate < this.faults.kvFails / 2) return;
        const result = run();
        if (fate < this.faults.kvFails) return;
        this.world.schedule(this.delay(), () => answer(() => resolve(result)));
      });
    });
  }

  private delay(): number {
    const [low, high] = this.faults.kvMs;
    return this.world.random.between(low, this.disturbed ? high : 1);
  }
}
