import { randomUUID } from "node:crypto";
import { Transporters } from "moleculer";
import { Events, headers, type Msg, type NatsConnection, type PublishOptions } from "nats";
import { systemClock } from "./actor/ports";
import { inTime } from "./actor/time";
import type { Config } from "./config";
import { natsOptions } from "./nats-connection";
import { Reassembly } from "./reassembly";
import { TransporterDownError, type WatchedTransporter } from "./transporter";

const REQUEST = "REQ";
const PING = "PING";
/** Subjects on which the server says that a node has no subscription. */
const UNREACHED = "UNREACHED";
const NO_RESPONDERS = 503;
/** Room for the protocol line and the headers in the server's limit of a payload. */
const ENVELOPE_BYTES = 4_096;
const PART = "Parley-Part";

/** As much of a packet as says where it goes. */
interface Directed {
  readonly type?: string;
  readonly target?: string | null;
}

/**
 * Moleculer's NATS transporter with what it lacks: it knows at once when the connection is gone and refuses requests
 * then, instead of keeping them for a server that may come back in an hour; it hears at once of a node it sends to whose
 * connection is gone (`$transporter.unreached`); packets above the server's limit travel in parts; and it stops also when
 * the server does not answer.
 */
export class NatsTransporter extends Transporters.NATS implements WatchedTransporter {
  declare client: NatsConnection | null;
  private isUp = false;
  /** Never used twice: parts of two lives of a node must not meet in one packet. */
  private readonly life = randomUUID();
  private part = 0;
  private readonly whole = new Reassembly();

  /** Is there a connection to NATS at this moment? */
  get up(): boolean {
    return this.isUp;
  }

  /** Resolves after one round trip to the server. Rejects at once while there is no connection. */
  async ping(): Promise<void> {
    if (!this.client || !this.isUp) throw new TransporterDownError();
    await this.client.rtt();
  }

  override async connect(): Promise<void> {
    await super.connect();
    const { client } = this;
    if (!client) return;
    this.isUp = true;
    this.hearOfUnreached(client);
    void this.watch(client);
  }

  override async disconnect(): Promise<void> {
    const { client, isUp } = this;
    if (!client) return;
    this.isUp = false;
    // A flush waits for the server's answer: without a connection for ever.
    if (isUp) await inTime(systemClock, FLUSH_MS, () => client.flush().catch(() => undefined));
    await client.close();
    this.client = null;
  }

  override subscribe(command: string, nodeID?: string): Promise<void> {
    this.client?.subscribe(this.getTopicName(command, nodeID ?? ""), {
      callback: (_error, message) => this.take(command, message),
    });
    return Promise.resolve();
  }

  override send(topic: string, data: Buffer, { packet = {} }: { packet?: Directed } = {}): Promise<void> {
    const { client } = this;
    if (!client || !this.isUp) {
      // A request fails at once; whatever else cannot be sent now is made good by its receivers.
      return packet.type === REQUEST ? Promise.reject(new TransporterDownError()) : Promise.resolve();
    }
    const limit = (client.info?.max_payload ?? 1_048_576) - ENVELOPE_BYTES;
    if (data.length <= limit) client.publish(topic, data, this.answeredWhenUnreached(packet));
    else this.publishInParts(client, topic, data, limit);
    return Promise.resolve();
  }

  /**
   * Nobody answers on this subject but the server: with the status 503 when nobody has subscribed to the packet's ("no
   * responders", NATS 2.2). It drops the subscriptions of a process that ended as soon as its connection closes.
   */
  private answeredWhenUnreached({ type, target }: Directed): PublishOptions | undefined {
    if ((type !== REQUEST && type !== PING) || typeof target !== "string") return undefined;
    return { reply: `${this.unreached}${target}` };
  }

  private get unreached(): string {
    return `${this.getTopicName(UNREACHED, this.nodeID)}.`;
  }

  private hearOfUnreached(client: NatsConnection): void {
    const { length } = this.unreached;
    client.subscribe(`${this.unreached}>`, {
      callback: (_error, { subject, headers: status }) => {
        if (status?.code !== NO_RESPONDERS) return;
        void this.broker.broadcastLocal("$transporter.unreached", { nodeID: subject.slice(length) });
      },
    });
  }

  private publishInParts(client: NatsConnection, topic: string, data: Buffer, limit: number): void {
    const parts = Math.ceil(data.length / limit);
    const id = `${this.life}/${++this.part}`;
    for (let part = 0; part < parts; part++) {
      const named = headers();
      named.set(PART, `${part} ${parts} ${id}`);
      client.publish(topic, data.subarray(part * limit, (part + 1) * limit), { headers: named });
    }
  }

  private take(command: string, { data, headers: named }: Msg): void {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const part = named?.get(PART);
    if (!part) {
      void this.receive(command, bytes);
      return;
    }
    const [number = "", parts = "", id = ""] = part.split(" ");
    const packet = this.whole.add(id, Number(number), Number(parts), bytes);
    if (packet) void this.receive(command, packet);
  }

  private async watch(client: NatsConnection): Promise<void> {
    for await (const { type, data } of client.status()) {
      if (type === Events.Disconnect) this.changed(false, data);
      else if (type === Events.Reconnect) this.changed(true, data);
    }
    this.isUp = false;
  }

  private changed(up: boolean, server: unknown): void {
    if (this.isUp === up) return;
    this.isUp = up;
    // The end of it as severe as its beginning: who sees one sees the other.
    this.broker.logger.warn(up ? "NATS is back" : "NATS is gone, reconnecting", { server });
    void this.broker.broadcastLocal(up ? "$transporter.up" : "$transporter.down");
  }
}

/** The NATS transporter of these settings. @throws TypeError without NATS_URL; ConfigError naming a file it cannot read */
export function natsTransporter(config: Config): NatsTransporter {
  return new NatsTransporter(natsOptions(config) as unknown as Record<string, unknown>);
}

const FLUSH_MS = 1_000;
