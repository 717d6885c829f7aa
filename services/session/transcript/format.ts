import type { SessionView } from "../../conversation-views";
import type { Entry } from "./entries";

/** What stands above the lines of a transcript. */
export interface Head {
  readonly session: SessionView;
  readonly customer: string;
  readonly agent?: string;
}

/** A format of transcripts: a document is its beginning, one piece for each entry, and its end. Pure. */
export interface Format {
  begin(head: Head): string;
  /** The entry of seq 1, which every transcript begins with, is told apart by that. */
  entry(entry: Entry): string;
  end(): string;
}

const LINE_BREAKS = /\r\n?|[\n\v\f\u0085\u2028\u2029]/gu;

/** The lines of a text, without what a terminal would obey. */
export const linesOf = (text: string): string[] =>
  text
    .toWellFormed()
    .split(LINE_BREAKS)
    .map((line) => line.replace(/\t/g, " ").replace(/\p{Cc}/gu, ""));

/** A name or label on one line, which cannot turn the direction of what follows it. */
export const oneLine = (text: string): string =>
  linesOf(text)
    .join(" ")
    .replace(/\p{Bidi_Control}/gu, "")
    .trim();

/** `2026-01-05 10:00:00 UTC`. */
export const utc = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;

/** What is said of a message besides its text. */
export const remarksOn = (entry: Entry): string[] => {
  if (entry.kind === "event") return [];
  const { internal, replyTo, editedAt, deletedAt } = entry;
  return [
    ...(internal ? [`internal ${internal}`] : []),
    ...(replyTo === undefined ? [] : [`in reply to #${replyTo}`]),
    ...(editedAt === undefined ? [] : [`edited ${utc(editedAt)}`]),
    ...(deletedAt === undefined ? [] : [`deleted ${utc(deletedAt)}`]),
  ];
};
