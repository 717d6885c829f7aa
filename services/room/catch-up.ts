import type { CallingOptions, ServiceBroker } from "moleculer";
import { fittingSync, type SyncAnswer } from "../../actors/conversation/conversation.reader";
import type { Caller } from "../../lib/call";
import { isParleyError, ParleyError } from "../../lib/errors";
import { routingOf } from "../../lib/routing";
import { callRoom } from "./room.internal";

const ACTION = "room.catchUp";

/** Tells the home of a conversation, as this broker sees it now. */
export const homesOf =
  (broker: ServiceBroker) =>
  (conversationId: string): string | undefined =>
    broker.transit ? routingOf(broker).routerOf(ACTION).home(conversationId) : undefined;

type Cursors = Readonly<Record<string, number>>;

/** What a sync came to. */
export type CaughtUp = Omit<SyncAnswer, "unread">;

/**
 * What a user has missed: each conversation is asked of its home, those of one home together. What cannot be read now
 * is left out, with `more`; when there is nothing else to say, the call fails.
 * @param homeOf  the home of a conversation, as far as it is known: a wrong one costs time only
 * @throws ParleyError TOO_BUSY
 */
export async function catchUp(
  caller: Caller,
  homeOf: (conversationId: string) => string | undefined,
  cursors: Cursors,
  options?: CallingOptions,
): Promise<CaughtUp> {
  const asked = groups(cursors, homeOf).map((group) => askHome(caller, group, options));
  const { unread, ...answer } = merge(await Promise.all(asked));
  if (unread.length === 0) return answer;
  if (answer.events.length === 0 && answer.reset.length === 0) throw new ParleyError("TOO_BUSY");
  return { ...answer, more: true };
}

/** `catchUp` in one message: of what does not fit, the client is told to ask again. */
export async function catchUpInOne(...asked: Parameters<typeof catchUp>): Promise<CaughtUp> {
  const { unread, ...answer } = fittingSync({ ...(await catchUp(...asked)), unread: [] });
  return answer;
}

function groups(
  cursors: Cursors,
  homeOf: (conversationId: string) => string | undefined,
): Array<Record<string, number>> {
  const byHome = new Map<string | undefined, Record<string, number>>();
  for (const [conversationId, cursor] of Object.entries(cursors)) {
    const home = homeOf(conversationId);
    // Without a prototype: a conversation may be asked for by any name.
    const group = byHome.get(home) ?? (Object.create(null) as Record<string, number>);
    group[conversationId] = cursor;
    byHome.set(home, group);
  }
  return [...byHome.values()];
}

async function askHome(caller: Caller, cursors: Cursors, options?: CallingOptions): Promise<SyncAnswer> {
  const ids = Object.keys(cursors);
  try {
    return await callRoom(caller, ACTION, { at: ids[0] ?? "", cursors: { ...cursors } }, options);
  } catch (error) {
    if (!isParleyError(error) || !error.retryable) throw error;
    return { events: [], reset: [], more: false, complete: {}, unread: ids };
  }
}

function merge(answers: readonly SyncAnswer[]): SyncAnswer {
  return {
    events: answers.flatMap(({ events }) => events),
    reset: answers.flatMap(({ reset }) => reset),
    more: answers.some(({ more }) => more),
    complete: Object.assign({}, ...answers.map(({ complete }) => complete)) as SyncAnswer["complete"],
    unread: answers.flatMap(({ unread }) => unread),
  };
}
