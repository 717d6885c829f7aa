import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";
import { eventOf, openMessages, type SendParams } from "./message-model";

/**
 * The usual way to several Socket.IO processes: the Redis adapter between them, and one awaited `create` of mongoose per
 * message. No rights, no limits, no order between processes, no exactly-once, no recovery.
 * Environment: PORT, MONGODB_URI, REDIS_URL. Handshake: `auth: { user, rooms }`.
 */
async function main(): Promise<void> {
  const messages = await openMessages();
  const redis = new Redis(process.env["REDIS_URL"] ?? "");
  const http = createServer();
  const adapter = createAdapter(redis, redis.duplicate());
  const io = new Server(http, { perMessageDeflate: false, serveClient: false, adapter });
  io.on("connection", async (socket) => {
    const { user, rooms } = socket.handshake.auth as { user: string; rooms: string[] };
    await socket.join(rooms);
    socket.on("message.send", async ({ conversationId, commandId, text }: SendParams, ack: (a: unknown) => void) => {
      const message = { conversationId, by: user, commandId, text, at: new Date() };
      const { id } = await messages.create(message);
      const event = eventOf(String(id), message);
      io.to(conversationId).emit("events", [event]);
      ack({ ok: true, data: { id: event.id, at: event.at } });
    });
  });
  http.listen(Number(process.env["PORT"]), "127.0.0.1");
}

process.on("SIGTERM", () => process.exit(0));
void main();
