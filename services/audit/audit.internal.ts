import type { Static } from "@sinclair/typebox";
import { callerOf } from "../../lib/call";
import type { AuditEntry } from "./audit.contract";

export type AuditView = Static<typeof AuditEntry>;

export interface AuditPage {
  entries: AuditView[];
  cursor?: string;
}

/** What is written down: `id` is the caller's, so that a repeat is written once. */
export interface Audited {
  readonly id: string;
  readonly by: string;
  readonly action: string;
  readonly target: string;
}

/** Actions of the audit service that only other services and operators call. */
export type AuditInternal = {
  /** Resolves when the entry is durable. */
  "audit.record": { params: Audited; result: null };
  /** The newest entries. For operators. */
  "audit.inspect": { params: { by?: string; target?: string; limit: number }; result: AuditPage };
};

/** Calls an internal action of the audit service. */
export const callAudit = callerOf<AuditInternal>();
