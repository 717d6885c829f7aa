import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { OutboxRow } from "../../lib/outbox/outbox.store";
import type { Oracle } from "./oracle";
import { type SchedulerNode, WANTED } from "./scheduler-node";
import type { World } from "./world";

const LOOK_MS = 50;

/**
 * What the outside gets to know, and who tells it.
 *
 * L  no two schedulers believe at the same time that they hold the lease
 * O  what is delivered is durable; every message is delivered, at least once
 */
export class Deliveries {
  /** Some deliveries are refused. */
  disturbed = true;
  private readonly received = new Set<string>();

  constructor(
    private readonly world: World,
    private readonly oracle: Oracle,
    private readonly schedulers: () => readonly SchedulerNode[],
    private readonly refused: number,
  ) {}

  /** Looks at who believes what, from now on. */
  watch(): void {
    const holders = this.schedulers().filter(({ lease }) => lease.held !== undefined);
    if (holders.length > 1)
      this.oracle.fail("L", `${holders.map(({ life }) => life.incarnation).join(" and ")} hold one lease`);
    this.world.schedule(LOOK_MS, () => this.watch());
  }

  /** A row arrives. @throws when it is refused */
  receive(row: OutboxRow): Promise<void> {
    const { id, conversationId, seq } = row.payload as { id: string; conversationId: string; seq: number };
    this.world.trace("delivered", row._id);
    if (this.oracle.events(conversationId)[seq - 1]?._id !== id)
      this.oracle.fail("O", `${row._id} was delivered and is not in the log`);
    if (this.disturbed && this.world.random.chance(this.refused)) return Promise.reject(new Error("refused"));
    this.received.add(id);
    return Promise.resolve();
  }

  /** A message that is still to be delivered. */
  missing(): StoredEvent | undefined {
    for (const { events } of this.oracle.histories.values())
      for (const event of events) if (WANTED.wants(event) !== undefined && !this.received.has(event._id)) return event;
    return undefined;
  }
}
