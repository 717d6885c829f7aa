import { DEFAULT_RULES, type Desk } from "../../actors/conversation/conversation.session-state";
import { nextTimer } from "../../actors/conversation/conversation.timers";
import { EPOCH } from "./life";
import type { Oracle } from "./oracle";
import type { World } from "./world";

const PUNCTUAL_MS = 6_000;

/**
 * The timed life of sessions. That each effect is what the rules make of its timer, and there once, the oracle knows.
 *
 * T  whatever is due happens, and soon when nothing is down
 */
export class TimedSessions {
  /** From when on, in simulated wall-clock milliseconds, effects are to be punctual. */
  private punctualFrom = Infinity;

  constructor(
    private readonly world: World,
    private readonly oracle: Oracle,
  ) {}

  /** Rules of a topic: some of what there is, in reach of a history. */
  desk(): Desk {
    const { random } = this.world;
    const span = (): number => Math.floor(random.logBetween(1_000, 30_000));
    const some = (name: "attendMs" | "acceptMs" | "warnMs" | "expireMs") =>
      random.chance(0.6) ? { [name]: span() } : {};
    const limits = { ...some("attendMs"), ...some("acceptMs"), ...some("warnMs"), ...some("expireMs") };
    const ends = random.chance(0.3) ? { closingMs: span(), noShowMs: 2 * span() } : {};
    return { headStart: { class: 0 }, rules: { ...DEFAULT_RULES, ...limits, ...ends } };
  }

  /** From a while later on nothing is down. */
  calm(afterMs: number): void {
    this.punctualFrom = EPOCH + this.world.now + afterMs;
  }

  /** What should have happened. */
  wrong(): string | undefined {
    const now = EPOCH + this.world.now;
    for (const [id, { events }] of this.oracle.histories) {
      const timer = nextTimer(this.oracle.state(id));
      if (timer && timer.dueAt < now) return `${timer.kind} of ${id} is due since ${now - timer.dueAt} ms`;
      for (const { by, at, commandId } of events) {
        const dueAt = Number(commandId.split(":")[2]);
        if (by === "system" && dueAt > this.punctualFrom && at - dueAt > PUNCTUAL_MS)
          this.oracle.fail("T", `${commandId} of ${id} happened ${at - dueAt} ms late`);
      }
    }
    return undefined;
  }
}
