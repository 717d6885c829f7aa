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
import { callRoom } from "../../services/room/room.internal";
import type { Life } from "./life";
import type { Network, Peer } from "./network";
import { SimBroker } from "./sim-broker";

/** Wants every message, with what is needed to know it again. */
export const WANTED: Pick<Publisher<StoredEvent>, "name" | "wants"> = {
  name: "sim",
  wants: ({ type, _id, conversationId, seq }) =>
    type === "message.created" ? { id: _id, conversationId, seq } : undefined,
};

const DELIVER_MS = 1_000;
const SWEEP_MS = 5_000;

export interface SchedulerOptions {
  readonly life: Life;
  readonly store: Store;
  readonly network: Network;
  /** A row arrives where it was to be delivered; rejects when it was refused. Absent where nobody wants to know. */
  readonly receive?: (row: OutboxRow) => Promise<void>;
}

/** A process that runs jobs: the product's own scheduler, lease and delivery, on a simulated store and broker. */
export class SchedulerNode implements Peer {
  readonly kind = "scheduler";
  readonly life: Life;
  readonly broker: SimBroker;
  readonly lease: Lease;
  private readonly scheduler: Scheduler;

  constructor(private readonly options: SchedulerOptions) {
    const { life, store, network } = options;
    this.life = life;
    this.broker = new SimBroker({ life, kind: this.kind, network, actions: {}, misroutes: () => false });
    const stopwatch = { now: (): number => life.world.now };
    const leases = new StoreLeases(store, stopwatch);
    this.lease = new Lease({ leases, name: "scheduler", holder: life.incarnation, clock: life, stopwatch });
    const probe = { began: () => undefined, failed: () => undefined };
    const memory = new StoreTurnMemory(store);
    this.scheduler = new Scheduler(this.jobs(), { clock: life, random: life, lease: this.lease, memory, probe });
  }

  start(): void {
    this.scheduler.start();
  }

  /** SIGTERM. Resolves when the process would end. */
  async drain(): Promise<void> {
    this.life.world.trace("drain", this.life.incarnation);
    await this.scheduler.stop();
    this.options.network.leave(this);
  }

  private jobs(): Job[] {
    const sweep: Job = {
      name: "marks.sweep",
      schedule: { everyMs: SWEEP_MS },
      limitMs: 30_000,
      run: async () => void (await callRoom(this.broker, "room.sweep", { of: "marks" }, { timeout: 30_000 })),
    };
    return this.options.receive ? [sweep, this.delivery(this.options.receive)] : [sweep];
  }

  private delivery(receive: (row: OutboxRow) => Promise<void>): Job {
    const { life, store } = this.options;
    const publisher = { name: WANTED.name, deliver: receive };
    const silent = { delivered: () => undefined, failed: () => undefined, died: () => undefined };
    const rows = new OutboxStore(store);
    const delivery = new OutboxDelivery({ publisher, rows, clock: life, random: life, probe: silent });
    return {
      name: "outbox",
      schedule: { everyMs: DELIVER_MS },
      limitMs: 30_000,
      run: (turn) => delivery.run(turn),
    };
  }
}
