import { slotKeyPrefix } from "../../../actors/conversation/conversation.keys";
import { sideBySide } from "../../../lib/side-by-side";
import { AT_ONCE, type AuditPorts, type Findings, NO_FINDINGS } from "./anomalies";

/** Agents of one step. */
const PAGE = 50;

/**
 * Looks at the slots of some agents for those that are held by a session which the agent does not have. Only an event
 * gives a slot up: it is told of, and an operator closes or returns what holds it.
 */
export async function auditSlots(ports: AuditPorts, cursor: string): Promise<{ findings: Findings; next: string }> {
  const agents = await ports.agents(cursor, PAGE);
  const slots = agents.flatMap(({ id, capacity }) =>
    Array.from({ length: capacity }, (_, n) => slotKeyPrefix(id, n + 1)),
  );
  const findings = { ...NO_FINDINGS };
  await sideBySide(slots, AT_ONCE, async (prefix) => {
    // What is given up while it is looked at is found free by the second look.
    if ((await isOrphan(ports, prefix)) && (await isOrphan(ports, prefix))) findings.slot++;
  });
  return { findings, next: agents.length < PAGE ? "" : (agents.at(-1)?.id ?? "") };
}

async function isOrphan({ log }: AuditPorts, prefix: string): Promise<boolean> {
  const latest = await log.events.findOne({ key: { $gte: `${prefix}/0`, $lt: `${prefix}/:` } }, { sort: { key: -1 } });
  if (latest?.key === undefined) return false;
  if (await log.events.findOne({ endsSlot: latest.key })) return false;
  const { session } = (await log.load(latest.conversationId)).state;
  return session?.slotKey !== latest.key || session.status === "closed";
}
