import { type Behaviour, type Command, type Decision, type Outcome, STALE } from "./behaviour";
import { Backoff } from "./backoff";
import type { Call } from "./call";
import { CommandWindow } from "./command-window";
import { DurableState } from "./durable-state";
import type { HeadReader } from "./head-reader";
import { Mailbox } from "./mailbox";
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
  /**
   * Other nodes may write to the log: a state that was not compared with it for so many milliseconds is, before it is
   * read. Absent where nobody else writes.
   */
  readonly freshMs?: number | undefined;
  /** Every durable event of this node, in seq order per actor. */
  readonly onDurable: (id: string, event: D, state: S) => void;
  /** Events found in the log, beyond the snapshot or by a repeat: perhaps nobody has been told of them. */
  readonly onFound: (id: string, events: readonly D[], state: S) => void;
  /** Resolves when the snapshot of everything durable is written. */
  readonly projected: () => Promise<void>;
  /** A rule that threw, or a document the store will never take: the caller was answered INTERNAL. */
  readonly onFault?: (error: unknown) => void;
}

/**
 * A live actor: one command at a time decides, many may be in flight to the writer. Decisions run ahead of the disk;
 * answers never do.
 */
export class Activation<S, C extends Command, D extends LogDocument, F, N> implements Submitter<D> {
  private readonly mailbox = new Mailbox<C, D, N>();
  private readonly window: CommandWindow<S, C, D, N>;
  /** Refusals and no-ops waiting to be confirmed. */
  private readonly unconfirmed = new Set<Call<C, D, N>>();
  /** The command whose facts are being read. */
  private preparing: Call<C, D, N> | undefined;
  /** The state after everything durable. */
  private readonly durable: DurableState<S>;
  private readingHeads = 0;
  /** The state after everything decided; undefined until loaded. */
  private decided: S | undefined;
  /** The log has events that are not ours: reload as soon as nothing is in flight. */
  private stale = false;
  private running = false;
  /** Counts reloads: what was begun under an older one is void. */
  private generation = 0;
  lastUsedAt: number;

  constructor(
    readonly id: string,
    private readonly context: ActivationContext<S, C, D, F, N>,
  ) {
    this.window = new CommandWindow(id);
    this.durable = new DurableState(context.behaviour);
    this.lastUsedAt = context.clock.now();
  }

  /** Nothing waits here: the activation may be dropped. */
  get idle(): boolean {
    return this.depth === 0 && !this.durable.wanted && this.readingHeads === 0 && !this.running;
  }

  get depth(): number {
    const deciding = this.unconfirmed.size + (this.preparing ? 1 : 0);
    return this.mailbox.size + this.window.size + deciding;
  }

  /** The state after all durable events, undefined while it is being loaded. */
  peek(): S | undefined {
    return this.durable.current;
  }

  /**
   * Takes a command. Resolves when its event is durable, or with a confirmed no-op.
   * @throws ParleyError: a confirmed refusal, COMMAND_REUSED, TOO_BUSY, UNAVAILABLE, UNKNOWN_OUTCOME, INTERNAL
   */
  ask(command: C): Promise<Outcome<D, N>> {
    this.lastUsedAt = this.context.clock.now();
    return new Promise((resolve, reject) => {
      const call = this.mailbox.call(command, resolve, reject);
      if (this.depth >= this.context.maxMailbox) {
        // A repeat of what may be stored should not hear that it is not; but repeats are bounded too.
        const taken = this.depth < 2 * this.context.maxMailbox && this.window.takeRepeat(call);
        return taken ? undefined : call.fail("TOO_BUSY");
      }
      this.mailbox.add(call);
      this.run();
    });
  }

  /** The durable state, at most `freshMs` behind the log. @throws ParleyError UNAVAILABLE at the deadline */
  readFresh(deadline: number): Promise<S> {
    const { freshMs, clock } = this.context;
    const { durable } = this;
    const fresh = freshMs === undefined || durable.current === undefined || durable.isFresh(clock.now(), freshMs);
    return fresh ? this.read(deadline) : this.readHead(deadline);
  }

  /** The durable state, loaded when it must be. @throws ParleyError UNAVAILABLE at the deadline */
  async read(deadline: number): Promise<S> {
    this.lastUsedAt = this.context.clock.now();
    for (;;) {
      const { current } = this.durable;
      if (current !== undefined) return current;
      const loaded = this.durable.loaded(deadline);
      this.run();
      await loaded;
    }
  }

  /**
   * Like `read`, but nothing that was durable when it was asked for is missing, whoever wrote it: an activation that is
   * not (or no longer) at home hears of no event until it decides again.
   */
  async readHead(deadline: number): Promise<S> {
    const { heads, behaviour, clock } = this.context;
    this.readingHeads++;
    try {
      for (;;) {
        const asked = clock.now();
        const { head } = await heads.confirm({ stream: this.id, by: "", commandId: "" }, deadline);
        const state = await this.read(deadline);
        if (behaviour.seqOf(state) >= head) {
          this.durable.confirm(asked);
          return state;
        }
        if (this.decided === undefined || behaviour.seqOf(this.decided) < head) this.reload();
        // Either it becomes durable here, or what is in flight is settled and the state is loaded again.
        if (!this.window.settled) await this.durable.reached(head, deadline);
      }
    } finally {
      this.readingHeads--;
    }
  }

  /** Answers everybody whose deadline has passed with what is known. */
  expire(now: number): void {
    this.mailbox.expire(now);
    this.window.expire(now);
    for (const call of this.unconfirmed) call.expire(now);
    this.preparing?.expire(now);
    this.durable.expire(now);
  }

  stored(event: D, since: number): void {
    const entry = this.window.take(event);
    this.durable.advance(entry.state, since);
    this.window.remember(event);
    this.context.onDurable(this.id, event, entry.state);
    entry.call.answer({ event, repeated: false });
    for (const follower of entry.followers) follower.answerRepeat(event);
    this.durable.tell(event.seq);
    if (this.stale && this.window.settled) this.forget([]);
    if (this.mailbox.size > 0) this.run();
  }

  rejected(event: D, reason: Error): void {
    const entry = this.window.take(event);
    this.context.onFault?.(reason);
    for (const call of [entry.call, ...entry.followers]) call.fail("INTERNAL");
  }

  dropped(): void {
    const calls = this.window.takeAll();
    for (const call of calls) call.phase = "unsure";
    this.forget(calls);
  }

  resumed(): void {
    if (this.mailbox.size > 0) this.run();
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
    return this.mailbox.size > 0 || this.durable.wanted;
  }

  private mayDecide(): boolean {
    return (
      this.decided !== undefined &&
      this.mailbox.size > 0 &&
      !this.stale &&
      !this.context.writer.isStalled(this.id) &&
      (this.window.settled || !this.context.behaviour.overgrown(this.decided))
    );
  }

  private async work(): Promise<void> {
    if (this.decided === undefined) await this.load();
    while (this.mayDecide()) {
      const call = this.mailbox.next();
      const state = this.decided;
      if (!call || state === undefined) continue;
      call.expire(this.context.clock.now());
      if (call.settled) continue;
      if (this.context.behaviour.overgrown(state)) await this.rebase(call);
      else if (!this.window.takeRepeat(call)) {
        const reading = this.begin(call, state);
        if (reading) await this.prepare(call, reading);
      }
      if (this.decided === undefined) await this.load();
    }
  }

  /** Decides at once, or answers what must be read first. */
  private begin(call: Call<C, D, N>, state: S): Promise<F | typeof STALE> | undefined {
    try {
      const reading = this.context.behaviour.prepare(state, call.command, this.window.undurable);
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
    call.expire(this.context.clock.now());
    if (call.settled) return;
    if (read === undefined) return call.fail("UNAVAILABLE");
    if (generation === this.generation && read.facts !== STALE) return this.tryDecide(call, read.facts);
    this.mailbox.requeue([call]);
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
    if (state === undefined) return this.mailbox.requeue([call]);
    const decision = behaviour.decide(state, call.command, facts, clock.now());
    if ("event" in decision) return this.submit(call, decision.event, behaviour.evolve(state, decision.event));
    this.unconfirmed.add(call);
    void this.confirm(call, decision, behaviour.seqOf(state));
  }

  private submit(call: Call<C, D, N>, event: D, state: S): void {
    this.decided = state;
    this.window.add(call, event, state);
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
    await this.durable.reached(seq);
    if (generation !== this.generation) return;
    const { head, known } = await this.context.heads.confirm({ stream: this.id, by, commandId });
    if (generation !== this.generation) return;
    if (!known) {
      if (this.decided === undefined || head > this.context.behaviour.seqOf(this.decided)) return this.reload();
      await this.durable.reached(head);
      if (generation !== this.generation) return;
    }
    this.unconfirmed.delete(call);
    if (known) this.answerFound(call, known);
    else if ("refusal" in decision) call.fail(decision.refusal, decision.data);
    else call.answer({ noop: decision.noop });
  }

  /**
   * Answers a command whose event was found in the log. What the durable state covers is in a snapshot, was found when
   * it was loaded, or was written here: it has been told. Of an event beyond it, by another node, perhaps nobody was.
   */
  private answerFound(call: Call<C, D, N>, event: D): void {
    this.window.remember(event);
    const { current } = this.durable;
    if (current !== undefined && !this.durable.covers(event.seq)) this.context.onFound(this.id, [event], current);
    call.answerRepeat(event);
  }

  private reload(): void {
    this.stale = true;
    if (this.window.settled) this.forget([]);
  }

  /** Throws the state away; the calls, and whatever was not confirmed, are decided again on the next one. */
  private forget(calls: ReadonlyArray<Call<C, D, N>>): void {
    this.generation++;
    this.stale = false;
    this.decided = undefined;
    this.mailbox.requeue([...calls, ...this.unconfirmed]);
    this.unconfirmed.clear();
    this.durable.forget();
    this.run();
  }

  private async rebase(call: Call<C, D, N>): Promise<void> {
    this.mailbox.requeue([call]);
    await this.context.projected();
    if (this.window.settled) this.forget([]);
  }

  /** Loads the state, then looks up every command that was in flight when it was thrown away. */
  private async load(): Promise<void> {
    const { behaviour, log, clock, random, onFound } = this.context;
    const backoff = new Backoff(clock, random, { firstMs: 10, maxMs: 1_000 });
    while (this.wanted()) {
      try {
        const begun = clock.now();
        const { state, found } = await behaviour.load(this.id);
        const unsure = this.mailbox.unsure();
        const known = await log.commands(unsure.map(({ command }) => this.refOf(command)));
        this.decided = state;
        this.durable.load(state, begun);
        if (found.length > 0) onFound(this.id, found, state);
        this.resolveUnsure(unsure, known);
        break;
      } catch {
        await backoff.wait();
      }
    }
    this.durable.tellReaders();
  }

  private resolveUnsure(unsure: ReadonlyArray<Call<C, D, N>>, known: ReadonlyArray<D | undefined>): void {
    unsure.forEach((call, at) => {
      const event = known[at];
      call.phase = "waiting";
      if (event) this.answerFound(call, event);
    });
    this.mailbox.dropSettled();
  }

  private refOf({ by, commandId }: C) {
    return { stream: this.id, by, commandId };
  }
}
