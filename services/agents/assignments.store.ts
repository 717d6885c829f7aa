import type { Collection, CollectionDefinition, Document, Store } from "../../lib/store/collection";
import type { Assignment, Judgement } from "../session/assignment";

/** Why a session was pushed to whom it was, the last time; `_id` is the conversation's. */
export interface AssignmentDocument extends Document {
  readonly agentId: string;
  /** The session as it was listed when it was decided. */
  readonly seq: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly reason: string;
  readonly judgements: readonly Judgement[];
}

export const ASSIGNMENTS: CollectionDefinition = { name: "assignments", indexes: [] };

/** So many agents are told of; of the others only the reason speaks. */
const MAX_JUDGEMENTS = 50;

/** The bounded part of an assignment that is shown. */
export const shownOf = ({ reason, judgements }: Assignment): Pick<Assignment, "reason" | "judgements"> => ({
  reason,
  judgements: judgements.slice(0, MAX_JUDGEMENTS),
});

/** What is known of the last push of each session. Told to people; nothing decides on it. */
export class AssignmentStore {
  readonly #assignments: Collection<AssignmentDocument>;

  constructor(store: Store) {
    this.#assignments = store.collection<AssignmentDocument>(ASSIGNMENTS);
  }

  get(conversationId: string): Promise<AssignmentDocument | undefined> {
    return this.#assignments.findOne({ _id: conversationId });
  }

  async put(conversationId: string, seq: number, agentId: string, at: number, why: Assignment): Promise<void> {
    await this.#assignments.putNewer([{ _id: conversationId, agentId, seq, at, ...shownOf(why) }], "seq");
  }
}
