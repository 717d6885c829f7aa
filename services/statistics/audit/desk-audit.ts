import { type AuditPorts, type Findings, sumOf } from "./anomalies";
import { auditFacts, type FactsCursors } from "./facts";
import { auditOpen } from "./open-sessions";
import { auditSlots } from "./slots";

/** Where each search goes on; empty texts at first. */
export interface AuditCursors extends FactsCursors {
  readonly session: string;
  readonly agent: string;
}

export const FIRST: AuditCursors = { event: "", conversation: "", session: "", agent: "" };

export interface AuditAnswer {
  readonly cursors: AuditCursors;
  readonly findings: Findings;
}

/**
 * One bounded step of the search for what must not be at the desk. What is a projection is put right: timers are armed,
 * facts are written again. What is in the log is only counted.
 */
export async function auditStep(ports: AuditPorts, cursors: AuditCursors): Promise<AuditAnswer> {
  const open = await auditOpen(ports, cursors.session);
  const slots = await auditSlots(ports, cursors.agent);
  const facts = await auditFacts(ports, cursors);
  return {
    cursors: { ...facts.next, session: open.next, agent: slots.next },
    findings: sumOf([open.findings, slots.findings, facts.findings]),
  };
}
