import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { systemIdAt } from "../../../lib/actor/system";
import { sideBySide } from "../../../lib/side-by-side";
import { canonicalJson } from "../../conversation-command";
import { bringUp, foldLog, makeAfresh } from "../folding";
import { changesFacts } from "../session-facts";
import { AT_ONCE, type AuditPorts, type Findings, NO_FINDINGS, SETTLED_MS, sumOf } from "./anomalies";

/** Where the search goes on: after this event, and after this conversation. */
export interface FactsCursors {
  readonly event: string;
  readonly conversation: string;
}

/** Older events are left to the walk through all conversations. */
const WINDOW_MS = 600_000;
const EVENTS = 2_000;
const CONVERSATIONS = 50;

/**
 * Compares the facts with the log: of all sessions that something has happened to lately, unless there are very many, and
 * of some others, in turn through all of them. What differs is written again.
 */
export async function auditFacts(ports: AuditPorts, cursors: FactsCursors) {
  const recent = await amongRecent(ports, cursors.event);
  const known = await amongAll(ports, cursors.conversation);
  const next: FactsCursors = { event: recent.next, conversation: known.next };
  return { findings: sumOf([recent.findings, known.findings]), next };
}

async function amongRecent(ports: AuditPorts, after: string): Promise<{ findings: Findings; next: string }> {
  const now = ports.clock.now();
  const from = systemIdAt(now - WINDOW_MS);
  const start = after > from ? after : from;
  const filter = { _id: { $gt: start, $lt: systemIdAt(now - SETTLED_MS) } };
  const events = await ports.log.events.find(filter, { sort: { _id: 1 }, limit: EVENTS });
  const heads = new Map<string, number>();
  for (const event of events.filter(isTold))
    heads.set(event.conversationId, Math.max(event.seq, heads.get(event.conversationId) ?? 0));
  const findings = { ...NO_FINDINGS };
  await sideBySide(heads, AT_ONCE, ([id, seq]) => check(ports, id, seq, findings));
  return { findings, next: events.at(-1)?._id ?? start };
}

const isTold = (event: StoredEvent): boolean => event.session !== undefined && changesFacts(event);

async function amongAll(ports: AuditPorts, after: string): Promise<{ findings: Findings; next: string }> {
  const { log, clock } = ports;
  const settled = systemIdAt(clock.now() - SETTLED_MS);
  const page = await log.conversations.find({ _id: { $gt: after } }, { sort: { _id: 1 }, limit: CONVERSATIONS });
  const findings = { ...NO_FINDINGS };
  const sessions = page.filter(({ session }) => session !== undefined);
  await sideBySide(sessions, AT_ONCE, async ({ _id }) => {
    const document = await ports.facts.get(_id);
    const beyond = await log.readAfter(_id, document?.seq ?? 0, EVENTS);
    const told = beyond.filter((event) => event._id < settled && isTold(event));
    if (!document && told.length === 0) return;
    await check(ports, _id, told.at(-1)?.seq ?? 0, findings);
    // Messages of which nothing was told.
    await bringUp(ports, _id);
  });
  return { findings, next: page.length < CONVERSATIONS ? "" : (page.at(-1)?._id ?? "") };
}

/** @param least the seq that the facts must have reached */
async function check(ports: AuditPorts, id: string, least: number, findings: { facts: number; repaired: number }) {
  const document = await ports.facts.get(id);
  const folded = await foldLog(ports.log, id, undefined, document?.seq);
  if (!folded.facts) return;
  const isRight = document && folded.seq === document.seq && sameFacts(document.facts, folded.facts);
  if (isRight && document.seq >= least) return;
  findings.facts++;
  // Nothing that is written of a log is newer than the log.
  if (document && folded.seq < document.seq) await ports.facts.remove(document);
  await makeAfresh(ports, id);
  findings.repaired++;
}

const sameFacts = (a: object, b: object): boolean => canonicalJson(a) === canonicalJson(b);
