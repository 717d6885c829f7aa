import { DEFAULT_RULES, type SessionState } from "../../actors/conversation/conversation.session-state";
import type { Snapshot } from "../../actors/conversation/conversation.snapshot";

/** A session that has waited since the beginning of time, but for what a test says of it. */
export const sessionState = (more: Partial<SessionState> = {}): SessionState => ({
  status: "unassigned",
  topic: "loan",
  urgency: "normal",
  customerId: "carl",
  openedAt: 0,
  openKey: "",
  enteredAt: 0,
  rank: 0,
  headStart: { class: 0 },
  rules: DEFAULT_RULES,
  ...more,
});

/** The snapshot of a conversation with such a session. */
export const sessionSnapshot = (_id: string, session: Partial<SessionState>): Snapshot => ({
  _id,
  appliedSeq: 1,
  lastAll: 1,
  kind: "support",
  createdAt: 0,
  createdBy: "carl",
  memberCount: 1,
  staffWrote: [],
  session: sessionState(session),
});
