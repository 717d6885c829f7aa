const MAX_BYTES = 64 * 1024 * 1024;
const MAX_PACKETS = 100;
const MAX_PARTS = 1_000;

interface Incomplete {
  readonly parts: Array<Buffer | undefined>;
  missing: number;
  bytes: number;
}

/**
 * Puts packets together that travelled in parts. Holds at most 64 MB and 100 packets: beyond that the oldest
 * incomplete one is forgotten, as if it had been lost on the way.
 */
export class Reassembly {
  private readonly packets = new Map<string, Incomplete>();
  private bytes = 0;

  /** The whole packet with its last missing part, else undefined. Parts may come in any order, and twice. */
  add(id: string, part: number, parts: number, data: Buffer): Buffer | undefined {
    if (!(parts >= 1 && parts <= MAX_PARTS && part >= 0 && part < parts)) return undefined;
    const packet = this.packets.get(id) ?? this.begin(id, parts);
    if (part >= packet.parts.length || packet.parts[part]) return undefined;
    packet.parts[part] = data;
    packet.missing--;
    packet.bytes += data.length;
    this.bytes += data.length;
    if (packet.missing === 0) {
      this.forget(id, packet);
      return Buffer.concat(packet.parts as Buffer[]);
    }
    this.bound();
    return undefined;
  }

  private begin(id: string, parts: number): Incomplete {
    const packet = { parts: new Array<Buffer | undefined>(parts).fill(undefined), missing: parts, bytes: 0 };
    this.packets.set(id, packet);
    return packet;
  }

  private bound(): void {
    for (const [id, packet] of this.packets) {
      if (this.bytes <= MAX_BYTES && this.packets.size <= MAX_PACKETS) return;
      this.forget(id, packet);
    }
  }

  private forget(id: string, packet: Incomplete): void {
    this.packets.delete(id);
    this.bytes -= packet.bytes;
  }
}
