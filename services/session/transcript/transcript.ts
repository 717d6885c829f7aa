import type { Authorised } from "../../../actors/conversation/conversation.reader";
import type { ConversationStore } from "../../../actors/conversation/conversation.store";
import type { Result } from "../../../lib/contract";
import { ParleyError } from "../../../lib/errors";
import { SYSTEM } from "../../auth/principal";
import { sessionView } from "../../conversation-views";
import type { transcript } from "../session.contract";
import { type Entry, namedIn, toEntries } from "./entries";
import type { Format } from "./format";
import { HTML } from "./html";
import { JSON_FORMAT } from "./json";
import { TEXT } from "./text";

type TranscriptFormat = Result<typeof transcript>["format"];

const FORMATS: Readonly<Record<TranscriptFormat, Format>> = { json: JSON_FORMAT, html: HTML, text: TEXT };

/** Events that are read, and characters that are written, for one part. */
const PAGE = 100;
const PART_LENGTH = 100_000;

export interface TranscriptPorts {
  /** @throws ParleyError NOT_FOUND, alike for what is missing and what the user may not read */
  readonly authorise: (sessionId: string) => Promise<Authorised>;
  readonly store: Pick<ConversationStore, "readVisible" | "changesOf">;
  /** Names of users; those that are unknown or deleted are left out. */
  readonly names: (userIds: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

export interface TranscriptRequest {
  readonly sessionId: string;
  readonly format: TranscriptFormat;
  /** That of the part before. */
  readonly cursor?: string;
}

export interface TranscriptPart {
  readonly format: TranscriptFormat;
  readonly text: string;
  /** Absent in the last part. */
  readonly cursor?: string;
}

/**
 * One part of a session's transcript as this user may see it; the parts one after the other are the document. All parts
 * end where the session stood when the first was made; what they say of a message is the newest.
 * @throws ParleyError NOT_FOUND
 */
export async function transcriptPart(ports: TranscriptPorts, ask: TranscriptRequest): Promise<TranscriptPart> {
  const { state, audience, last: newest } = await ports.authorise(ask.sessionId);
  const { session } = state;
  if (!session) throw new ParleyError("NOT_FOUND");
  const from = place(ask.cursor, newest);
  const events = await ports.store.readVisible(state.id, audience, from.after, PAGE, from.through);
  const messages = events.filter(({ type }) => type === "message.created").map(({ seq }) => seq);
  const changes = (await ports.store.changesOf(state.id, messages)).filter(({ seq }) => seq <= newest);
  const { customerId, agentId } = session;
  const people = new Set([...namedIn(events), customerId]);
  if (agentId !== undefined) people.add(agentId);
  const names = await ports.names([...people]);
  const nameOf = (id: string): string => names.get(id) ?? (id === SYSTEM.id ? "Parley" : "Deleted user");
  const entries = toEntries(events, changes, { audience, customerId, nameOf });
  const format = FORMATS[ask.format];
  const head = {
    session: sessionView(state.id, session, audience === "staff" ? state.seq : state.lastAll, audience),
    customer: nameOf(customerId),
    ...(agentId !== undefined && { agent: nameOf(agentId) }),
  };
  const { text, last } = write(format, entries);
  const begin = from.after === 0 ? format.begin(head) : "";
  const next = last ?? (events.length < PAGE ? undefined : events.at(-1)?.seq);
  if (next === undefined) return { format: ask.format, text: begin + text + format.end() };
  return { format: ask.format, text: begin + text, cursor: `${next}.${from.through}` };
}

/** As many entries as make a part; `last` is the seq of the last one when others are left. */
function write(format: Format, entries: readonly Entry[]): { text: string; last?: number } {
  let text = "";
  for (const [index, entry] of entries.entries()) {
    text += format.entry(entry);
    if (text.length >= PART_LENGTH && index < entries.length - 1) return { text, last: entry.seq };
  }
  return { text };
}

/** Where to go on. A cursor is nothing to rely on: nothing is shown beyond what the user may see. */
function place(cursor: string | undefined, authorised: number): { after: number; through: number } {
  const [, after, through] = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor ?? "") ?? [];
  if (after === undefined) return { after: 0, through: authorised };
  return { after: Number(after), through: Math.min(Number(through), authorised) };
}
