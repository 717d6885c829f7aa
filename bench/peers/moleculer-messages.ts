import { type Context, ServiceBroker } from "moleculer";
import { eventOf, openMessages, type SendParams } from "./message-model";

/**
 * The message service behind the moleculer-io gateway: one awaited `create` of mongoose per message, then
 * `io.broadcast` to the room. Environment: MONGODB_URI, NATS_URL, NAMESPACE.
 */
async function main(): Promise<void> {
  const messages = await openMessages();
  const broker = new ServiceBroker({
    nodeID: `messages-${process.pid}`,
    namespace: process.env["NAMESPACE"] ?? "peer",
    transporter: { type: "NATS", options: { url: process.env["NATS_URL"] ?? "" } },
    logger: false,
  });
  broker.createService({
    name: "message",
    dependencies: ["io"],
    actions: {
      async send(ctx: Context<SendParams, { user: string }>) {
        const { conversationId, commandId, text } = ctx.params;
        const message = { conversationId, by: ctx.meta.user, commandId, text, at: new Date() };
        const { id } = await messages.create(message);
        const event = eventOf(String(id), message);
        await ctx.call("io.broadcast", { event: "events", args: [[event]], rooms: [conversationId] });
        return { id: event.id, at: event.at };
      },
    },
  });
  await broker.start();
}

void main();
