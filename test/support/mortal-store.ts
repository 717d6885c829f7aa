import type { Collection, CollectionDefinition, Document, Store } from "../../lib/store/collection";

/** One node's access to a store that others use too: it can end at any moment, and closing it closes only that. */
export class MortalStore implements Store {
  private dead = false;
  private readonly waiting: Array<() => void> = [];

  constructor(private readonly inner: Store) {}

  /** From now on nothing is answered, and nothing is begun. What was begun may still happen. */
  die(): void {
    this.dead = true;
  }

  /** What waited goes on. */
  revive(): void {
    this.dead = false;
    for (const resume of this.waiting.splice(0)) resume();
  }

  collection<T extends Document>(definition: CollectionDefinition): Collection<T> {
    const inner = this.inner.collection<T>(definition);
    const alive = this.alive.bind(this);
    return new Proxy(inner, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return async (...given: unknown[]): Promise<unknown> => {
          await alive();
          const answer: unknown = await (value as (...args: unknown[]) => Promise<unknown>).apply(target, given);
          await alive();
          return answer;
        };
      },
    });
  }

  async ping(): Promise<void> {
    await this.alive();
    return this.inner.ping();
  }

  async close(): Promise<void> {}

  private async alive(): Promise<void> {
    if (this.dead) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}
