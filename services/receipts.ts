import { type ConversationState, LISTED_MEMBERS, standingIn } from "../actors/conversation/conversation.state";
import type { Watermark } from "../actors/conversation/conversation.watermarks";
import type { BrokerEvents, Receipt } from "./events";

type Told = BrokerEvents["receipts.changed"];

export interface ReceiptFacts {
  /** The conversation, where it is at hand. */
  readonly state: ConversationState | undefined;
  /** The newest seq of at most this one that every member sees. */
  lastForAll(seq: number): Promise<number>;
  /** How many members have read through `seq`, counting no further than `limit`. */
  countRead(seq: number, limit: number): Promise<number>;
}

/**
 * What is told of watermarks that have grown. Who has read a note is told to the staff; everybody else learns of the
 * event before it that they see themselves. In a large conversation nobody is told who has read, but how many have read
 * everything.
 */
export async function receiptsOf(
  conversationId: string,
  watermarks: readonly Watermark[],
  { state, lastForAll, countRead }: ReceiptFacts,
): Promise<Told> {
  if (state && state.memberCount > LISTED_MEMBERS) {
    const { seq, memberCount } = state;
    return { conversationId, receipts: [], count: { seq, read: await countRead(seq, memberCount) } };
  }
  const staff = watermarks.map(({ userId, readSeq, deliveredSeq }) => ({ userId, readSeq, deliveredSeq }));
  if (state && !hasNotes(state)) return { conversationId, receipts: staff };
  const known = (seq: number): number | Promise<number> =>
    state && seq >= state.lastAll ? state.lastAll : lastForAll(seq);
  const receipts = await Promise.all(staff.map((receipt) => forAll(receipt, state, known)));
  const differs = receipts.some((receipt, at) => receipt !== staff[at]);
  return { conversationId, receipts, ...(differs && { staff }) };
}

/** Only in support conversations is anything said that not all members see. */
const hasNotes = ({ kind }: ConversationState): boolean => kind === "support";

async function forAll(
  receipt: Receipt,
  state: ConversationState | undefined,
  known: (seq: number) => number | Promise<number>,
): Promise<Receipt> {
  const { userId } = receipt;
  // Whoever is no staff has nothing to hide: their own watermarks are of what they see.
  if (state && standingIn(state, userId) === "all") return receipt;
  const [readSeq, deliveredSeq] = await Promise.all([known(receipt.readSeq), known(receipt.deliveredSeq)]);
  const same = readSeq === receipt.readSeq && deliveredSeq === receipt.deliveredSeq;
  return same ? receipt : { userId, readSeq, deliveredSeq };
}
