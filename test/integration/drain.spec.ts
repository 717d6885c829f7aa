import { setTimeout as pause } from "node:timers/promises";
import type { Collection, CollectionDefinition, Document } from "../../lib/store/collection";
import { MemoryStore } from "../../lib/store/memory";
import { callRoom } from "../../services/room/room.internal";
import { get, heard, outcome, type SocketNode, startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

const CLIENTS = 40;
const INSERT_MS = 40;

/** A store whose inserts take a while, so that there is always something in flight. */
class SlowStore extends MemoryStore {
  override collection<T extends Document>(definition: CollectionDefinition): Collection<T> {
    const collection = super.collection<T>(definition);
    const insertMany = collection.insertMany.bind(collection);
    collection.insertMany = async (documents) => {
      await pause(INSERT_MS);
      await insertMany(documents);
    };
    return collection;
  }
}

describe("a node that drains", () => {
  const crowd = async (node: SocketNode) => {
    const users = await Promise.all(Array.from({ length: CLIENTS }, () => node.guest()));
    const sockets = await Promise.all(users.map((user) => node.connect(user)));
    return sockets.map((socket) => {
      const reasons: string[] = [];
      socket.on("disconnect", (reason) => reasons.push(reason));
      return { socket, reasons, told: heard<{ reconnectInMs: number }>(socket, "drain") };
    });
  };

  it("tells each client a delay of its own, and lets a stock client reconnect by itself", async () => {
    const node = await startSocketNode({ env: { DRAIN_SECONDS: "5" } });
    const clients = await crowd(node);
    await node.broker.call("io.drain", {});
    await until("all are gone", () => clients.every(({ socket }) => socket.disconnected));
    const delays = clients.map(({ told }) => told[0]?.reconnectInMs ?? -1);
    expect(new Set(delays).size).toBe(CLIENTS);
    expect(Math.min(...delays)).toBe(0);
    // At most 62 clients a second.
    expect(Math.max(...delays)).toBeGreaterThanOrEqual(((CLIENTS - 1) * 1_000) / 62 - 1);
    // Not "io server disconnect": after that a stock client stays away.
    expect(new Set(clients.flatMap(({ reasons }) => reasons))).toEqual(new Set(["transport close"]));
    await node.stop();
  });

  it("lets nobody in, and is not ready", async () => {
    const node = await startSocketNode();
    const guest = await node.guest();
    await node.broker.call("io.drain", {});
    const socket = node.client(guest.token, { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 20 });
    let [attempts, refusals] = [0, 0];
    socket.io.on("reconnect_attempt", () => attempts++);
    socket.on("connect_error", ({ message }) => void (refusals += Number(!/websocket|xhr|timeout/.test(message))));
    // A stock client that was refused would stay away.
    await until("it comes again by itself", () => attempts >= 3);
    expect([socket.connected, refusals]).toEqual([false, 0]);
    expect((await fetch(`${node.url}/health/ready`)).status).toBe(503);
    await node.stop();
  });

  it("answers everything that was in flight, and what it answered is there", async () => {
    const node = await startSocketNode({ env: { DRAIN_SECONDS: "5" }, store: new SlowStore() });
    const [anna, ben] = await Promise.all([node.user(), node.user()]);
    const sockets = await Promise.all(Array.from({ length: 10 }, () => node.connect(anna)));
    const first = sockets[0];
    if (!first) throw new Error("no socket");
    const command = { commandId: "create", kind: "direct", members: [ben.id] };
    const { id: conversationId } = await get<{ id: string }>(first, "conversation.create", command);
    const answered: string[] = [];
    const lost: string[] = [];
    const chat = async (socket: (typeof sockets)[number], name: number): Promise<void> => {
      for (let n = 0; socket.connected; n++) {
        const commandId = `${name}/${n}`;
        const answer = await outcome(socket, "message.send", { conversationId, commandId, text: "x" }).catch(() => "");
        if (answer === "ok") answered.push(commandId);
        else if (answer === "") lost.push(commandId);
        else return;
      }
    };
    const chats = sockets.map((socket, name) => chat(socket, name));
    await until("they talk", () => answered.length > 50);
    await node.broker.call("io.drain", {});
    await Promise.all(chats);
    const { pages } = await callRoom(node.broker, "room.events", {
      reads: [{ conversationId, after: 0, limit: 100_000 }],
    });
    expect(pages[0]?.more).toBe(false);
    const stored = new Set(pages[0]?.events.map(({ commandId }) => commandId));
    expect(answered.filter((commandId) => !stored.has(commandId))).toEqual([]);
    // A packet may still be on its way when the transport closes; whatever had reached the node was answered.
    expect(lost.filter((commandId) => stored.has(commandId))).toEqual([]);
    await node.stop();
  });
});
