import { fromSnapshot, type Snapshot } from "../../../actors/conversation/conversation.snapshot";
import type { SessionState } from "../../../actors/conversation/conversation.session-state";
import type { ConversationState } from "../../../actors/conversation/conversation.state";
import { nextTimer, type Timer } from "../../../actors/conversation/conversation.timers";
import { sideBySide } from "../../../lib/side-by-side";
import type { Filter } from "../../../lib/store/collection";
import { cursorAt, following } from "../../../lib/store/cursor";
import { AT_ONCE, type AuditPorts, type Findings, NO_FINDINGS, SETTLED_MS, sumOf } from "./anomalies";

/** The open statuses, in the order in which they are walked through. */
const OPEN = ["unassigned", "assigned", "closing"] as const;
const PAGE = 100;
const PAGES = 5;
const MAX_ROWS = 2_000;

/** Looks at some of the open sessions, for timers and for customers who have two; and where the next one begins. */
export async function auditOpen(ports: AuditPorts, cursor: string): Promise<{ findings: Findings; next: string }> {
  const findings: Findings[] = [];
  let next = cursor;
  for (let pages = 0; pages < PAGES; pages++) {
    const found = await pageAfter(ports, next);
    const states = found.page.map(fromSnapshot);
    findings.push(await auditTimers(ports, states), await auditTwice(ports, states));
    next = found.next;
    // Through all of them: they are counted once in a step.
    if (next === "") break;
  }
  return { findings: sumOf(findings), next };
}

/**
 * By status, then by when they were opened. The cursor is `<status>/`, within a status followed by the place in it; it is
 * empty at the beginning and at the end.
 */
async function pageAfter({ log }: AuditPorts, cursor: string): Promise<{ page: Snapshot[]; next: string }> {
  const slash = cursor.indexOf("/");
  const status = OPEN.find((open) => open === cursor.slice(0, slash)) ?? OPEN[0];
  const place = following("session.openedAt", "ascending", cursor.slice(slash + 1));
  const sort = { "session.openedAt": 1, _id: 1 } as const;
  const page = await log.conversations.find({ "session.status": status, ...place }, { sort, limit: PAGE });
  const last = page.at(-1);
  if (page.length === PAGE && last?.session)
    return { page, next: `${status}/${cursorAt(last.session.openedAt, last._id)}` };
  const next = OPEN[OPEN.indexOf(status) + 1];
  return { page, next: next ? `${next}/` : "" };
}

/** Every open session has a row that comes before its next timer, or with it. */
async function auditTimers(ports: AuditPorts, states: readonly ConversationState[]): Promise<Findings> {
  const { timers, clock } = ports;
  const due = states.flatMap((state) => {
    const timer = nextTimer(state);
    return timer ? [{ id: state.id, timer }] : [];
  });
  if (due.length === 0) return NO_FINDINGS;
  const rows = await timers.rows.find({ $or: due.map(({ id, timer }) => rowBefore(id, timer)) }, { limit: MAX_ROWS });
  const armed = new Set(rows.map(({ conversationId }) => conversationId));
  const findings = { ...NO_FINDINGS };
  const suspects = due.filter(({ id, timer }) => !armed.has(id) || isOverdue(timer, clock.now()));
  await sideBySide(suspects, AT_ONCE, async ({ id }) => {
    const found = await lookCloser(ports, id);
    if (!found) return;
    if (found.overdue) findings.overdue++;
    if (found.armed) return;
    findings.unarmed++;
    await timers.keep(id, found.timer.dueAt);
    findings.repaired++;
  });
  return findings;
}

const isOverdue = ({ dueAt }: Timer, now: number): boolean => dueAt < now - SETTLED_MS;

/** Row ids are `<conversation>/<dueAt>`. */
const rowBefore = (id: string, { dueAt }: Timer): Filter => ({
  _id: { $gt: `${id}/`, $lt: `${id}0` },
  dueAt: { $lte: dueAt },
});

/** By the log itself; undefined when nothing is wrong, or something happened meanwhile. */
async function lookCloser({ log, timers, clock }: AuditPorts, id: string) {
  const { state } = await log.load(id);
  const timer = nextTimer(state);
  if (!timer) return undefined;
  const armed = (await timers.rows.findOne(rowBefore(id, timer))) !== undefined;
  const overdue = isOverdue(timer, clock.now());
  const moved = (await log.readAfter(id, state.seq, 1)).length > 0;
  return (armed && !overdue) || moved ? undefined : { timer, armed, overdue };
}

/** No customer has two open sessions of a topic: the key of their opening is unique. */
async function auditTwice({ log }: AuditPorts, states: readonly ConversationState[]): Promise<Findings> {
  const customers = [...new Set(states.flatMap(({ session }) => session?.customerId ?? []))];
  if (customers.length === 0) return NO_FINDINGS;
  const filter = { "session.customerId": { $in: customers }, "session.status": { $in: OPEN } };
  const groups = new Map<string, string[]>();
  for (const { _id, session } of await log.conversations.find(filter)) {
    if (session) groups.set(nameOf(session), [...(groups.get(nameOf(session)) ?? []), _id]);
  }
  const here = new Set(states.map(({ id }) => id));
  const findings = { ...NO_FINDINGS };
  // Each is told of once: where the first of them is.
  const several = [...groups.values()]
    .map((ids) => ids.sort())
    .filter((ids) => ids.length > 1 && here.has(ids[0] ?? ""));
  await sideBySide(several, AT_ONCE, async (ids) => {
    const loaded = await Promise.all(ids.map((id) => log.load(id)));
    const open = loaded.filter(({ state: { session } }) => session && session.status !== "closed");
    const names = new Set(open.map(({ state: { session } }) => session && nameOf(session)));
    findings.twice += open.length - names.size;
  });
  return findings;
}

const nameOf = ({ customerId, topic }: SessionState): string => JSON.stringify([customerId, topic]);
