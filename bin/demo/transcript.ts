import type { WireEvent } from "../../services/schemas";
import { CommandFailure } from "../command-line";

export interface Spoken {
  readonly by: string;
  readonly text: string;
}

export interface View {
  readonly name: string;
  readonly events: readonly WireEvent[];
}

/** Prints the events with their seqs, one a line; `names` are by user id. */
export function printTranscript(
  events: readonly WireEvent[],
  names: ReadonlyMap<string, string>,
  print: (line: string) => void,
): void {
  print("");
  for (const { seq, at, by, type, data } of events) {
    const text = type === "message.created" ? String(data["text"]) : `[${type}]`;
    print(`${String(seq).padStart(4)}  ${at.slice(11, 19)}  ${(names.get(by) ?? by).padEnd(6)} ${text}`);
  }
  print("");
}

/**
 * Is nothing missing, doubled or out of order? Every view must be seq 1..last, tell what was spoken in that order, and
 * agree with the history and with each other.
 * @throws CommandFailure naming the first thing that is wrong
 */
export function check(
  views: readonly View[],
  last: number,
  spoken: readonly Spoken[],
  history: ReadonlyArray<{ seq: number; id: string }>,
): void {
  for (const view of views) checkView(view, last, spoken, history);
  const ids = views.map(({ events }) => events.map(({ id }) => id).join());
  if (new Set(ids).size > 1) throw new CommandFailure("the two sides saw different events");
}

function checkView(
  { name, events }: View,
  last: number,
  spoken: readonly Spoken[],
  history: readonly { id: string }[],
) {
  for (const [at, { seq, prevSeq }] of events.entries()) {
    if (seq !== at + 1) throw new CommandFailure(`${name} saw seq ${seq} where ${at + 1} belongs`);
    if (prevSeq !== at) throw new CommandFailure(`for ${name} seq ${seq} follows ${prevSeq} instead of ${at}`);
  }
  if (events.length !== last) throw new CommandFailure(`${name} saw ${events.length} events of ${last}`);
  const messages = events.filter(({ type }) => type === "message.created");
  compare(
    `what ${name} saw`,
    messages.map(({ by, data }) => `${by}: ${String(data["text"])}`),
    spoken.map(line),
  );
  compare(
    `the history`,
    history.map(({ id }) => id),
    messages.map(({ id }) => id),
  );
}

const line = ({ by, text }: Spoken): string => `${by}: ${text}`;

function compare(what: string, found: readonly string[], expected: readonly string[]): void {
  const wrong = expected.findIndex((value, at) => found[at] !== value);
  if (wrong >= 0)
    throw new CommandFailure(`${what}: message ${wrong + 1} is "${found[wrong]}" instead of "${expected[wrong]}"`);
  if (found.length > expected.length)
    throw new CommandFailure(`${what}: ${found.length - expected.length} messages too many`);
}
