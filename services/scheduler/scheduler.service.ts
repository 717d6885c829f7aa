import { DomainService, InternalAction, OnEvent, Service } from "../../lib/decorators";
import { MemoryKv } from "../../lib/kv/memory";
import { lifecycleOf } from "../../lib/lifecycle";
import { Lease } from "../../lib/scheduling/lease";
import { Scheduler } from "../../lib/scheduling/scheduler";
import { StoreLeases } from "../../lib/scheduling/store-leases";
import { StoreTurnMemory } from "../../lib/scheduling/turn-memory";
import { publishersOf } from "../publishers";
import type { SchedulerInternal } from "./scheduler.internal";
import { deliveryJob, jobsOf } from "./scheduler.jobs";
import { jobProbe } from "./scheduler.metrics";

type Jobs = SchedulerInternal["scheduler.jobs"]["result"];

/** Timed work, run by one node of the cluster at a time. */
@Service({ name: "scheduler" })
export default class SchedulerService extends DomainService {
  declare scheduler: Scheduler;
  declare deliveries: readonly string[];

  created(): void {
    const { store, clock, random } = this.resources;
    const jobs = jobsOf(this.broker);
    const probe = jobProbe(this.broker, jobs, () => this.scheduler);
    const ports = { clock, random, lease: this.makeLease(), memory: new StoreTurnMemory(store), probe };
    this.scheduler = new Scheduler(jobs, ports);
    this.deliveries = publishersOf(this.broker).map(({ name }) => deliveryJob(name));
    lifecycleOf(this.broker).onDrain(() => this.scheduler.stop());
  }

  started(): void {
    // Its jobs call services of this node, too, which may start later.
    lifecycleOf(this.broker).onReady(() => this.scheduler.start());
  }

  stopped(): Promise<void> {
    return this.scheduler.stop();
  }

  @InternalAction("jobs")
  jobs(): Promise<Jobs> {
    const { holds } = this.scheduler;
    return Promise.resolve({ node: this.broker.nodeID, holds, jobs: this.scheduler.list() });
  }

  @OnEvent("outbox.added")
  deliverNow(): void {
    for (const job of this.deliveries) this.scheduler.nudge(job);
  }

  /** In the store, which outlives Redis; where nobody shares the store, nobody else can want the lease. */
  private makeLease(): Lease {
    const { store, clock, monotonic, random, sole } = this.resources;
    return new Lease({
      leases: sole ? new MemoryKv({ clock }) : new StoreLeases(store, monotonic),
      name: "scheduler",
      holder: `${this.broker.nodeID}/${random.id()}`,
      clock,
      monotonic,
      onError: (error) => this.logger.warn("the scheduler's lease could not be kept", { error }),
    });
  }
}
