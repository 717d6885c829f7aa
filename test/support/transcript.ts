import type { WireMessage } from "../../actors/conversation/conversation.messages";

/** Who somebody is to the readers of a transcript. */
export interface Speaker {
  readonly name: string;
  readonly role: "customer" | "agent";
}

export type Speakers = ReadonlyMap<string, Speaker>;
export type TranscriptFormat = "json" | "html" | "text";

/** Of each format: what it says of messages, and what it has to say of those of a history. */
interface Reading {
  messagesOf(document: string): unknown[];
  expected(message: WireMessage, speaker: Speaker): unknown;
}

const internalOf = ({ audience, whisper }: WireMessage): "note" | "whisper" | undefined =>
  audience === "staff" ? (whisper ? "whisper" : "note") : undefined;

const utc = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;

function remarksOn(message: WireMessage): string {
  const internal = internalOf(message);
  const remarks = [
    ...(internal ? [`internal ${internal}`] : []),
    ...(message.replyTo === undefined ? [] : [`in reply to #${message.replyTo}`]),
    ...(message.editedAt === undefined ? [] : [`edited ${utc(message.editedAt)}`]),
    ...(message.deletedAt === undefined ? [] : [`deleted ${utc(message.deletedAt)}`]),
  ];
  return remarks.length === 0 ? "" : ` (${remarks.join(", ")})`;
}

const json: Reading = {
  messagesOf(document) {
    const { entries } = JSON.parse(document) as { entries: Array<{ kind: string }> };
    return entries.filter(({ kind }) => kind === "message");
  },
  expected(message, speaker) {
    const { seq, at, by, text, attachments, replyTo, editedAt, deletedAt } = message;
    const internal = internalOf(message);
    return { kind: "message", seq, at, by, ...speaker, text, attachments, replyTo, editedAt, deletedAt, internal };
  },
};

const text: Reading = {
  messagesOf: (document) =>
    document
      .trimEnd()
      .split(/\n(?=\[)/)
      .slice(1)
      .filter((entry) => !/^\[.*\] .* \* /.test(entry)),
  expected(message, { role, name }) {
    const said = message.text === undefined ? [] : message.text.split("\n");
    const attached = (message.attachments ?? []).map((one) => `Attachment: ${one.name ?? ""} <${one.url}>`);
    const head = `[${utc(message.at)} #${message.seq}] ${role} ${name}${remarksOn(message)}:`;
    return [head, ...[...said, ...attached].map((line) => `    ${line}`)].join("\n");
  },
};

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&amp;": "&",
};
const plain = (markup = ""): string =>
  markup.replace(/<[^>]*>/g, "").replace(/&(lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? "");

const html: Reading = {
  messagesOf: (document) =>
    [...document.matchAll(/<article class="(.*?)" id="m(\d+)"><header>(.*?)<\/header>(.*?)<\/article>/gs)].map(
      ([, kind, seq, head, body = ""]) => ({
        ...{ kind, seq: Number(seq), head: plain(head) },
        said: plain(/<p dir="auto">(.*?)<\/p>/s.exec(body)?.[1]),
        links: [...body.matchAll(/<a href="(.*?)"/g)].map(([, url]) => plain(url)),
      }),
    ),
  expected: (message, { role, name }) => {
    const remarks = remarksOn(message).replace(/^ \((.*)\)$/, ", $1");
    return {
      ...{ kind: internalOf(message) ? `${role} internal` : role, seq: message.seq },
      ...{ head: `${utc(message.at)} ${role} ${name}${remarks}`, said: message.text ?? "" },
      links: (message.attachments ?? []).map(({ url }) => url),
    };
  },
};

const READINGS: Readonly<Record<TranscriptFormat, Reading>> = { json, html, text };
export const TRANSCRIPT_FORMATS = Object.keys(READINGS) as TranscriptFormat[];

/** Expects of a transcript that its messages are those of a history, with all that a reader may know of them. */
export function expectTranscript(
  format: TranscriptFormat,
  document: string,
  history: readonly WireMessage[],
  speakers: Speakers,
): void {
  const { messagesOf, expected } = READINGS[format];
  const nobody: Speaker = { name: "Deleted user", role: "agent" };
  const wanted = history.map((message) => expected(message, speakers.get(message.by) ?? nobody));
  expect(messagesOf(document)).toEqual(wanted);
}
