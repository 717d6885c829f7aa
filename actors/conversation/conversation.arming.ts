import type { Clock } from "../../lib/actor/ports";
import type { ConversationCommand } from "./conversation.commands";
import type { StoredEvent } from "./conversation.events";
import type { Publishing } from "./conversation.projector";
import { DEFAULT_RULES, type SessionRules } from "./conversation.session-state";
import type { ConversationState } from "./conversation.state";
import { lastHeardOf, nextTimer } from "./conversation.timers";

/** Whoever looks at a conversation when one of its timers may be due. */
export interface Alarm {
  /** Resolves when it is durable that the conversation is looked at at this wall-clock millisecond, or before. */
  arm(conversationId: string, dueAt: number): Promise<void>;
}

/**
 * When the event of a command could make something due that is not due that early without it; undefined when it cannot.
 * Never later than it will be for an event decided on this state at `now` or after, in wall-clock milliseconds. Pure.
 */
export function armedFor(state: ConversationState, command: ConversationCommand, now: number): number | undefined {
  const { session } = state;
  if (command.action === "open") return state.seq === 0 ? now + shortest(command.params.desk?.rules) : undefined;
  if (!session) return undefined;
  const { rules, status } = session;
  switch (command.action) {
    case "reopen":
      return status === "closed" ? now + shortest(command.params.desk?.rules ?? rules) : undefined;
    case "importOpen":
      return status === "closed" ? now + shortest(rules) : undefined;
    case "claim":
    case "push": {
      const taken = session.agentId !== undefined && !(command.action === "claim" && command.params.takeover);
      return taken || status === "closed" ? undefined : after(now, [rules.attendMs]);
    }
    case "transfer":
      if (status === "closed") return undefined;
      if (command.params.to.topic === undefined) return after(now, [rules.acceptMs, rules.attendMs]);
      return nextTimer({ ...state, session: { ...session, rules: command.params.desk?.rules ?? DEFAULT_RULES } })
        ?.dueAt;
    case "send":
      return revivesWarning(state, command) ? after(now, [rules.warnMs]) : undefined;
    default:
      return undefined;
  }
}

/** Once warned of silence, the customer is warned again only of a silence after somebody has spoken. */
function revivesWarning(state: ConversationState, { params }: ConversationCommand<"send">): boolean {
  const { session } = state;
  if (session?.warnedAt === undefined || session.status === "closed" || params.audience === "staff") return false;
  return session.warnedAt >= lastHeardOf(state, session);
}

const shortest = ({ noShowMs, closingMs, expireMs, warnMs }: SessionRules = DEFAULT_RULES): number =>
  Math.min(noShowMs, closingMs, expireMs ?? Infinity, warnMs ?? Infinity);

function after(now: number, spans: ReadonlyArray<number | undefined>): number | undefined {
  const known = spans.filter((span) => span !== undefined);
  return known.length > 0 ? now + Math.min(...known) : undefined;
}

/**
 * Arms timers before the events that need them are decided. What is armed for the past would be looked at before the
 * event is there.
 */
export class Arming {
  constructor(
    private readonly alarm: Alarm,
    private readonly clock: Pick<Clock, "now">,
  ) {}

  /** Undefined when the command needs nothing armed. */
  before(state: ConversationState, command: ConversationCommand): Promise<void> | undefined {
    const now = this.clock.now();
    const dueAt = armedFor(state, command, now);
    return dueAt === undefined ? undefined : this.alarm.arm(state.id, Math.max(dueAt, now + AHEAD_MS));
  }

  /**
   * Publishes, and has the conversations looked at whose events became durable so late that what was armed for them may
   * have been looked at in vain: an insert of unknown outcome, or of a node that ended.
   */
  publishing(inner?: Publishing): Publishing {
    const isLate = (event: StoredEvent): boolean => !isImported(event) && this.clock.now() - event.at > LATE_MS;
    return {
      wants: (event) => isLate(event) || inner?.wants(event) === true,
      publish: async (events) => {
        const late = new Set(events.filter(isLate).map(({ conversationId }) => conversationId));
        await Promise.all([...late].map((id) => this.alarm.arm(id, this.clock.now())));
        await inner?.publish(events.filter((event) => inner.wants(event)));
      },
    };
  }
}

/** Its time is that of another place. */
const isImported = ({ type, data }: StoredEvent): boolean => type === "session.imported" || "imported" in data;

const AHEAD_MS = 1_000;
/** Whoever looks in vain soon after something was armed looks again two minutes after that. */
const LATE_MS = 60_000;
