import type { Static } from "@sinclair/typebox";
import { type HeadStart, type SessionState, totalOf } from "../../actors/conversation/conversation.session-state";
import type { Timer, TimerKind } from "../../actors/conversation/conversation.timers";
import { span } from "../../lib/span";
import type { PushExplanation } from "../agents/agents.internal";
import { isOpen, nextOpening } from "../topics/opening-hours";
import type { Topic } from "../topics/topic";
import type { explain } from "./queue.contract";

export type Explanation = Omit<Static<(typeof explain)["result"]>, "session">;

/** All that is known of where a session stands. Times are wall-clock milliseconds. */
export interface Standing {
  readonly session: SessionState;
  readonly topic: Topic;
  readonly now: number;
  /** Sessions of the topic before it; absent when it does not wait. */
  readonly ahead?: number;
  readonly push?: PushExplanation;
  readonly timer?: Timer;
}

const iso = (at: number): string => new Date(at).toISOString();

/** Why a session stands where it stands, and why it has the agent that it has. Pure. */
export function explanationOf(standing: Standing): Explanation {
  const { session, topic, now, ahead, push, timer } = standing;
  const opensAt = nextOpening(topic.hours, now);
  const open = isOpen(topic.hours, now);
  const { id, name, mode, skills } = topic;
  return {
    words: [
      ...queueWords(standing),
      open ? `The topic ${name} is open.` : closedWords(name, opensAt),
      ...agentWords(standing),
      ...timerWords(timer, now),
    ],
    headStart: { total: totalOf(session.headStart), ...session.headStart },
    ...(ahead !== undefined && { ahead }),
    topic: {
      id,
      name,
      mode,
      skills: [...skills],
      open,
      ...(!open && opensAt !== undefined && { opensAt: iso(opensAt) }),
    },
    ...(push && { push: pushOf(push) }),
    ...(timer && { timer: { kind: timer.kind, dueAt: iso(timer.dueAt) } }),
  };
}

function queueWords({ session, ahead, now, topic }: Standing): string[] {
  const { headStart, enteredAt, rank } = session;
  const total = totalOf(headStart);
  const parts = partsOf(headStart).map(([ms, why]) => `${span(ms)} ${why}`);
  const start = total === 0 ? "without a head start" : `with a head start of ${span(total)}: ${parts.join(", ")}`;
  const words = [`It entered the queue at ${iso(enteredAt)}, ${start}.`, `So its rank is ${rank}, ${iso(rank)}.`];
  if (ahead === undefined) return words;
  const before = ahead === 1 ? "1 session of the topic is" : `${ahead} sessions of the topic are`;
  return [...words, `It has waited for ${span(Math.max(0, now - enteredAt))}; ${before} before it in ${topic.name}.`];
}

const partsOf = ({ class: ofClass, keyword, rule, tier, hint }: HeadStart): Array<[number, string]> =>
  (
    [
      [ofClass, "for the topic's urgency"],
      [keyword, `for the keyword rule ${rule ?? ""}`.trimEnd()],
      [tier, "for the customer's tier"],
      [hint, "for the urgency asked for"],
    ] as const
  ).flatMap(([ms, why]) => (ms === undefined || ms === 0 ? [] : [[ms, why]]));

const closedWords = (name: string, opensAt: number | undefined): string =>
  opensAt === undefined
    ? `The topic ${name} is closed and will not open again.`
    : `The topic ${name} is closed until ${iso(opensAt)}.`;

function agentWords({ session, push, topic }: Standing): string[] {
  const { agentId, attendedAt, formerAgentId, status } = session;
  if (agentId === undefined) {
    if (push) return [`It is not pushed to anybody yet: ${push.reason}.`];
    return topic.mode === "pull" && status !== "closed" ? ["An agent has to claim it."] : [];
  }
  const how = howOf(session, agentId, push);
  if (attendedAt !== undefined) return [how];
  const wanted = formerAgentId === undefined ? "opened it" : "taken it up";
  return [how, `${agentId} has not ${wanted} yet.`];
}

function howOf(
  { via = "claim", assignedAt = 0, enteredAt, formerAgentId }: SessionState,
  agentId: string,
  push: PushExplanation | undefined,
): string {
  const after = `${span(Math.max(0, assignedAt - enteredAt))} after it entered`;
  switch (via) {
    case "claim":
      return `${agentId} claimed it ${after}.`;
    case "takeover":
      return `${agentId} took it over ${after}.`;
    case "transfer":
      return `${formerAgentId ?? "Somebody"} transferred it to ${agentId} ${after}.`;
    case "push":
      return `It was pushed to ${agentId} ${after}${push ? `: ${push.reason}` : ""}.`;
  }
}

const EFFECTS: Readonly<Record<TimerKind, string>> = {
  attend: "it goes back to the queue unless the agent attends to it",
  accept: "it goes back to who transferred it unless it is taken up",
  warn: "the customer is warned of the silence",
  expire: "it is closed for silence",
  closing: "it begins to close",
  "no-show": "it is closed as a no-show",
};

const timerWords = (timer: Timer | undefined, now: number): string[] =>
  timer ? [`In ${span(Math.max(0, timer.dueAt - now))}, at ${iso(timer.dueAt)}, ${EFFECTS[timer.kind]}.`] : [];

const pushOf = ({ reason, at, judgements }: PushExplanation): NonNullable<Explanation["push"]> => ({
  reason,
  at,
  agents: judgements.map(({ agentId, verdict, load, capacity }) => ({ agentId, verdict, load, capacity })),
});
