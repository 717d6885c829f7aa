import { io, type Socket } from "socket.io-client";
import type { WireError } from "../../lib/errors";
import type { WireEvent } from "../../services/schemas";
import { CommandFailure } from "../command-line";
import type { Login } from "../rest-client";

type Reply = { ok: true; data: unknown } | { ok: false; error: WireError };

const ANSWER_MS = 10_000;

/** Where a customer stands in the queue; see `queue.position` in the protocol. */
export interface Place {
  readonly sessionId: string;
  readonly from: number;
  readonly to: number;
}

/** One side of the conversation: a stock Socket.IO client that follows conversations by seq. */
export class Participant {
  private readonly taken = new Map<string, WireEvent[]>();
  private readonly places = new Map<string, Place>();

  private constructor(
    readonly name: string,
    readonly id: string,
    private readonly socket: Socket,
  ) {
    socket.on("events", (events: WireEvent[]) => this.onEvents(events));
    socket.on("queue.position", (place: Place) => this.places.set(place.sessionId, place));
  }

  /** Connects with the login's token and adds itself to `everyone`, for closing. @throws CommandFailure when it is refused */
  static async connect(url: string, name: string, login: Login, everyone: Participant[]): Promise<Participant> {
    const socket = io(url, { auth: { token: login.accessToken }, reconnection: false, forceNew: true });
    const participant = new Participant(name, login.user.id, socket);
    everyone.push(participant);
    await participant.connected();
    return participant;
  }

  close(): void {
    this.socket.disconnect();
  }

  /** Sends a command with a fresh commandId and answers its result. @throws Error with the `type` of a refusal */
  async command<T>(event: string, data: object): Promise<T> {
    return this.request<T>(event, { commandId: crypto.randomUUID(), ...data });
  }

  /** Closes the transport under the socket, as a lost network does. */
  loseConnection(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once("disconnect", () => resolve());
      this.socket.io.engine.close();
    });
  }

  async comeBack(): Promise<void> {
    this.socket.connect();
    await this.connected();
  }

  /** Fetches everything after the last seq that is known here. @returns how many events were new */
  async catchUp(conversationId: string): Promise<number> {
    const before = this.events(conversationId).length;
    for (let more = true; more;) {
      const cursors = { [conversationId]: this.lastSeq(conversationId) };
      const page = await this.request<{ events: WireEvent[]; reset: string[]; more: boolean }>("conversation.sync", {
        cursors,
      });
      if (page.reset.length > 0) throw new CommandFailure(`${this.name} was told to load ${conversationId} afresh`);
      this.take(page.events);
      more = page.more;
    }
    return this.events(conversationId).length - before;
  }

  events(conversationId: string): readonly WireEvent[] {
    return this.taken.get(conversationId) ?? [];
  }

  lastSeq(conversationId: string): number {
    return this.events(conversationId).at(-1)?.seq ?? 0;
  }

  /** Waits until everything through `seq` has arrived. @throws CommandFailure naming what is missing */
  async reaches(conversationId: string, seq: number): Promise<void> {
    await this.waits(
      () => this.lastSeq(conversationId) >= seq || undefined,
      () => `${this.name} has seq ${this.lastSeq(conversationId)}, ${seq} is missing`,
    );
  }

  /** Waits for an event that there is one of. @throws CommandFailure when it does not come */
  async sees(conversationId: string, type: string): Promise<WireEvent> {
    const found = () => this.events(conversationId).find((event) => event.type === type);
    return this.waits(found, () => `${this.name} waited for ${type} in vain`);
  }

  /** Waits to be told of this place in the queue. @throws CommandFailure when that does not happen */
  async stands(sessionId: string, at: number): Promise<void> {
    const told = () => this.places.get(sessionId)?.from;
    await this.waits(
      () => told() === at || undefined,
      () => `${this.name} was told of place ${told() ?? "none"} instead of ${at}`,
    );
  }

  private async waits<T>(look: () => T | undefined, complaint: () => string): Promise<T> {
    const deadline = Date.now() + ANSWER_MS;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new CommandFailure(complaint());
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  private onEvents(events: readonly WireEvent[]): void {
    const holes = this.take(events);
    for (const conversationId of holes) this.catchUp(conversationId).catch(() => undefined);
  }

  /** Takes over what attaches to the last known event and drops what is known. @returns conversations with a hole */
  private take(events: readonly WireEvent[]): Set<string> {
    const holes = new Set<string>();
    for (const event of events) {
      const { conversationId, seq, prevSeq } = event;
      const known = this.taken.get(conversationId) ?? [];
      this.taken.set(conversationId, known);
      const last = known.at(-1)?.seq ?? 0;
      if (prevSeq > last) holes.add(conversationId);
      else if (seq > last) known.push(event);
    }
    return holes;
  }

  private async request<T>(event: string, data: object): Promise<T> {
    const answer: unknown = await this.socket.timeout(ANSWER_MS).emitWithAck(event, data);
    const reply = answer as Reply;
    if (reply.ok) return reply.data as T;
    const { type, message } = reply.error;
    throw new CommandFailure(`${event} was refused for ${this.name}: ${type}: ${message}`, reply.error);
  }

  private connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.socket.connected) return resolve();
      this.socket.once("connect", resolve);
      this.socket.once("connect_error", (error) =>
        reject(new CommandFailure(`${this.name} cannot connect: ${error.message}`)),
      );
    });
  }
}
