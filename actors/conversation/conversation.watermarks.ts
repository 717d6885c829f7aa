import type { CollectionDefinition } from "../../lib/store/collection";

export const WATERMARKS: CollectionDefinition = {
  name: "watermarks",
  indexes: [{ fields: { conversationId: 1, readSeq: 1 } }],
};

/** How far a member has received and read: `readSeq <= deliveredSeq <= lastSeq`, and both only grow. */
export interface Watermark {
  _id: string;
  conversationId: string;
  userId: string;
  deliveredSeq: number;
  readSeq: number;
}
