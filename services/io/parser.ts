import { Decoder, Encoder, type Packet, PacketType } from "socket.io-parser";

/**
 * The Socket.IO wire format, narrowed to what the protocol uses: text only. Nothing we send is binary, so no payload is
 * searched for buffers.
 */
class TextEncoder extends Encoder {
  override encode(packet: Packet): string[] {
    return [this.encodeText(packet)];
  }

  private encodeText({ type, nsp, id, data }: Packet): string {
    const namespace = nsp && nsp !== "/" ? `${nsp},` : "";
    return `${type}${namespace}${id ?? ""}${data === undefined ? "" : JSON.stringify(data)}`;
  }
}

/** Binary packets and acknowledgements are no part of the protocol; what the decoder throws ends the connection. */
class TextDecoder extends Decoder {
  override add(chunk: unknown): void {
    if (typeof chunk !== "string" || !ACCEPTED.has(chunk.charAt(0))) throw new Error("packet type not accepted");
    super.add(chunk);
  }
}

const ACCEPTED = new Set([PacketType.CONNECT, PacketType.DISCONNECT, PacketType.EVENT].map(String));

/** For the `parser` option of a Socket.IO server. */
export const textParser = { Encoder: TextEncoder, Decoder: TextDecoder };
