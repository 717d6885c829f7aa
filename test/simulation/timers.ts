import { timerCommandId } from "../../lib/scheduling/due-scan";
import type { CollectionDefinition } from "../../lib/store/collection";
import { EPOCH } from "./life";
import type { Request } from "./messages";
import type { Oracle } from "./oracle";
import type { SimStore } from "./sim-store";
import type { World } from "./world";

/** Something that is to be said in a conversation at a time. */
export interface Timer {
  _id: string;
  conversationId: string;
  by: string;
  /** Wall-clock milliseconds. */
  dueAt: number;
}

export const TIMERS: CollectionDefinition = { name: "sayings", indexes: [{ fields: { dueAt: 1, _id: 1 } }] };

/** The same from every scheduler, however often it is given. */
export const requestOf = ({ conversationId, by, dueAt }: Timer): Request => ({
  conversationId,
  by,
  supervises: false,
  commandId: timerCommandId("say", dueAt),
  action: "send",
  params: { text: `at ${dueAt}` },
});

const PUNCTUAL_MS = 6_000;

/**
 * Effects of time.
 *
 * T  what was due is done, once, and soon when nothing is down
 */
export class Timers {
  private drawn = 0;
  private readonly planned: Timer[] = [];
  private readonly refused = new Set<string>();
  /** From when on, in simulated milliseconds, effects are to be punctual. */
  private punctualFrom = Infinity;

  constructor(
    private readonly world: World,
    private readonly oracle: Oracle,
    private readonly store: SimStore,
  ) {}

  /** Plans something to be said in a conversation of this user. */
  plan(userId: string): void {
    const { random, now } = this.world;
    const own = [...this.oracle.histories.keys()].filter((id) => this.oracle.standing(id, userId) !== "none");
    if (own.length === 0) return;
    const ahead = random.between(500, random.chance(0.1) ? 45_000 : 10_000);
    const dueAt = Math.floor(EPOCH + now + ahead);
    const timer = { _id: `timer${++this.drawn}`, conversationId: random.pick(own), by: userId, dueAt };
    this.world.trace("plan", timer._id, timer.conversationId, timer.dueAt);
    this.planned.push(timer);
    this.oracle.asks(requestOf(timer));
    void this.store.put(TIMERS, [timer]);
  }

  /** Whoever it was said for may not speak there any more. */
  refuse({ _id }: Timer): void {
    this.refused.add(_id);
  }

  /** From a while later on nothing is down. */
  calm(afterMs: number): void {
    this.punctualFrom = this.world.now + afterMs;
  }

  /** What is not done, and should be. */
  async wrong(): Promise<string | undefined> {
    const [open] = await this.store.durable.collection<Timer>(TIMERS).find({}, { sort: { dueAt: 1 }, limit: 1 });
    if (open) return `${open._id} of ${open.conversationId} is not done`;
    return this.planned.map((timer) => this.fault(timer)).find((fault) => fault !== undefined);
  }

  private fault(timer: Timer): string | undefined {
    const { commandId } = requestOf(timer);
    const { conversationId, by, dueAt } = timer;
    const made = this.oracle.events(conversationId).filter((event) => event.by === by && event.commandId === commandId);
    if (made.length === 0) return this.refused.has(timer._id) ? undefined : `${timer._id} left nothing behind`;
    const due = dueAt - EPOCH;
    const late = (made[0]?.at ?? 0) - dueAt;
    if (due > this.punctualFrom && late > PUNCTUAL_MS) this.oracle.fail("T", `${timer._id} was ${late} ms late`);
    return undefined;
  }
}
