import { isA, maySee, standingChanges, type StoredEvent } from "../../actors/conversation/conversation.events";
import { type ConversationState, emptyState, evolve } from "../../actors/conversation/conversation.state";
import { EVENTS } from "../../actors/conversation/conversation.store";
import { openMongoStore } from "../../lib/store/mongo/store";
import type { ParleyClient } from "../support/client";
import { type History, judge, report, type Stay } from "../support/oracle";
import type { Load } from "./load";

type Logs = ReadonlyMap<string, readonly StoredEvent[]>;

const SEEN_MS = 30_000;

/**
 * Judges a load that has stopped, on a cluster that is whole again: waits until every client has what is its, then
 * compares what clients were told and saw with the log in the store.
 * @returns what was wrong, a line each; empty when the promise was kept
 */
export async function verdict(load: Load, mongoUri: string): Promise<string[]> {
  const logs = await readLogs(mongoUri, load.conversationIds);
  const late = await Promise.all(load.clients.map((client) => catchesUp(client, logs)));
  const histories = [...logs].map(([id, log]) => historyOf(id, log, load.clients));
  const text = report(judge(load.clients, histories));
  return [
    ...load.problems,
    ...late.flat(),
    ...(text === "" ? [] : text.split("\n")),
    ...missing(load, logs),
    ...[...logs.values()].flatMap((log) => [...ruleBreaks(log)]),
    ...wrongResets(load),
  ];
}

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

/** Commands of sessions that were acknowledged, or must have been done, without an event. */
function missing({ desks }: Load, logs: Logs): string[] {
  const key = (by: string, commandId: string) => `${by} ${commandId}`;
  const stored = new Set([...logs.values()].flatMap((log) => log.map((event) => key(event.by, event.commandId))));
  return desks
    .flatMap(({ done, late }) => [...done, ...late])
    .filter(({ client, commandId }) => !stored.has(key(client.user, commandId)))
    .map(({ client, conversationId, commandId }) => `A ${conversationId} ${client.user} ${commandId}: not in the log`);
}

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
