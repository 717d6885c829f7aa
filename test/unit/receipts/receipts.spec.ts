import { type ConversationState, emptyState } from "../../../actors/conversation/conversation.state";
import { receiptsOf } from "../../../services/receipts";

const watermark = (userId: string, deliveredSeq: number, readSeq = deliveredSeq) => ({
  _id: `c/${userId}`,
  conversationId: "c",
  userId,
  deliveredSeq,
  readSeq,
});

/** A session of which the customer sees these seqs, out of all through `seq`. */
function session(visible: readonly number[], seq: number) {
  const state: ConversationState = {
    ...emptyState("c"),
    kind: "support",
    seq,
    lastAll: visible.at(-1) ?? 0,
    members: new Map([
      ["carol", "all"],
      ["anna", "staff"],
    ]),
    memberCount: 2,
  };
  const asked: number[] = [];
  const facts = {
    state,
    lastForAll: (limit: number) => {
      asked.push(limit);
      return Promise.resolve(visible.findLast((each) => each <= limit) ?? 0);
    },
    countRead: () => Promise.resolve(7),
  };
  return { facts, asked };
}

describe("a receipt of an agent", () => {
  it("at a note names to the customer the message before it, and the note to the staff", async () => {
    const { facts } = session([1, 2, 5], 5);
    expect(await receiptsOf("c", [watermark("anna", 4, 3)], facts)).toEqual({
      conversationId: "c",
      receipts: [{ userId: "anna", deliveredSeq: 2, readSeq: 2 }],
      staff: [{ userId: "anna", deliveredSeq: 4, readSeq: 3 }],
    });
  });

  it("at the notes after the last message is told without a read", async () => {
    const { facts, asked } = session([1, 2], 4);
    expect(await receiptsOf("c", [watermark("anna", 4)], facts)).toMatchObject({
      receipts: [{ deliveredSeq: 2, readSeq: 2 }],
    });
    expect(asked).toEqual([]);
  });

  it("at what everybody sees is the same for all", async () => {
    const { facts } = session([1, 2, 5], 5);
    const told = await receiptsOf("c", [watermark("anna", 5, 2), watermark("carol", 2)], facts);
    expect(told.receipts.map(({ readSeq }) => readSeq)).toEqual([2, 2]);
    expect(told).not.toHaveProperty("staff");
  });

  it("of a conversation that is not at hand is looked up", async () => {
    const { facts, asked } = session([1, 2], 3);
    const told = await receiptsOf("c", [watermark("anna", 3)], { ...facts, state: undefined });
    expect(told.receipts).toEqual([{ userId: "anna", deliveredSeq: 2, readSeq: 2 }]);
    expect(asked).toContain(3);
  });
});

describe("a receipt in a group", () => {
  it("costs no read", async () => {
    const { facts, asked } = session([1, 2, 3], 3);
    const group = { ...facts, state: { ...facts.state, kind: "group" as const } };
    expect((await receiptsOf("c", [watermark("anna", 2)], group)).receipts).toHaveLength(1);
    expect(asked).toEqual([]);
  });

  it("of many members is a number", async () => {
    const { facts } = session([1, 2, 3], 3);
    const large = { ...facts, state: { ...facts.state, kind: "group" as const, memberCount: 101 } };
    expect(await receiptsOf("c", [watermark("anna", 2)], large)).toEqual({
      conversationId: "c",
      receipts: [],
      count: { seq: 3, read: 7 },
    });
  });
});
