import type { ConversationStore } from "../../actors/conversation/conversation.store";
import { findAny } from "../../actors/conversation/conversation.verdicts";
import type { Clock } from "../../lib/actor/ports";
import { systemIdAt } from "../../lib/actor/system";

/** Where the search goes on: after this event, and after this conversation. */
export interface RepairCursors {
  readonly event: string;
  readonly conversation: string;
}

export interface RepairPorts {
  readonly store: Pick<ConversationStore, "events" | "conversations">;
  readonly clock: Pick<Clock, "now">;
  /** Has a conversation's snapshot written by its home. */
  project(conversationId: string): Promise<void>;
}

/**
 * Finds snapshots that lag behind the log. Nothing should leave one behind: whoever finds it here has found a fault, or
 * a node that died twice. Each step looks at the latest events, all of them unless there are very many, and goes on
 * through all conversations; both in bounded pages.
 */
export async function repairStep(cursors: RepairCursors, ports: RepairPorts): Promise<RepairStep> {
  const recent = await amongRecent(cursors.event, ports);
  const known = await amongKnown(cursors.conversation, ports);
  const lagging = new Set([...recent.lagging, ...known.lagging]);
  for (const id of lagging) await ports.project(id);
  return { event: recent.next, conversation: known.next, repaired: lagging.size };
}

type RepairStep = RepairCursors & { repaired: number };

interface Found {
  /** Conversations whose snapshot lags. */
  readonly lagging: readonly string[];
  readonly next: string;
}

/** By the events that are old enough to be projected. */
async function amongRecent(after: string, { store, clock }: RepairPorts): Promise<Found> {
  const now = clock.now();
  const from = systemIdAt(now - WINDOW_MS);
  const start = after > from ? after : from;
  const filter = { _id: { $gt: start, $lt: systemIdAt(now - SETTLED_MS) } };
  const events = await store.events.find(filter, { sort: { _id: 1 }, limit: EVENTS });
  const heads = new Map<string, number>();
  for (const { conversationId, seq } of events)
    heads.set(conversationId, Math.max(seq, heads.get(conversationId) ?? 0));
  const snapshots = await store.conversations.find({ _id: { $in: [...heads.keys()] } });
  const applied = new Map(snapshots.map(({ _id, appliedSeq }) => [_id, appliedSeq]));
  const lagging = [...heads].filter(([id, seq]) => (applied.get(id) ?? 0) < seq).map(([id]) => id);
  return { lagging, next: events.at(-1)?._id ?? start };
}

/** Among those that have a snapshot, in the order of their ids, and from the start again. */
async function amongKnown(after: string, { store, clock }: RepairPorts): Promise<Found> {
  const snapshots = await store.conversations.find({ _id: { $gt: after } }, { sort: { _id: 1 }, limit: CONVERSATIONS });
  const settled = clock.now() - SETTLED_MS;
  const beyond = await findAny(
    store.events,
    snapshots.map(({ _id, appliedSeq }) => ({ conversationId: _id, seq: appliedSeq + 1 })),
  );
  return {
    lagging: beyond.filter(({ at }) => at < settled).map(({ conversationId }) => conversationId),
    next: snapshots.length < CONVERSATIONS ? "" : (snapshots.at(-1)?._id ?? ""),
  };
}

/** Projections follow within seconds. */
const SETTLED_MS = 10_000;
/** Events older than this are left to the walk through all conversations. */
const WINDOW_MS = 600_000;
const EVENTS = 500;
const CONVERSATIONS = 50;
