import { Transporters } from "moleculer";
import { SeededRandom } from "./virtual-clock";

/** What may happen to a broadcast on its way to one node. */
export interface Faults {
  /** Chances of being lost, and of arriving twice. */
  readonly drop: number;
  readonly double: number;
  /** Milliseconds it may take: later ones overtake it. */
  readonly delayMs: number;
}

const CALM: Faults = { drop: 0, double: 0, delayMs: 0 };
const EVENT = "EVENT";

interface EventPacket {
  readonly event?: string;
  readonly data?: unknown;
}

/** The network between brokers of this process: broadcasts of the log suffer from faults, and nodes can be cut off. */
export class LocalNetwork {
  faults = CALM;
  /** Sees each event before it is sent; answers false to stop it. */
  onEvent: (from: string, name: string, data: unknown) => boolean = () => true;
  readonly lost: string[] = [];
  random = new SeededRandom("network");
  private readonly cutOff = new Set<string>();

  /** From now on nothing reaches this node, and nothing of it anybody: what others see of a SIGKILL. */
  cut(nodeID: string): void {
    this.cutOff.add(nodeID);
  }

  /** The end of `cut`. */
  heal(nodeID: string): void {
    this.cutOff.delete(nodeID);
  }

  isCut(nodeID: string): boolean {
    return this.cutOff.has(nodeID);
  }

  /** Milliseconds after which each copy of a packet arrives; none when it is lost. */
  fates(from: string, topic: string, packet: Buffer): number[] {
    if (this.cutOff.has(from)) return [];
    const event = topic.includes(`.${EVENT}.`) ? (JSON.parse(packet.toString()) as EventPacket) : undefined;
    if (event?.event?.startsWith("log.") !== true) return [0];
    if (!this.onEvent(from, event.event, event.data) || this.cutOff.has(from)) return [];
    const { drop, double, delayMs } = this.faults;
    if (this.random.float() < drop) {
      this.lost.push(event.event);
      return [];
    }
    const copies = this.random.float() < double ? 2 : 1;
    return Array.from({ length: copies }, () => Math.floor(this.random.float() * delayMs));
  }
}

/** Moleculer's transporter within a process, on a network with faults. */
export class LocalTransporter extends Transporters.Fake {
  constructor(
    private readonly network: LocalNetwork,
    private readonly self: string,
  ) {
    super();
  }

  override send(topic: string, data: Buffer): Promise<void> {
    for (const ms of this.network.fates(this.self, topic, data)) {
      if (ms === 0) void super.send(topic, data);
      else setTimeout(() => void super.send(topic, data), ms);
    }
    return Promise.resolve();
  }

  override async receive(cmd: string, data: Buffer): Promise<void> {
    if (!this.network.isCut(this.self)) await super.receive(cmd, data);
  }
}
