import type { StoredEvent } from "../../actors/conversation/conversation.events";
import { OutboxDelivery } from "../../lib/outbox/delivery";
import { type OutboxRow, OutboxStore } from "../../lib/outbox/outbox.store";
import type { Publisher } from "../../lib/outbox/publisher";
import { isParleyError } from "../../lib/errors";
import { DueScan } from "../../lib/scheduling/due-scan";
import type { Job } from "../../lib/scheduling/job";
import { Lease } from "../../lib/scheduling/lease";
import { Scheduler } from "../../lib/scheduling/scheduler";
import { StoreLeases } from "../../lib/scheduling/store-leases";
import { StoreTurnMemory } from "../../lib/scheduling/turn-memory";
import type { Store } from "../../lib/store/collection";
import { callRoom } from "../../services/room/room.internal";
import { timersJobOn } from "../../services/scheduler/timers.job";
import { TimerStore } from "../../services/timers";
import type { Life } from "./life";
import { toCommand } from "./messages";
import type { Network, Peer } from "./network";
import { SimBroker } from "./sim-broker";
import { requestOf, type Timer, TIMERS } from "./timers";

/** Wants every message, with what is needed to know it again. */
export const WANTED: Pick<Publisher<StoredEvent>, "name" | "wants"> = {
  name: "sim",
  wants: ({ type, _id, conversationId, seq }) =>
    type === "message.created" ? { id: _id, conversationId, seq } : undefined,
};

const DELIVER_MS = 1_000;
const SWEEP_MS = 5_000;
const TIMERS_MS = 500;
const COMMAND_MS = 5_000;

export interface SchedulerOptions {
  readonly life: Life;
  readonly store: Store;
  readonly network: Network;
  /** A row arrives where it was to be delivered; rejects when it was refused. Absent where nobody wants to know. */
  readonly receive?: (row: OutboxRow) => Promise<void>;
  /** A timer's effect was refused for good. */
  readonly onRefused: (timer: Timer) => void;
  /** Presence is kept. */
  readonly presence: boolean;
  /** Time does things to sessions. */
  readonly timed: boolean;
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
    const monotonic = (): number => life.world.now;
    const leases = new StoreLeases(store, monotonic);
    this.lease = new Lease({ leases, name: "scheduler", holder: life.incarnation, clock: life, monotonic });
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
    const { receive, presence, timed } = this.options;
    const jobs = [this.timers(), this.sweep("marks.sweep", "room.sweep", { of: "marks" })];
    if (presence) jobs.push(this.sweep("presence.sweep", "presence.sweep", {}));
    if (receive) jobs.push(this.delivery(receive));
    if (timed) jobs.push(this.sessions());
    return jobs;
  }

  private sessions(): Job {
    const { life, store } = this.options;
    const probe = { looked: () => undefined, acted: () => undefined, failed: () => undefined };
    const timers = new TimerStore(store, life, life);
    return timersJobOn({ caller: this.broker, timers, clock: life, monotonic: () => life.world.now, probe });
  }

  private sweep(name: string, action: string, params: object): Job {
    const run = async (): Promise<void> => void (await this.broker.call(action, params, { timeout: 30_000 }));
    return { name, schedule: { everyMs: SWEEP_MS }, limitMs: 30_000, run };
  }

  private timers(): Job {
    const { life, store } = this.options;
    const scan = new DueScan<Timer>({
      collection: store.collection<Timer>(TIMERS),
      field: "dueAt",
      act: (timer) => this.say(timer),
      clock: life,
      monotonic: () => life.world.now,
    });
    return { name: "timers", schedule: { everyMs: TIMERS_MS }, limitMs: 30_000, run: (turn) => scan.run(turn) };
  }

  private async say(timer: Timer): Promise<void> {
    const { life, store, onRefused } = this.options;
    const deadline = life.now() + COMMAND_MS;
    const params = { conversationId: timer.conversationId, command: toCommand(requestOf(timer), deadline) };
    try {
      await callRoom(this.broker, "room.command", params, { timeout: COMMAND_MS });
    } catch (error) {
      if (!isParleyError(error) || error.retryable) throw error;
      onRefused(timer);
    }
    await store.collection<Timer>(TIMERS).deleteMany({ _id: timer._id });
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
