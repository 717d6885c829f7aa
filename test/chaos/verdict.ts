import { isA, maySee, standingChanges, type StoredEvent } from "../../actors/conversation/conversation.events";
import { type ConversationState, emptyState, evolve } from "../../actors/conversation/conversation.state";
import { EVENTS } from "../../actors/conversation/conversation.store";
import { openMongoStore } from "../../lib/store/mongo/store";
import type { ParleyClient } from "../support/client";
import { type History, judge, report, RULES, type Stay, type Violation } from "../support/oracle";
import type { Told } from "./desk";
import type { Load } from "./load";

type Logs = ReadonlyMap<string, readonly StoredEvent[]>;

/** Beyond the oracle's rules. */
const SESSIONS = {
  S: "of two who claim exactly one has it, who was refused stays refused, nobody writes after the end, nothing is refused for good",
} as const;

/** What a run is judged by, by the letters used in reports. */
export const PROMISES = { ...RULES, ...SESSIONS } as const;

export interface Finding {
  readonly rule: keyof typeof PROMISES;
  readonly detail: string;
}

const SEEN_MS = 30_000;

/**
 * Judges a load that has stopped, on a cluster that is whole again: waits until every client has what is its, then
 * compares what clients were told and saw with the log in the store.
 * @returns what was wrong; empty when every promise was kept
 */
export async function verdict(load: Load, mongoUri: string): Promise<Finding[]> {
  const logs = await readLogs(mongoUri, load.conversationIds);
  const late = await Promise.all(load.clients.map((client) => catchesUp(client, logs)));
  const histories = [...logs].map(([id, log]) => historyOf(id, log, load.clients));
  const of = (rule: Finding["rule"], details: readonly string[]) => details.map((detail) => ({ rule, detail }));
  return [
    ...of("S", load.problems),
    ...of("C", late.flat()),
    ...judge(load.clients, histories).map(found),
    ...of("A", missing(load, logs)),
    ...of("S", refusedAndDone(load, logs)),
    ...of(
      "S",
      [...logs.values()].flatMap((log) => [...ruleBreaks(log)]),
    ),
    ...of("C", wrongResets(load)),
  ];
}

const found = (violation: Violation): Finding => ({ rule: violation.rule, detail: report([violation]) });

async function readLogs(uri: string, ids: readonly string[]): Promise<Logs> {
  const store = await openMongoStore({ uri });
  try {
    const events = store.collection<StoredEvent>(EVENTS);
    const logs = new Map<string, StoredEvent[]>();
    for (const conversationId of ids)
      logs.set(conversationId, await events.find({ conversationId }, { sort: { seq: 1 } }));
    return logs;
  } finally {
    await store.close();
  }
}

const stateOf = (id: string, log: readonly StoredEvent[]): ConversationState => log.reduce(evolve, emptyState(id));

/** Waits until a client has all of the conversations that it follows and is in. */
async function catchesUp(client: ParleyClient, logs: Logs): Promise<string[]> {
  const late: string[] = [];
  for (const conversationId of Object.keys(client.view.cursors())) {
    const log = logs.get(conversationId) ?? [];
    const standing = stateOf(conversationId, log).members.get(client.user) ?? "none";
    if (standing === "none") continue;
    const last = log.findLast((event) => maySee(event, standing))?.seq ?? 0;
    await client.reaches(conversationId, last, SEEN_MS).catch((error: unknown) => late.push(String(error)));
  }
  return late;
}

function historyOf(conversationId: string, log: readonly StoredEvent[], clients: readonly ParleyClient[]): History {
  const events = log.map((event) => ({
    seq: event.seq,
    id: event._id,
    by: event.by,
    commandId: event.commandId,
    audience: event.audience,
    ...(isA(event, "message.created") ? { content: event.data.text ?? "" } : {}),
  }));
  return { conversationId, events, members: staysOf(conversationId, log, clients) };
}

/**
 * Members are owed all from the beginning. Who left is owed what they saw, and must have seen nothing after leaving: they
 * may have been away when they left, and nobody tells them afterwards.
 */
function staysOf(id: string, log: readonly StoredEvent[], clients: readonly ParleyClient[]): Map<string, Stay[]> {
  const stays = new Map<string, Stay[]>();
  for (const event of log)
    for (const { userId, standing } of standingChanges(event)) {
      const client = clients.find(({ user }) => user === userId);
      const saw = client?.lastSeq(id) ?? 0;
      if (standing === "none") stays.set(userId, [{ from: 1, to: Math.min(event.seq, saw), staff: true }]);
      else stays.set(userId, [{ from: 1, staff: standing === "staff" }]);
    }
  return stays;
}

/** Commands of sessions that were acknowledged without an event. */
function missing({ desks }: Load, logs: Logs): string[] {
  return desks
    .flatMap(({ done }) => done)
    .filter((command) => !isStored(command, logs))
    .map((command) => `${nameOf(command)}: acknowledged, but not in the log`);
}

/** Claims that were refused for good, with an event. */
function refusedAndDone({ desks }: Load, logs: Logs): string[] {
  return desks
    .flatMap(({ refused }) => refused)
    .filter((command) => isStored(command, logs))
    .map((command) => `${nameOf(command)}: refused, and done nevertheless`);
}

const isStored = ({ client, conversationId, commandId }: Told, logs: Logs): boolean =>
  logs.get(conversationId)?.some((event) => event.by === client.user && event.commandId === commandId) ?? false;
const nameOf = ({ client, conversationId, commandId }: Told): string =>
  `${conversationId} user=${client.user} command=${commandId}`;

/** Events that the state before them does not allow. */
function* ruleBreaks(log: readonly StoredEvent[]): Generator<string> {
  let state = emptyState(log[0]?.conversationId ?? "");
  for (const event of log) {
    const status = state.session?.status;
    const wrong =
      (isA(event, "session.assigned") && status !== "unassigned") ||
      (isA(event, "session.returned") && status !== "assigned") ||
      (isA(event, "message.created") && (status === "closed" || (state.members.get(event.by) ?? "none") === "none"));
    if (wrong)
      yield `${event.conversationId} ${event.seq}: ${event.type} by ${event.by} while ${status ?? "a member is not"}`;
    state = evolve(state, event);
  }
}

/** Nobody leaves a direct conversation or a group here, so nobody is told to load one afresh. */
function wrongResets({ clients, talks }: Load): string[] {
  const lasting = new Set(talks.map(({ conversationId }) => conversationId));
  return clients.flatMap(({ resets, user }) =>
    resets.filter((id) => lasting.has(id)).map((id) => `${user} was told to load ${id} afresh`),
  );
}
