import type { Behaviour, Command, Decision, Outcome, STALE } from "../../../lib/actor/behaviour";
import { HeadReader } from "../../../lib/actor/head-reader";
import { ActorHost } from "../../../lib/actor/host";
import { Writer } from "../../../lib/actor/writer";
import { type ErrorType, isParleyError } from "../../../lib/errors";
import { FakeLog, type StreamDocument } from "../../support/fake-log";
import { SeededRandom, settle, VirtualClock } from "../../support/virtual-clock";

/** A register that takes values until it is sealed: the least an actor can be. */
export interface Register {
  readonly id: string;
  readonly seq: number;
  readonly values: readonly string[];
  readonly sealed: boolean;
}

export interface Entry extends StreamDocument {
  readonly action: "put" | "seal";
  readonly value: string;
  readonly size: number;
}

export interface RegisterCommand extends Command {
  readonly action: "put" | "seal" | "look" | "broken";
  readonly value: string;
  readonly key?: string;
  readonly size: number;
}

/** Facts and answers of no-ops. */
export type Facts = { readonly refuse?: ErrorType };
export type Looked = { readonly seq: number };

export class RegisterBehaviour implements Behaviour<Register, RegisterCommand, Entry, Facts, Looked> {
  /** Reads for a decision; none unless a test sets it. */
  facts: (
    state: Register,
    command: RegisterCommand,
    undurable: () => readonly Entry[],
  ) => Promise<Facts | typeof STALE> | undefined = () => undefined;
  isOvergrown: (state: Register) => boolean = () => false;
  /** How many of the log's entries the snapshot covers. */
  snapshotSeq = 0;
  decided = 0;

  constructor(
    private readonly log: FakeLog<Entry>,
    private readonly random: SeededRandom,
  ) {}

  async load(id: string): Promise<{ state: Register; found: readonly Entry[] }> {
    const entries = await this.log.load(id);
    const state = entries.reduce<Register>((before, entry) => this.evolve(before, entry), emptyRegister(id));
    return { state, found: entries.filter(({ seq }) => seq > this.snapshotSeq) };
  }

  seqOf(state: Register): number {
    return state.seq;
  }

  prepare(state: Register, command: RegisterCommand, undurable: () => readonly Entry[]) {
    return this.facts(state, command, undurable);
  }

  decide(state: Register, command: RegisterCommand, facts: Facts | undefined): Decision<Entry, Looked> {
    this.decided++;
    const { action, value, by, commandId, request, key, size } = command;
    if (action === "broken") throw new Error("a rule that fails");
    if (facts?.refuse) return { refusal: facts.refuse };
    if (action === "look") return { noop: { seq: state.seq } };
    if (state.sealed) return { refusal: "SESSION_CLOSED", data: { seq: state.seq } };
    const head = { _id: this.random.id(), stream: state.id, seq: state.seq + 1, by, commandId, request };
    const event: Entry = { ...head, action, value, size, incarnation: "", flush: 0, ...(key !== undefined && { key }) };
    return { event };
  }

  evolve(state: Register, event: Entry): Register {
    const values = event.action === "put" ? [...state.values, event.value] : state.values;
    return { id: state.id, seq: event.seq, values, sealed: state.sealed || event.action === "seal" };
  }

  overgrown(state: Register): boolean {
    return this.isOvergrown(state);
  }

  sizeOf(entry: Entry): number {
    return entry.size;
  }
}

const emptyRegister = (id: string): Register => ({ id, seq: 0, values: [], sealed: false });

/** One caller's view of its command. */
export class Asked {
  /** `pending`, `stored <seq>`, `repeat <seq>`, `noop <seq>`, or the type of the error. */
  answer = "pending";
  event: Entry | undefined;
  data: Record<string, unknown> | undefined;
  readonly done: Promise<void>;

  constructor(outcome: Promise<Outcome<Entry, Looked>>) {
    this.done = outcome.then(
      (result) => {
        if ("noop" in result) this.answer = `noop ${result.noop.seq}`;
        else {
          this.event = result.event;
          this.answer = `${result.repeated ? "repeat" : "stored"} ${result.event.seq}`;
        }
      },
      (error: unknown) => {
        this.answer = isParleyError(error) ? error.type : String(error);
        this.data = isParleyError(error) ? error.data : undefined;
      },
    );
  }
}

export interface RigOptions {
  readonly log?: FakeLog<Entry>;
  readonly clock?: VirtualClock;
  readonly name?: string;
  readonly seed?: number;
  readonly maxMailbox?: number;
  readonly maxActivations?: number;
  readonly idleMs?: number;
  readonly maxDocuments?: number;
  readonly maxBytes?: number;
  readonly beforeInsert?: () => Promise<void> | undefined;
  readonly projected?: () => Promise<void>;
  readonly freshMs?: number;
  readonly isHome?: (id: string) => boolean;
}

export type Sent = Partial<Pick<RegisterCommand, "action" | "by" | "value" | "key" | "size" | "request" | "deadline">>;

/** One node: a host, its writer and its head reader over a fake log. */
export class Rig {
  readonly log: FakeLog<Entry>;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly behaviour: RegisterBehaviour;
  readonly writer: Writer<Entry>;
  readonly host: ActorHost<Register, RegisterCommand, Entry, Facts, Looked>;
  /** Settled flushes: number and the seqs stored. */
  readonly flushes: Array<{ flush: number; stored: string[] }> = [];
  readonly durable: string[] = [];
  readonly found: string[] = [];
  readonly faults: unknown[] = [];
  fences = 0;

  constructor(options: RigOptions = {}) {
    const name = options.name ?? "node";
    this.log = options.log ?? new FakeLog<Entry>();
    this.clock = options.clock ?? new VirtualClock();
    this.random = new SeededRandom(name, options.seed);
    this.behaviour = new RegisterBehaviour(this.log, this.random);
    const { log, clock, random } = this;
    this.writer = new Writer<Entry>({
      log,
      clock,
      random,
      incarnation: name,
      maxDocuments: options.maxDocuments ?? 100,
      maxBytes: options.maxBytes ?? 1_000_000,
      beforeInsert: () => options.beforeInsert?.(),
      onSettled: (flush, stored) => this.flushes.push({ flush, stored: stored.map(nameOf) }),
      onFence: () => this.fences++,
    });
    this.host = new ActorHost(
      {
        behaviour: this.behaviour,
        log,
        writer: this.writer,
        heads: new HeadReader(log, clock, random),
        clock,
        random,
        maxMailbox: options.maxMailbox ?? 100,
        freshMs: options.freshMs,
        onDurable: (_id, event) => this.durable.push(nameOf(event)),
        onFound: (_id, events) => this.found.push(...events.map(nameOf)),
        projected: options.projected ?? (() => Promise.resolve()),
        onFault: (error) => this.faults.push(error),
      },
      {
        maxActivations: options.maxActivations ?? 100,
        idleMs: options.idleMs ?? 60_000,
        ...(options.isHome && { isHome: options.isHome }),
      },
    );
  }

  /** Sends a command; `value` is the commandId unless given, and the deadline 5 s from now. */
  send(stream: string, commandId: string, sent: Sent = {}): Asked {
    const { action = "put", by = "ann", value = commandId, size = 100 } = sent;
    const { request = `${action} ${value}`, deadline = this.clock.now() + 5_000 } = sent;
    const head = { action, by, commandId, value, size, request, deadline };
    return new Asked(this.host.ask(stream, sent.key === undefined ? head : { ...head, key: sent.key }));
  }

  /** Activates a stream, so that what follows is decided at once. */
  async activate(...streams: string[]): Promise<void> {
    await Promise.all(streams.map((stream) => this.host.read(stream, this.clock.now() + 5_000)));
    await settle();
  }

  /** Runs `send` while flush 1 (one entry of stream `warm`) is in flight: what it sends is flush 2, whole. */
  async inOneFlush<T>(send: () => T, next: () => void = () => undefined): Promise<T> {
    const held = this.log.hold("insert");
    this.send("warm", "up");
    await settle();
    const sent = send();
    await settle();
    next();
    held.proceed();
    await settle();
    return sent;
  }

  /** Stops the node. @throws Error when something taken is never answered */
  async stop(): Promise<void> {
    let stopped = false;
    void this.host.stop().then(() => (stopped = true));
    for (let i = 0; i < 100 && !stopped; i++) await this.clock.advance(100);
    if (!stopped) throw new Error("the node does not stop: something is never answered");
  }
}

/** An entry as another home would have written it. */
export const entry = (stream: string, seq: number, more: Partial<Entry> = {}): Entry => ({
  _id: `other-${stream}-${seq}`,
  stream,
  seq,
  by: "other",
  commandId: `other-${seq}`,
  request: "put other",
  action: "put",
  value: `other-${seq}`,
  size: 100,
  incarnation: "elsewhere",
  flush: 1,
  ...more,
});

export const nameOf = ({ stream, seq, value }: Entry): string => `${stream}${seq}:${value}`;
export { settle };
