import type { SessionState } from "./conversation.session-state";
import type { ConversationState, LastMessage, Standing } from "./conversation.state";

/** A conversation's snapshot: for loading and listing. The log is the truth. */
export interface Snapshot {
  _id: string;
  appliedSeq: number;
  lastAll: number;
  kind: "support" | "direct" | "group";
  title?: string;
  createdAt: number;
  createdBy: string;
  memberCount: number;
  /** Absent above LISTED_MEMBERS. No pairs: a list in a list is not for every store. */
  members?: Array<{ userId: string; standing: Standing }>;
  session?: SessionState;
  lastMessage?: LastMessage;
  staffWrote: Array<{ by: string; seq: number }>;
}

/** The document that a state is snapshot as. */
export function toSnapshot(state: ConversationState): Snapshot {
  const { id, seq, lastAll, kind = "group", createdAt, createdBy, memberCount, staffWrote } = state;
  const snapshot: Snapshot = {
    _id: id,
    appliedSeq: seq,
    lastAll,
    kind,
    createdAt,
    createdBy,
    memberCount,
    staffWrote: [...staffWrote],
  };
  if (state.title !== undefined) snapshot.title = state.title;
  if (state.listed) snapshot.members = [...state.members].map(([userId, standing]) => ({ userId, standing }));
  if (state.session) snapshot.session = state.session;
  if (state.lastMessage) snapshot.lastMessage = state.lastMessage;
  return snapshot;
}

/** The state that a snapshot was made of; above LISTED_MEMBERS without the members. */
export function fromSnapshot(snapshot: Snapshot): ConversationState {
  const { _id, appliedSeq, members, ...rest } = snapshot;
  const listed = members !== undefined;
  const known = new Map(members?.map(({ userId, standing }) => [userId, standing]));
  return { ...rest, id: _id, seq: appliedSeq, members: known, complete: listed, listed };
}
