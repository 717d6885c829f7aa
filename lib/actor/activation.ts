import { ParleyError } from "../errors";
import { type Behaviour, type Command, type Decision, type Outcome, STALE } from "./behaviour";
import { Backoff } from "./backoff";
import { Call } from "./call";
import type { HeadReader } from "./head-reader";
import type { Clock, LogDocument, LogPort, Random } from "./ports";
import type { Submitter, Writer } from "./writer";

/** What all activations of a node share. */
export interface ActivationContext<S, C extends Command, D extends LogDocument, F, N> {
  readonly behaviour: Behaviour<S, C, D, F, N>;
  readonly log: LogPort<D>;
  readonly writer: Writer<D>;
  readonly heads: HeadReader<D>;
  readonly clock: Clock;
  readonly random: Random;
  /** Commands waiting or in flight in one activation; a further one is answered TOO_BUSY. */
  readonly maxMailbox: number;
  /** Every durable event of this node, in seq order per actor. */
  readonly onDurable: (id: string, event: D, state: S) => void;
  /** Events found in the log, beyond the snapshot or by a repeat: perhaps nobody has been told of them. */
  readonly onFound: (id: string, events: readonly D[], state: S) => void;
  /** Resolves when the snapshot of everything durable is written. */
  readonly projected: () => Promise<void>;
  /** A rule that threw, or a document the store will never take: the caller was answered INTERNAL. */
  readonly onFault?: (error: unknown) => void;
}

interface InFlight<S, C extends Command, D, N> {
  readonly call: Call<C, D, N>;
  readonly event: D;
  readonly state: S;
  /** Repeats that arrived before the event was durable. */
  readonly followers: Array<Call<C, D, N>>;
}

interface Waiter {
  readonly seq: number;
  readonly deadline: number;
  readonly resume: () => void;
  readonly fail: (error: Error) => void;
}

interface Reader {
  readonly deadline: number;
  readonly resume: () => void;
  readonly fail: (error: Error) => void;
}

/**
 * A live actor: one command at a time decides, many may be in flight to the writer. Decisions run ahead of the disk;
 * answers never do.
 */
export class Activation<S, C extends Command, D extends LogDocument, F, N> implements Submitter<D> {
  private mailbox: Array<Call<C, D, N>> = [];
  private inFlight: Array<InFlight<S, C, D, N>> = [];
  private readonly inFlightByCommand = new Map<string, InFlight<S, C, D, N>>();
  /** Repeats that wait for what is in flight. */
  private followers = 0;
  /** Refusals and no-ops waiting to be confirmed. */
  private readonly unconfirmed = new Set<Call<C, D, N>>();
  /** The command whose facts are being read. */
  private preparing: Call<C, D, N> | undefined;
  private readonly recent = new Map<string, D>();
  private waiters: Waiter[] = [];
  private readers: Reader[] = [];
  private readingHeads = 0;
  /** The state after everything decided, and after everything durable; undefined until loaded. */
  private decided: S | undefined;
  private durable: S | undefined;
  /** The log has events that are not ours: reload as soon as nothing is in flight. */
  private stale = false;
  private running = false;
  /** Counts reloads: what was begun under an older one is void. */
  private generation = 0;
  private arrivals = 0;
  lastUsedAt: number;

  constructor(
    readonly id: string,
    private readonly context: ActivationContext<S, C, D, F, N>,
  ) {
    this.lastUsedAt = context.clock.now();
  }

  /** Nothing waits here: the activation may be dropped. */
  get idle(): boolean {
    return this.depth === 0 && this.readers.length === 0 && this.readingHeads === 0 && !this.running;
  }

  get depth(): number {
    const deciding = this.unconfirmed.size + (this.preparing ? 1 : 0);
    return this.mailbox.length + this.inFlight.length + this.followers + deciding;
  }

  /** The state after all durable events, undefined while it is being loaded. */
  peek(): S | undefined {
    return this.durable;
  }

  /**
   * Takes a command. Resolves when its event is durable, or with a confirmed no-op.
   * @throws ParleyError: a confirmed refusal, COMMAND_REUSED, TOO_BUSY, UNAVAILABLE, UNKNOWN_OUTCOME, INTERNAL
   */
  ask(command: C): Promise<Outcome<D, N>> {
    this.lastUsedAt = this.context.clock.now();
    if (this.depth >= this.context.maxMailbox) return Promise.reject(new ParleyError("TOO_BUSY"));
    return new Promise((resolve, reject) => {
      this.mailbox.push(new Call(command, this.arrivals++, resolve, reject));
      this.run();
    });
  }

  /** The durable state, loaded when it must be. @throws ParleyError UNAVAILABLE at the deadline */
  async read(deadline: number): Promise<S> {
    this.lastUsedAt = this.context.clock.now();
    while (this.durable === undefined) {
      await new Promise<void>((resume, fail) => {
        this.readers.push({ deadline, resume, fail });
        this.run();
      });
    }
    return this.durable;
  }

  /**
   * Like `read`, but nothing that was durable when it was asked for is missing, whoever wrote it: an activation that is
   * not (or no longer) at home hears of no event until it decides again.
   */
  async readHead(deadline: number): Promise<S> {
    const { heads, behaviour } = this.context;
    this.readingHeads++;
    try {
      for (;;) {
        const { head } = await heads.confirm({ stream: this.id, by: "", commandId: "" }, deadline);
        const state = await this.read(deadline);
        if (behaviour.seqOf(state) >= head) return state;
        if (this.decided === undefined || behaviour.seqOf(this.decided) < head) this.reload();
        // Either it becomes durable here, or what is in flight is settled and the state is loaded again.
        if (this.inFlight.length > 0) await this.durableAt(head, deadline);
      }
    } finally {
      this.readingHeads--;
    }
  }

  /** Answers everybody whose deadline has passed with what is known. */
  expire(now: number): void {
    const late = (call: Call<C, D, N>): void => {
      if (now >= call.command.deadline) call.expire();
    };
    this.mailbox.forEach(late);
    for (const { call, followers } of this.inFlight) [call, ...followers].forEach(late);
    this.unconfirmed.forEach(late);
    if (this.preparing) late(this.preparing);
    this.mailbox = this.mailbox.filter(({ settled }) => !settled);
    const { readers } = this;
    this.readers = readers.filter(({ deadline }) => now < deadline);
    const { waiters } = this;
    this.waiters = waiters.filter(({ deadline }) => now < deadline);
    for (const { deadline, fail } of [...readers, ...waiters])
      if (now >= deadline) fail(new ParleyError("UNAVAILABLE"));
  }

  stored(event: D): void {
    const entry = this.takeInFlight(event);
    this.durable = entry.state;
    this.remember(event);
    this.context.onDurable(this.id, event, entry.state);
    entry.call.answer({ event, repeated: false });
    for (const follower of entry.followers) this.answerKnown(follower, event);
    this.wake(event.seq);
    if (this.stale && this.inFlight.length === 0) this.forget([]);
    if (this.mailbox.length > 0) this.run();
  }

  rejected(event: D, reason: Error): void {
    const entry = this.takeInFlight(event);
    this.context.onFault?.(reason);
    for (const call of [entry.call, ...entry.followers]) call.fail("INTERNAL");
  }

  dropped(): void {
    const calls = this.inFlight.flatMap(({ call, followers }) => [call, ...followers]);
    for (const call of calls) call.phase = "unsure";
    this.inFlight = [];
    this.inFlightByCommand.clear();
    this.followers = 0;
    this.forget(calls);
  }

  resumed(): void {
    if (this.mailbox.length > 0) this.run();
  }

  private run(): void {
    if (this.running) return;
    this.running = true;
    void this.work().then(() => {
      this.running = false;
      if (this.wanted() && (this.decided === undefined || this.mayDecide())) this.run();
    });
  }

  private wanted(): boolean {
    return this.mailbox.length > 0 || this.readers.length > 0;
  }

  private mayDecide(): boolean {
    return (
      this.decided !== undefined &&
      this.mailbox.length > 0 &&
      !this.stale &&
      !this.context.writer.isStalled(this.id) &&
      !(this.inFlight.length > 0 && this.context.behaviour.overgrown(this.decided))
    );
  }

  private async work(): Promise<void> {
    if (this.decided === undefined) await this.load();
    while (this.mayDecide()) {
      const call = this.mailbox.shift();
      const state = this.decided;
      if (!call || call.settled || state === undefined) continue;
      if (this.context.clock.now() >= call.command.deadline) call.expire();
      else if (this.context.behaviour.overgrown(state)) await this.rebase(call);
      else if (!this.isRepeat(call)) {
        const reading = this.begin(call, state);
        if (reading) await this.prepare(call, reading);
      }
      if (this.decided === undefined) await this.load();
    }
  }

  private readonly undurable = (): readonly D[] => this.inFlight.map(({ event }) => event);

  /** Decides at once, or answers what must be read first. */
  private begin(call: Call<C, D, N>, state: S): Promise<F | typeof STALE> | undefined {
    try {
      const reading = this.context.behaviour.prepare(state, call.command, this.undurable);
      if (reading === undefined) this.decide(call, undefined);
      return reading;
    } catch (error) {
      this.fault(call, error);
      return undefined;
    }
  }

  /** Waits for the facts of a decision; nothing else is decided meanwhile. */
  private async prepare(call: Call<C, D, N>, reading: Promise<F | typeof STALE>): Promise<void> {
    const { generation } = this;
    this.preparing = call;
    const read = await reading.then(
      (facts): { readonly facts: F | typeof STALE } => ({ facts }),
      () => undefined,
    );
    this.preparing = undefined;
    if (call.settled) return;
    if (read === undefined) return call.fail("UNAVAILABLE");
    if (generation === this.generation && read.facts !== STALE) return this.tryDecide(call, read.facts);
    this.requeue([call]);
    if (read.facts === STALE) this.reload();
  }

  private tryDecide(call: Call<C, D, N>, facts: F): void {
    try {
      this.decide(call, facts);
    } catch (error) {
      this.fault(call, error);
    }
  }

  /** A rule threw: that command has failed, the actor goes on. */
  private fault(call: Call<C, D, N>, error: unknown): void {
    this.context.onFault?.(error);
    call.fail("INTERNAL");
  }

  private decide(call: Call<C, D, N>, facts: F | undefined): void {
    const { behaviour, clock } = this.context;
    const state = this.decided;
    if (state === undefined) return this.requeue([call]);
    const decision = behaviour.decide(state, call.command, facts, clock.now());
    if ("event" in decision) return this.submit(call, decision.event, behaviour.evolve(state, decision.event));
    this.unconfirmed.add(call);
    void this.confirm(call, decision, behaviour.seqOf(state));
  }

  private submit(call: Call<C, D, N>, event: D, state: S): void {
    this.decided = state;
    call.phase = "in flight";
    const entry: InFlight<S, C, D, N> = { call, event, state, followers: [] };
    this.inFlight.push(entry);
    this.inFlightByCommand.set(commandKey(call.command), entry);
    const bytes = this.context.behaviour.sizeOf(event);
    this.context.writer.append({ stream: this.id, document: event, bytes, submitter: this });
  }

  /**
   * A refusal decided at seq S holds when S is durable and a majority read of the log's head, begun after the command
   * arrived, shows nothing that this activation did not write itself: then S was the truth when it was decided.
   */
  private async confirm(call: Call<C, D, N>, decision: Exclude<Decision<D, N>, { event: D }>, seq: number) {
    const { generation } = this;
    const { by, commandId } = call.command;
    await this.durableAt(seq);
    if (generation !== this.generation) return;
    const { head, known } = await this.context.heads.confirm({ stream: this.id, by, commandId });
    if (generation !== this.generation) return;
    if (!known) {
      if (this.decided === undefined || head > this.context.behaviour.seqOf(this.decided)) return this.reload();
      await this.durableAt(head);
      if (generation !== this.generation) return;
    }
    this.unconfirmed.delete(call);
    if (known) this.answerFound(call, known);
    else if ("refusal" in decision) call.fail(decision.refusal, decision.data);
    else call.answer({ noop: decision.noop });
  }

  private isRepeat(call: Call<C, D, N>): boolean {
    const key = commandKey(call.command);
    const entry = this.inFlightByCommand.get(key);
    if (entry) {
      call.phase = "in flight";
      entry.followers.push(call);
      this.followers++;
      return true;
    }
    const known = this.recent.get(key);
    if (known) this.answerKnown(call, known);
    return known !== undefined;
  }

  private answerKnown(call: Call<C, D, N>, event: D): void {
    if (event.request === call.command.request) call.answer({ event, repeated: true });
    else call.fail("COMMAND_REUSED");
  }

  /** Answers a command whose event was found in the log: nobody may have been told of it. */
  private answerFound(call: Call<C, D, N>, event: D): void {
    this.remember(event);
    if (this.durable !== undefined) this.context.onFound(this.id, [event], this.durable);
    this.answerKnown(call, event);
  }

  private takeInFlight(event: D): InFlight<S, C, D, N> {
    const entry = this.inFlight.shift();
    if (entry?.event !== event) throw new Error(`log of ${this.id}: answers out of order at seq ${event.seq}`);
    this.inFlightByCommand.delete(commandKey(event));
    this.followers -= entry.followers.length;
    return entry;
  }

  private remember(event: D): void {
    this.recent.set(commandKey(event), event);
    if (this.recent.size <= RECENT_COMMANDS) return;
    for (const oldest of this.recent.keys()) {
      this.recent.delete(oldest);
      break;
    }
  }

  /** Resolves when everything through `seq` is durable, or when the activation reloads; rejects at the deadline. */
  private durableAt(seq: number, deadline = Number.POSITIVE_INFINITY): Promise<void> | undefined {
    if (this.durable !== undefined && this.context.behaviour.seqOf(this.durable) >= seq) return undefined;
    return new Promise((resume, fail) => this.waiters.push({ seq, deadline, resume, fail }));
  }

  private wake(seq: number): void {
    if (this.waiters.length === 0) return;
    const { waiters } = this;
    this.waiters = waiters.filter((waiter) => waiter.seq > seq);
    for (const waiter of waiters) if (waiter.seq <= seq) waiter.resume();
  }

  private requeue(calls: ReadonlyArray<Call<C, D, N>>): void {
    this.mailbox = [...this.mailbox, ...calls].sort((a, b) => a.order - b.order);
  }

  private reload(): void {
    this.stale = true;
    if (this.inFlight.length === 0) this.forget([]);
  }

  /** Throws the state away; the calls, and whatever was not confirmed, are decided again on the next one. */
  private forget(calls: ReadonlyArray<Call<C, D, N>>): void {
    this.generation++;
    this.stale = false;
    this.decided = undefined;
    this.durable = undefined;
    this.requeue([...calls, ...this.unconfirmed]);
    this.unconfirmed.clear();
    this.wake(Number.POSITIVE_INFINITY);
    this.run();
  }

  private async rebase(call: Call<C, D, N>): Promise<void> {
    this.requeue([call]);
    await this.context.projected();
    if (this.inFlight.length === 0) this.forget([]);
  }

  /** Loads the state, then looks up every command that was in flight when it was thrown away. */
  private async load(): Promise<void> {
    const { behaviour, log, clock, random, onFound } = this.context;
    const backoff = new Backoff(clock, random, { firstMs: 10, maxMs: 1_000 });
    while (this.wanted()) {
      try {
        const { state, found } = await behaviour.load(this.id);
        const unsure = this.mailbox.filter(({ phase }) => phase === "unsure");
        const known = await log.commands(unsure.map(({ command }) => this.refOf(command)));
        this.decided = state;
        this.durable = state;
        if (found.length > 0) onFound(this.id, found, state);
        this.resolveUnsure(unsure, known);
        break;
      } catch {
        await backoff.wait();
      }
    }
    for (const reader of this.readers.splice(0)) reader.resume();
  }

  private resolveUnsure(unsure: ReadonlyArray<Call<C, D, N>>, known: ReadonlyArray<D | undefined>): void {
    unsure.forEach((call, at) => {
      const event = known[at];
      call.phase = "waiting";
      if (event) this.answerFound(call, event);
    });
    this.mailbox = this.mailbox.filter(({ settled }) => !settled);
  }

  private refOf({ by, commandId }: C) {
    return { stream: this.id, by, commandId };
  }
}

/** Commands remembered per activation; older repeats are found in the log. */
const RECENT_COMMANDS = 64;
const commandKey = ({ by, commandId }: { by: string; commandId: string }): string => `${by}\n${commandId}`;
