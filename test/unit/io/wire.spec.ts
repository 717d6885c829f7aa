import type { Duplex } from "node:stream";
import fc from "fast-check";
import * as ws from "ws";
import { encodeEvent, messageFrame } from "../../../services/io/wire";

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
