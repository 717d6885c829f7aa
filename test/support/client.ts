import { setTimeout as pause } from "node:timers/promises";
import { io, type Socket } from "socket.io-client";
import type { WireError } from "../../lib/errors";
import type { WireEvent } from "../../services/schemas";
import type { ClientLog, SentCommand } from "./oracle";
import { until } from "./wait";
import { View } from "./view";

export interface ClientOptions {
  readonly url: string;
  readonly user: string;
  /** The access token; a function is asked before every connection. */
  readonly token: string | (() => string | Promise<string>);
  /** How long one attempt waits for its acknowledgement. */
  readonly ackTimeoutMs?: number;
}

/** A refusal by the server. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly type: string;
  readonly retryable: boolean;
  readonly data: Record<string, unknown> | undefined;
  constructor(
    readonly event: string,
    readonly error: WireError,
  ) {
    super(`${event}: ${error.type}: ${error.message}`);
    this.type = error.type;
    this.retryable = error.retryable;
    this.data = error.data;
  }
}

/** An attempt that a client had to repeat, or gave up: refused, unanswered in time, or cut off. */
export interface Failure {
  readonly event: string;
  /** The error's type; `NO_ANSWER` when there was none. */
  readonly type: string;
  /** Milliseconds from the attempt to its failure. */
  readonly ms: number;
  /** When it failed, in milliseconds of `performance.now()`. */
  readonly at: number;
}

/** A command's payload. */
export type Command = { readonly commandId: string } & Readonly<Record<string, unknown>>;

type Reply = { ok: true; data: unknown } | { ok: false; error: WireError };
interface SyncAnswer {
  events: WireEvent[];
  reset: string[];
  more: boolean;
}

/** A command on its way; `seq` comes with the acknowledgement. */
interface Sent extends SentCommand {
  seq?: number;
}

const RETRY_MS = 50;

/**
 * A stock socket.io-client that does what docs/protocol.md asks of a good client: it repeats commands with the same id
 * until it knows the outcome, notices holes, catches up after every reconnection, and drops what it has. It logs what the
 * oracle needs.
 */
export class ParleyClient implements ClientLog {
  readonly user: string;
  readonly socket: Socket;
  readonly sent: Sent[] = [];
  readonly view = new View();
  /** Server events other than `events`, in order of arrival. */
  readonly heard: Array<{ name: string; data: unknown }> = [];
  /** Conversations the server told to load afresh. */
  readonly resets: string[] = [];
  /** Attempts of commands that failed, in order. */
  readonly failures: Failure[] = [];
  private readonly lanes = new Map<string, Promise<unknown>>();
  private syncing: Promise<void> | undefined;
  private syncAgain = false;
  private closed = false;

  constructor(private readonly options: ClientOptions) {
    const { url, token, user } = options;
    this.user = user;
    this.socket = io(url, {
      transports: ["websocket"],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
      auth: (give) => void Promise.resolve(typeof token === "string" ? token : token()).then((t) => give({ token: t })),
    });
    this.socket.on("connect", () => this.catchUp());
    this.socket.on("disconnect", () => this.comeBack());
    this.socket.on("connect_error", () => this.comeBack());
    this.socket.on("events", (events: WireEvent[]) => this.take(events));
    this.socket.onAny((name: string, data: unknown) => name !== "events" && this.heard.push({ name, data }));
  }

  /** Opens a client and waits until it is connected. @throws Error when the server refuses the connection */
  static async open(options: ClientOptions): Promise<ParleyClient> {
    const client = new ParleyClient(options);
    let refused: Error | undefined;
    client.socket.once("connect_error", (error) => (refused = error));
    await until(`${options.user} is connected`, () => client.socket.connected || refused !== undefined);
    if (!client.socket.connected) {
      client.close();
      throw refused ?? new Error("not connected");
    }
    return client;
  }

  get seen() {
    return this.view.seen;
  }

  close(): void {
    this.closed = true;
    this.socket.disconnect();
  }

  /** Cuts the transport as a lost network does, without a word to the server; the client reconnects by itself. */
  cut(): void {
    this.socket.io.engine.close();
  }

  /** One attempt. @throws Refusal, or Error when there was no answer in time */
  async request<T>(event: string, data: unknown): Promise<T> {
    const reply = (await this.socket.timeout(this.options.ackTimeoutMs ?? 5_000).emitWithAck(event, data)) as Reply;
    if (!reply.ok) throw new Refusal(event, reply.error);
    return reply.data as T;
  }

  /** Repeats a command with the same id until its outcome is known. @throws Refusal that is final */
  async command<T>(event: string, data: Command): Promise<T> {
    for (;;) {
      if (this.closed) throw new Error(`${event}: the client was closed`);
      if (this.socket.connected) {
        const outcome = await this.attempt<T>(event, data);
        if (outcome) return outcome.value;
      }
      await pause(RETRY_MS * (0.5 + Math.random()));
    }
  }

  private async attempt<T>(event: string, data: unknown): Promise<{ value: T } | undefined> {
    const begunAt = performance.now();
    try {
      return { value: await this.request<T>(event, data) };
    } catch (error) {
      const type = error instanceof Refusal ? error.type : "NO_ANSWER";
      const at = performance.now();
      this.failures.push({ event, type, ms: at - begunAt, at });
      if (error instanceof Refusal && !error.retryable) throw error;
      return undefined;
    }
  }

  /**
   * Sends a message, after those sent before it in this conversation, until its outcome is known.
   * @param more  what makes it a note: `audience`, `whisper`
   */
  send(
    conversationId: string,
    text: string,
    commandId: string = crypto.randomUUID(),
    more: { readonly audience?: "staff"; readonly whisper?: boolean } = {},
  ): Promise<{ seq: number }> {
    const before = this.lanes.get(conversationId) ?? Promise.resolve();
    const sending = before.then(async () => {
      const record: Sent = { conversationId, commandId, intent: text };
      this.sent.push(record);
      const answer = await this.command<{ seq: number }>("message.send", { conversationId, commandId, text, ...more });
      record.seq = answer.seq;
      return answer;
    });
    this.lanes.set(
      conversationId,
      sending.catch(() => undefined),
    );
    return sending;
  }

  /** Follows a conversation that this client knows it is in, from what it has of it. */
  follow(conversationId: string): void {
    this.view.follow(conversationId).gone = false;
    this.catchUp();
  }

  /** The last seq taken over of a conversation, 0 when there is none. */
  lastSeq(conversationId: string): number {
    return this.view.lastSeq(conversationId);
  }

  /** Waits until this client has everything of a conversation through `seq`. */
  async reaches(conversationId: string, seq: number, timeoutMs?: number): Promise<void> {
    const what = `${this.user} has ${conversationId} through ${seq}`;
    await until(what, () => this.lastSeq(conversationId) >= seq, timeoutMs).catch((error: unknown) => {
      throw new Error(`${String(error)}; it has ${this.lastSeq(conversationId)}`);
    });
  }

  /** The events taken over of a conversation. */
  events(conversationId: string): readonly WireEvent[] {
    return this.view.seen.get(conversationId) ?? [];
  }

  private take(events: readonly WireEvent[]): void {
    if (this.view.take(events)) this.catchUp();
  }

  /** Brings every known conversation up to date; a request made meanwhile starts another round. */
  private catchUp(): void {
    if (this.syncing) {
      this.syncAgain = true;
      return;
    }
    this.syncAgain = false;
    this.syncing = this.sync()
      .catch(() => (this.socket.connected ? pause(RETRY_MS).then(() => void (this.syncAgain = true)) : undefined))
      .finally(() => {
        this.syncing = undefined;
        if (this.syncAgain && !this.closed) this.catchUp();
      });
  }

  private async sync(): Promise<void> {
    for (let more = true; more;) {
      const cursors = this.view.cursors();
      if (Object.keys(cursors).length === 0) return;
      const answer = await this.request<SyncAnswer>("conversation.sync", { cursors });
      this.resets.push(...answer.reset);
      for (const conversationId of answer.reset) this.view.forget(conversationId);
      this.view.take(answer.events);
      more = answer.more;
    }
  }

  /** After a word of the server socket.io-client does not reconnect by itself. */
  private comeBack(): void {
    if (this.closed || this.socket.active) return;
    setTimeout(() => !this.closed && this.socket.connect(), RETRY_MS).unref();
  }
}
