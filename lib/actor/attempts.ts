import type { Peers } from "./peers";
import type { Clock } from "./ports";

/** The node was found lost, or lost its store, while it was asked: what it was asked may have run. */
export class LostNodeError extends Error {
  override readonly name = "LostNodeError";
  /** As Moleculer says it of a node that left. */
  readonly type = "REQUEST_REJECTED";
  readonly code = 503;
  readonly retryable = true;
  constructor(readonly nodeID: string) {
    super("the node is lost");
  }
}

interface Attempt {
  readonly node: string;
  readonly needsStore: boolean;
  suspectAt: number;
  readonly abandon: () => void;
}

/**
 * Watches what is under way at other nodes: one that lets a caller wait is pinged, again and again, so that a dead
 * node is passed over long before it leaves the registry.
 */
export class Attempts {
  private readonly open = new Set<Attempt>();
  private looking = false;

  constructor(
    private readonly clock: Clock,
    private readonly peers: Peers,
  ) {
    peers.onLoss((node, loss) => this.abandon(node, ({ needsStore }) => needsStore || loss === "life"));
  }

  /** Settles as `answer` does. @throws LostNodeError as soon as the node is found lost */
  watch<T>(node: string, needsStore: boolean, answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const abandon = (): void => reject(new LostNodeError(node));
      const attempt: Attempt = { node, needsStore, suspectAt: this.clock.now() + PATIENCE_MS, abandon };
      this.open.add(attempt);
      if (!this.looking) this.lookLater();
      answer.then(
        (value) => {
          this.open.delete(attempt);
          resolve(value);
        },
        (error: unknown) => {
          this.open.delete(attempt);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  private lookLater(): void {
    this.looking = true;
    this.clock.setTimeout(() => {
      this.looking = false;
      this.look();
      if (this.open.size > 0) this.lookLater();
    }, LOOK_MS);
  }

  private look(): void {
    const now = this.clock.now();
    const silent = new Set<string>();
    for (const attempt of this.open) {
      if (attempt.suspectAt > now) continue;
      attempt.suspectAt = now + AGAIN_MS;
      silent.add(attempt.node);
    }
    for (const node of silent) void this.suspect(node);
  }

  private async suspect(node: string): Promise<void> {
    if (!(await this.peers.suspect(node))) this.abandon(node, () => true);
  }

  private abandon(node: string, which: (attempt: Attempt) => boolean): void {
    for (const attempt of [...this.open]) {
      if (attempt.node !== node || !which(attempt)) continue;
      this.open.delete(attempt);
      attempt.abandon();
    }
  }
}

/** A call that takes longer than this makes its node suspect. */
const PATIENCE_MS = 300;
const AGAIN_MS = 1_000;
const LOOK_MS = 100;
