import type { CommandRef, LogDocument, LogPort, Verdict } from "../../lib/actor/ports";
import { DuplicateKeyError } from "../../lib/store/collection";

/** A log document that says which stream it belongs to. */
export interface StreamDocument extends LogDocument {
  readonly stream: string;
}

export type Operation = "insert" | "verify" | "heads" | "commands" | "load";

/** One call of the log that a test has in its hands. */
export class Held {
  /** The call has come. */
  arrived = false;
  private act: (() => void) | undefined;
  private fulfil: (() => void) | undefined;
  private refuse: ((error: unknown) => void) | undefined;

  /** With an answer given, that is what the call gets, at once. */
  constructor(private readonly given?: { readonly error: Error } | { readonly lie: unknown }) {}

  /** Does what was asked, now, without answering: an insert whose answer is lost, or that lands late. */
  land(): void {
    this.take();
  }

  /** Does what was asked, if that has not happened, and answers. */
  proceed(): void {
    try {
      if (this.act) this.take();
      this.fulfil?.();
    } catch (error) {
      this.refuse?.(error);
    }
  }

  /** Answers with an error, having done nothing that `land` has not done. */
  fail(error: unknown = new Error("time-out")): void {
    this.refuse?.(error);
  }

  /** Called by the log: answers when the test says so, with what the log says by then. */
  intercept<T>(act: () => T): Promise<T> {
    this.arrived = true;
    if (this.given)
      return "error" in this.given ? Promise.reject(this.given.error) : Promise.resolve(this.given.lie as T);
    return new Promise<T>((resolve, reject) => {
      let answer: T;
      this.act = () => (answer = act());
      this.fulfil = () => resolve(answer);
      this.refuse = reject;
    });
  }

  private take(): void {
    const { act } = this;
    this.act = undefined;
    act?.();
  }
}

/**
 * A log in memory with the unique indexes of the real one, that holds, fails or lies on command. Without a command it
 * answers at once.
 */
export class FakeLog<D extends StreamDocument> implements LogPort<D> {
  readonly documents: D[] = [];
  /** The documents of each insert that was tried. */
  readonly inserts: D[][] = [];
  readonly calls: Record<Operation, number> = { insert: 0, verify: 0, heads: 0, commands: 0, load: 0 };
  /** Runs around every operation that no `hold` has taken, if set. */
  around: (<T>(operation: Operation, act: () => T) => Promise<T>) | undefined;
  private readonly holds: Record<Operation, Held[]> = { insert: [], verify: [], heads: [], commands: [], load: [] };
  private readonly rejections = new Map<string, (index: number) => Error>();

  /** Takes the next call of this operation that nobody has taken yet. */
  hold(operation: Operation): Held {
    const held = new Held();
    this.holds[operation].push(held);
    return held;
  }

  /** Fails the next `times` calls of this operation, having done nothing. */
  failNext(operation: Operation, times = 1, error = new Error("time-out")): void {
    for (let i = 0; i < times; i++) this.holds[operation].push(new Held({ error }));
  }

  /** Answers the next call of this operation with something else than the truth. */
  lie(operation: Operation, answer: unknown): void {
    this.holds[operation].push(new Held({ lie: answer }));
  }

  /** The store will not take the document of this command. */
  rejectCommand(commandId: string, error: (index: number) => Error): void {
    this.rejections.set(commandId, error);
  }

  /** Another home writes. */
  write(document: D): void {
    this.append([document]);
  }

  of(stream: string): D[] {
    return this.documents.filter((document) => document.stream === stream).sort((a, b) => a.seq - b.seq);
  }

  insert(documents: readonly D[]): Promise<void> {
    const copies = documents.map((document) => ({ ...document }));
    this.inserts.push(copies);
    return this.run("insert", () => this.append(copies));
  }

  verify(documents: readonly D[]): Promise<Verdict[]> {
    return this.run("verify", () => documents.map((document) => this.verdict(document)));
  }

  heads(streams: readonly string[]): Promise<number[]> {
    return this.run("heads", () => streams.map((stream) => this.of(stream).at(-1)?.seq ?? 0));
  }

  commands(commands: readonly CommandRef[]): Promise<Array<D | undefined>> {
    return this.run("commands", () => commands.map((command) => this.find(command)));
  }

  /** What a behaviour's `load` reads. */
  load(stream: string): Promise<D[]> {
    return this.run("load", () => this.of(stream));
  }

  private run<T>(operation: Operation, act: () => T): Promise<T> {
    this.calls[operation]++;
    const held = this.holds[operation].shift();
    if (held) return held.intercept(act);
    if (this.around) return this.around(operation, act);
    return new Promise((resolve) => resolve(act()));
  }

  private append(documents: readonly D[]): void {
    documents.forEach((document, index) => {
      const rejection = this.rejections.get(document.commandId);
      if (rejection) throw rejection(index);
      if (this.documents.some((other) => other._id === document._id || rivals(document, other)))
        throw new DuplicateKeyError(index);
      this.documents.push(document);
    });
  }

  private verdict(document: D): Verdict {
    if (this.documents.some(({ _id }) => _id === document._id)) return "stored";
    return this.documents.some((other) => rivals(document, other)) ? "fenced" : "absent";
  }

  private find({ stream, by, commandId }: CommandRef): D | undefined {
    return this.of(stream).find((document) => document.by === by && document.commandId === commandId);
  }
}

const rivals = (a: StreamDocument, b: StreamDocument): boolean =>
  (a.stream === b.stream && (a.seq === b.seq || (a.by === b.by && a.commandId === b.commandId))) ||
  (a.key !== undefined && a.key === b.key);
