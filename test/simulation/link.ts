import type { WireEvent } from "../../services/schemas";
import type { Faults } from "./faults";
import type { IoNode } from "./io-node";
import type { World } from "./world";

/** The client's end of a connection. */
export interface LinkEnd {
  readonly userId: string;
  frame(events: readonly WireEvent[]): void;
  closed(): void;
}

/** Milliseconds after which a client no longer believes in a silent server. */
const SILENCE_MS = 3_000;

/**
 * One client's connection to one io node: in order and whole for as long as it lasts, in both directions. What is under
 * way when it breaks is lost, and each side learns of it in its own time.
 */
export class Link {
  up = true;
  private toServerAt = 0;
  private toClientAt = 0;

  constructor(
    private readonly world: World,
    private readonly faults: Faults,
    readonly id: string,
    private readonly client: LinkEnd,
    readonly io: IoNode,
    readonly token: string,
  ) {
    this.toServer(() => {
      if (this.io.accepts) this.io.connect(this);
      else this.break();
    });
  }

  get userId(): string {
    return this.client.userId;
  }

  toServer(arrive: () => void): void {
    this.toServerAt = Math.max(this.toServerAt, this.world.now + this.delay()) + 0.001;
    this.world.schedule(this.toServerAt - this.world.now, () => {
      if (this.up) this.io.life.deliver(() => this.up && arrive());
    });
  }

  toClient(events: readonly WireEvent[]): void {
    this.answer(() => this.client.frame(events));
  }

  /** Runs at the client, after everything sent before. */
  answer(arrive: () => void): void {
    this.toClientAt = Math.max(this.toClientAt, this.world.now + this.delay()) + 0.001;
    this.world.schedule(this.toClientAt - this.world.now, () => {
      if (this.up) arrive();
    });
  }

  break(): void {
    if (!this.up) return;
    this.up = false;
    this.world.trace("break", this.id);
    const { random } = this.world;
    this.world.schedule(random.logBetween(1, SILENCE_MS), () => this.io.life.deliver(() => this.io.disconnect(this)));
    this.world.schedule(random.logBetween(1, SILENCE_MS), () => this.client.closed());
  }

  private delay(): number {
    const [low, high] = this.faults.networkMs;
    return this.world.random.between(low, high);
  }
}
