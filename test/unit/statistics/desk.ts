import { toSnapshot } from "../../../actors/conversation/conversation.snapshot";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { nextTimer } from "../../../actors/conversation/conversation.timers";
import { systemIdAt } from "../../../lib/actor/system";
import { MemoryStore } from "../../../lib/store/memory";
import type { Store } from "../../../lib/store/collection";
import type { AuditPorts, Findings } from "../../../services/statistics/audit/anomalies";
import { auditStep, FIRST } from "../../../services/statistics/audit/desk-audit";
import { FactsStore } from "../../../services/statistics/facts.store";
import { bringUp } from "../../../services/statistics/folding";
import { TimerStore } from "../../../services/timers";
import { SeededRandom, VirtualClock } from "../../support/virtual-clock";
import { command, World } from "../conversation/world";

/** A desk whose sessions are as they should be, until a test breaks something. */
export class Desk {
  readonly clock = new VirtualClock();
  readonly log: ConversationStore;
  readonly facts: FactsStore;
  readonly timers: TimerStore;
  readonly world = new World();
  private cursors = FIRST;
  private written = 0;
  private readonly ports: AuditPorts;

  constructor(store: Store = new MemoryStore()) {
    this.log = new ConversationStore(store);
    this.facts = new FactsStore(store);
    this.timers = new TimerStore(store, this.clock, new SeededRandom("timers"));
    this.ports = {
      log: this.log,
      facts: this.facts,
      topics: () => Promise.resolve([]),
      timers: this.timers,
      clock: this.clock,
      agents: (after) => Promise.resolve(after < "ada" ? [{ id: "ada", capacity: 2 }] : []),
    };
    this.world.pass(this.clock.now());
  }

  give(id: string, ...asked: ReadonlyArray<Parameters<typeof command>>): void {
    for (const [by, action, params] of asked) {
      const ended = this.world.give(id, command(by, action, params));
      if (typeof ended !== "object" || !("event" in ended)) throw new Error(`${action}: ${JSON.stringify(ended)}`);
    }
  }

  /** All of it becomes durable and is projected, but for what is left out. */
  async settle(id: string, without: { facts?: true; timer?: true; snapshot?: true } = {}): Promise<void> {
    await this.store(id, 0);
    const state = this.world.state(id);
    if (!without.snapshot) await this.log.conversations.insertMany([toSnapshot(state)]);
    if (!without.facts) await bringUp(this.ports, id);
    const timer = nextTimer(state);
    if (timer && !without.timer) await this.timers.keep(id, timer.dueAt);
  }

  /** What a conversation's log has from this place on becomes durable. */
  async store(id: string, from: number): Promise<void> {
    const events = this.world.log(id).slice(from);
    await this.log.insert(events.map((event) => ({ ...event, _id: this.idAt(event.at) }) as StoredEvent));
  }

  async audit(): Promise<Findings> {
    const { cursors, findings } = await auditStep(this.ports, this.cursors);
    this.cursors = cursors;
    return findings;
  }

  private idAt(at: number): string {
    return `${systemIdAt(at)}${String(++this.written).padStart(8, "0")}`;
  }
}
