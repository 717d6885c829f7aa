import type { ClusterNode } from "../support/cluster-node";

const EVERY_MS = 500;
const ANSWER_MS = 400;

/** The text of a node's metrics; empty when it does not answer. */
export const metricsOf = ({ url }: ClusterNode, timeoutMs = ANSWER_MS): Promise<string> =>
  fetch(`${url}/metrics`, { signal: AbortSignal.timeout(timeoutMs) }).then(
    (answer) => answer.text(),
    () => "",
  );

/** The value of a metric without labels; undefined when it is not there. */
export function valueOf(text: string, name: string): number | undefined {
  const found = new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Sums counters over nodes and over all their lives; what a node counted just before it was killed is not seen. */
export class Counters {
  private readonly last = new Map<string, number>();
  private readonly totals = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;

  constructor(
    private readonly nodes: readonly ClusterNode[],
    private readonly names: readonly string[],
  ) {}

  start(): this {
    this.timer = setInterval(() => void this.look(), EVERY_MS);
    return this;
  }

  /** Looks a last time. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
    await this.look();
  }

  total(name: string): number {
    return this.totals.get(name) ?? 0;
  }

  look(): Promise<void> {
    this.looking ??= Promise.all(this.nodes.map((node) => this.lookAt(node))).then(
      () => (this.looking = undefined),
      () => (this.looking = undefined),
    );
    return this.looking;
  }

  private async lookAt(node: ClusterNode): Promise<void> {
    const text = await metricsOf(node);
    for (const name of this.names) {
      const value = valueOf(text, name);
      if (value === undefined) continue;
      const key = `${node.id} ${name}`;
      const before = this.last.get(key) ?? 0;
      // A counter that went back belongs to a new life.
      this.totals.set(name, this.total(name) + (value < before ? value : value - before));
      this.last.set(key, value);
    }
  }
}
