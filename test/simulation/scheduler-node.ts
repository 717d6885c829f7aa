import type { StoredEvent } from "../../actors/conversation/conversation.events";
import { OutboxDelivery } from "../../lib/outbox/delivery";
import { type OutboxRow, OutboxStore } from "../../lib/outbox/outbox.store";
import type { Publisher } from "../../lib/outbox/publisher";
import type { Job } from "../../lib/scheduling/job";
import { Lease } from "../../lib/scheduling/lease";
import { Scheduler } from "../../lib/scheduling/scheduler";
import { StoreLeases } from "../../lib/scheduling/store-leases";
import { StoreTurnMemory } from "../../lib/scheduling/turn-memory";
import type { Store } from "../../lib/store/collection";
import type { Life } from "./life";
import type { Peer } from "./network";

/** Wants every message, with what is needed to know it again. */
export const WANTED: Pick<Publisher<StoredEvent>, "name" | "wants"> = {
  name: "sim",
  wants: ({ type, _id, conversationId, seq }) =>
    type === "message.created" ? { id: _id, conversationId, seq } : undefined,
};

const DELIVER_MS = 1_000;

/** A process that delivers the outbox: the product's own scheduler, lease and delivery, on a simulated store. */
export class SchedulerNode implements Peer {
  readonly kind = "scheduler";
  readonly life: Life;
  readonly lease: Lease;
  private readonly scheduler: Scheduler;

  /** @param receive a row arrives where it was to be delivered; rejects when it was refused */
  constructor(life: Life, store: Store, receive: (row: OutboxRow) => Promise<void>) {
    this.life = life;
    const stopwatch = { now: (): number => life.world.now };
    const leases = new StoreLeases(store, stopwatch);
    this.lease = new Lease({ leases, name: "scheduler", holder: life.incarnation, clock: life, stopwatch });
    const publisher = { name: WANTED.name, deliver: receive };
    const silent = { delivered: () => undefined, failed: () => undefined, died: () => undefined };
    const rows = new OutboxStore(store);
    const delivery = new OutboxDelivery({ publisher, rows, clock: life, random: life, probe: silent });
    const job: Job = {
      name: "outbox",
      schedule: { everyMs: DELIVER_MS },
      limitMs: 30_000,
      run: (turn) => delivery.run(turn),
    };
    const probe = { began: () => undefined, failed: () => undefined };
    const memory = new StoreTurnMemory(store);
    this.scheduler = new Scheduler([job], { clock: life, random: life, lease: this.lease, memory, probe });
  }

  start(): void {
    this.scheduler.start();
  }
}
