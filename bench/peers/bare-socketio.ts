import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { Server } from "socket.io";
import type { InsertRequest } from "./insert-worker";
import type { SendParams } from "./message-model";

/**
 * What a competent engineer writes in an afternoon: one Socket.IO process that awaits one durable insert per message,
 * then tells the room and acknowledges. No rights, no limits, no recovery, no exactly-once.
 * Environment: PORT, DATA_DIR. Handshake: `auth: { user, rooms }`.
 */

const worker = new Worker(join(__dirname, "insert-worker.ts"), {
  workerData: { file: join(process.env["DATA_DIR"] ?? ".", "peer.sqlite") },
});
const waiting = new Map<number, () => void>();
let lastInsert = 0;
worker.on("message", (id: number) => {
  waiting.get(id)?.();
  waiting.delete(id);
});

const store = (document: object): Promise<void> =>
  new Promise((resolve) => {
    const request: InsertRequest = { id: ++lastInsert, document: JSON.stringify(document) };
    waiting.set(request.id, resolve);
    worker.postMessage(request);
  });

const http = createServer();
const io = new Server(http, { perMessageDeflate: false, serveClient: false });
const seqs = new Map<string, number>();

io.on("connection", async (socket) => {
  const { user, rooms } = socket.handshake.auth as { user: string; rooms: string[] };
  await socket.join(rooms);
  socket.on("message.send", async (params: SendParams, ack: (answer: unknown) => void) => {
    const { conversationId, commandId, text } = params;
    const prevSeq = seqs.get(conversationId) ?? 0;
    const seq = prevSeq + 1;
    seqs.set(conversationId, seq);
    const id = randomUUID();
    const at = new Date().toISOString();
    const event = {
      conversationId,
      seq,
      prevSeq,
      id,
      type: "message.created",
      at,
      by: user,
      data: { text },
      commandId,
    };
    await store(event);
    io.to(conversationId).emit("events", [event]);
    ack({ ok: true, data: { seq, id, at } });
  });
});

http.listen(Number(process.env["PORT"]), "127.0.0.1");
process.on("SIGTERM", () => {
  void worker.terminate();
  io.disconnectSockets(true);
  http.close(() => process.exit(0));
});
