import type { Caller } from "../../lib/call";
import { callRoom } from "../room/room.internal";

/** A broker, as far as it tells which nodes there are. */
export interface Registry extends Caller {
  readonly registry: {
    getServiceList(options: { onlyAvailable: boolean }): ReadonlyArray<{ name: string; nodeID?: string }>;
  };
}

export interface CoreListener {
  coreHeard(incarnation: string, flush: number): void;
  coreLost(incarnation: string): void;
}

/** The service whose nodes write the log. */
const WRITER = "room";
const TIMEOUT_MS = 2_000;

/** Which core nodes there are, and how far each has come: an io node listens from there on. */
export class Cores {
  private readonly incarnations = new Map<string, string>();

  constructor(
    private readonly broker: Registry,
    private readonly listener: CoreListener,
  ) {}

  /** Asks every core node for its number. One that does not answer counts as unheard of: its beats start at 0. */
  async hearAll(): Promise<void> {
    const services = this.broker.registry.getServiceList({ onlyAvailable: true });
    const nodes = new Set<string>();
    for (const { name, nodeID } of services) if (name === WRITER && nodeID !== undefined) nodes.add(nodeID);
    await Promise.all([...nodes].map((nodeID) => this.hear(nodeID)));
  }

  /** A node left the registry. */
  lost(nodeID: string): void {
    const incarnation = this.incarnations.get(nodeID);
    this.incarnations.delete(nodeID);
    if (incarnation !== undefined) this.listener.coreLost(incarnation);
  }

  private async hear(nodeID: string): Promise<void> {
    try {
      const { incarnation, flush } = await callRoom(this.broker, "room.progress", {}, { nodeID, timeout: TIMEOUT_MS });
      this.incarnations.set(nodeID, incarnation);
      this.listener.coreHeard(incarnation, flush);
    } catch {
      // Whatever it writes from now on is heard by its broadcasts and beats.
    }
  }
}
