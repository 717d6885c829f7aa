import type { ListedMark } from "../../lib/actor/mark";
import type { Clock } from "../../lib/actor/ports";
import type { Caller } from "../../lib/call";
import { ParleyError } from "../../lib/errors";
import { type Offering, offersOf } from "../../lib/offers";
import { SlowNodes } from "../../lib/slow-nodes";
import { callRoom, type RoomInternal } from "../room/room.internal";

export interface CoreListener {
  coreHeard(incarnation: string, flush: number): void;
  coreLost(incarnation: string): void;
}

type Read = "room.events" | "room.flushes" | "room.marks" | "room.memberships";

/** Nodes that serve this action write the log. */
const WRITES_LOG = "room.progress";
const HEAR_TIMEOUT_MS = 2_000;
/** How long a node may take to answer a read while there is another one to ask, and when there is none left. */
const PATIENCE_MS = 1_000;
const LAST_PATIENCE_MS = 5_000;

/** The core nodes: which there are, how far each has come, and whichever of them answers a read. */
export class Cores {
  /** Node to its incarnation. */
  private readonly incarnations = new Map<string, string>();
  /** They are asked last. */
  private readonly slow: SlowNodes;
  private turn = 0;

  constructor(
    private readonly broker: Offering & Caller,
    clock: Pick<Clock, "now">,
    private readonly listener: CoreListener,
  ) {
    this.slow = new SlowNodes(clock);
  }

  /** Asks every core node for its number. One that does not answer in time counts as unheard of: it starts at 0. */
  async hearAll(): Promise<void> {
    await Promise.all(this.nodes(WRITES_LOG).map((nodeID) => this.hear(nodeID)));
  }

  /** A node came, came back or changed: a core node not heard of yet is asked for its number. */
  async changed(nodeID: string): Promise<void> {
    if (this.nodes(WRITES_LOG).includes(nodeID)) await this.hear(nodeID);
  }

  /** A node says which incarnation it is: an earlier one of the same name is gone, whatever the registry says. */
  met(nodeID: string, incarnation: string): void {
    const earlier = this.incarnations.get(nodeID);
    if (earlier === incarnation) return;
    this.incarnations.set(nodeID, incarnation);
    if (earlier !== undefined) this.listener.coreLost(earlier);
  }

  /** A node left the registry. */
  lost(nodeID: string): void {
    const incarnation = this.incarnations.get(nodeID);
    this.incarnations.delete(nodeID);
    this.slow.forget(nodeID);
    if (incarnation !== undefined) this.listener.coreLost(incarnation);
  }

  /** The incarnations that the store lists; see `listMarks`. @throws as `read` */
  async marks(): Promise<readonly ListedMark[]> {
    return (await this.read("room.marks", {})).marks;
  }

  /**
   * Reads from whichever core node answers: this one, else one after the other.
   * @param writer  an incarnation that is asked last: it may be dead
   * @throws the last node's error; ParleyError UNAVAILABLE when there is none
   */
  async read<N extends Read>(
    name: N,
    params: RoomInternal[N]["params"],
    writer?: string,
  ): Promise<RoomInternal[N]["result"]> {
    let failure: unknown = new ParleyError("UNAVAILABLE");
    const nodes = this.inOrder(name, writer);
    for (const [at, nodeID] of nodes.entries()) {
      const timeout = at === nodes.length - 1 ? LAST_PATIENCE_MS : PATIENCE_MS;
      try {
        return await this.slow.watch(nodeID, callRoom(this.broker, name, params, { nodeID, timeout }));
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  private async hear(nodeID: string): Promise<void> {
    try {
      const options = { nodeID, timeout: HEAR_TIMEOUT_MS };
      const { incarnation, flush } = await callRoom(this.broker, "room.progress", {}, options);
      this.met(nodeID, incarnation);
      this.listener.coreHeard(incarnation, flush);
    } catch {
      // Whatever it writes from now on is heard by its broadcasts and beats.
    }
  }

  private nodes(action: string): string[] {
    return offersOf(this.broker, action).map(({ id }) => id);
  }

  /** Each in its turn, and those last from which no answer is to be expected. */
  private inOrder(action: string, writer: string | undefined): string[] {
    const nodes = this.nodes(action);
    if (nodes.includes(this.broker.nodeID)) return [this.broker.nodeID];
    const first = this.turn++ % Math.max(nodes.length, 1);
    const turned = [...nodes.slice(first), ...nodes.slice(0, first)];
    const doubtful = (nodeID: string): boolean =>
      this.slow.has(nodeID) || (writer !== undefined && this.incarnations.get(nodeID) === writer);
    return [...turned.filter((nodeID) => !doubtful(nodeID)), ...turned.filter(doubtful)];
  }
}
