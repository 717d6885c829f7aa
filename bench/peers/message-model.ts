import { createConnection, type Model, Schema } from "mongoose";

/** A message as the peers store it: one document, written durably before anybody is told. */
export interface PeerMessage {
  readonly conversationId: string;
  readonly by: string;
  readonly commandId: string;
  readonly text: string;
  readonly at: Date;
}

/** What clients send. */
export type SendParams = Pick<PeerMessage, "conversationId" | "commandId" | "text">;

const schema = new Schema<PeerMessage>({
  conversationId: { type: String, required: true },
  by: { type: String, required: true },
  commandId: { type: String, required: true },
  text: { type: String, required: true },
  at: { type: Date, required: true },
});
schema.index({ conversationId: 1, at: 1 });

/** The peers' messages in the database at MONGODB_URI. */
export async function openMessages(): Promise<Pick<Model<PeerMessage>, "create">> {
  const connection = await createConnection(process.env["MONGODB_URI"] ?? "", { retryWrites: false }).asPromise();
  const messages = connection.model<PeerMessage>("Message", schema);
  await messages.init();
  return messages;
}

/** What a peer tells a room: no seq, since nobody numbers the messages of two processes. */
export const eventOf = (id: string, { at, text, ...message }: PeerMessage) => ({
  ...message,
  id,
  type: "message.created",
  at: at.toISOString(),
  data: { text },
});
