import type { Duplex } from "node:stream";
import fc from "fast-check";
import * as ws from "ws";
import type { ClientSocket } from "../../../services/io/client-socket";
import { encodeEvent, messageFrame, sendPacket, Wire } from "../../../services/io/wire";

// Not in the types.
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Duplex };

/** What a websocket client reads from these bytes. */
async function read(bytes: Buffer): Promise<string> {
  const receiver = new Receiver({ isServer: false });
  const message = new Promise<Buffer>((resolve) => receiver.on("message", resolve));
  receiver.write(bytes);
  return (await message).toString();
}

describe("message frame", () => {
  it.each([0, 1, 124, 125, 126, 65_534, 65_535, 65_536, 100_000])("carries a text of %i bytes", async (length) => {
    const text = "x".repeat(length);
    expect(await read(messageFrame(text))).toBe(`4${text}`);
  });

  it("carries any text", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 300 }), async (text) => {
        expect(await read(messageFrame(text))).toBe(`4${text}`);
      }),
    );
  });

  it("is what Socket.IO sends for an event", async () => {
    const packet = encodeEvent("events", [{ text: "ö" }]);
    expect(packet.text).toBe('2["events",[{"text":"ö"}]]');
    expect(await read(packet.options.wsPreEncodedFrame[0])).toBe(`4${packet.text}`);
  });
});

describe("the short way", () => {
  const packet = encodeEvent("events", []);
  /** A client whose two ways are lists. */
  const client = (
    over: { readyState?: string; name?: string; writable?: boolean; open?: number; waiting?: number } = {},
  ) => {
    const short: Buffer[] = [];
    const long: unknown[] = [];
    const calls: string[] = [];
    const tcp = {
      writableCorked: 0,
      writableLength: over.waiting ?? 0,
      cork: () => void calls.push(`cork ${++tcp.writableCorked}`),
      uncork: () => void calls.push(`uncork ${--tcp.writableCorked}`),
      write: (frame: Buffer) => void short.push(frame),
    };
    const conn = {
      readyState: over.readyState ?? "open",
      writeBuffer: [] as unknown[],
      transport: {
        name: over.name ?? "websocket",
        writable: over.writable ?? true,
        socket: { readyState: over.open ?? 1, _socket: tcp },
      },
      write: (data: unknown) => void long.push(data),
    };
    const socket = { conn } as unknown as ClientSocket;
    return { socket, conn, short, long, calls };
  };

  it("gathers what a turn has for a client into one write", async () => {
    const wire = new Wire();
    const [one, other] = [client(), client()];
    for (const { socket } of [one, other]) wire.attach(socket);
    for (let n = 0; n < 3; n++) sendPacket(one.socket, packet);
    sendPacket(other.socket, packet);
    one.socket.conn.write("31[]");
    expect(one.calls).toEqual(["cork 1"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect([one.calls, other.calls]).toEqual([
      ["cork 1", "uncork 0"],
      ["cork 1", "uncork 0"],
    ]);
    expect([one.short.length, other.short.length, one.long]).toEqual([4, 1, []]);
    expect(await read(one.short[3] ?? Buffer.alloc(0))).toBe("431[]");
  });

  it.each([
    ["a connection that closes", { readyState: "closing" }],
    ["another transport", { name: "polling" }],
    ["a transport that is busy, for nothing may overtake", { writable: false }],
    ["a websocket that closes", { open: 2 }],
    ["a client that does not read", { waiting: 100_000 }],
  ])("is not taken for %s", (_name, over) => {
    const { socket, short, long } = client(over);
    new Wire().attach(socket);
    sendPacket(socket, packet);
    expect([short, long]).toEqual([[], [packet.text]]);
  });

  it("is not taken while something waits on the long one", () => {
    const { socket, conn, short, long } = client();
    new Wire().attach(socket);
    conn.writeBuffer.push({});
    sendPacket(socket, packet);
    expect([short, long]).toEqual([[], [packet.text]]);
  });
});
