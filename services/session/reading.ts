import type { Context } from "moleculer";
import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { Authorised } from "../../actors/conversation/conversation.reader";
import { isParleyError, ParleyError } from "../../lib/errors";
import { callAudit } from "../audit/audit.internal";
import { hasRole, type Meta, type Principal } from "../auth/principal";
import { callerOf, deadlineOf, derivedId } from "../conversation-command";
import { SUPERVISORS } from "../supervision/supervision.contract";

type Reading = Context<{ sessionId: string }, Meta>;

/** What is written down of it: the name of the action, and when, in wall-clock milliseconds. */
interface Occasion {
  readonly action: string;
  readonly now: number;
}

/**
 * What lets the caller read what was said in a session: being in it, or supervising. What a supervisor reads from outside
 * is the staff's view, and is written down before it is read.
 * @throws ParleyError NOT_FOUND, alike for what is no session and what the caller may not read
 */
export async function authoriseReading(
  ctx: Reading,
  { host, reader }: Pick<Conversations, "host" | "reader">,
  occasion: Occasion,
): Promise<Authorised> {
  const user = callerOf(ctx);
  const { sessionId } = ctx.params;
  const deadline = deadlineOf(ctx);
  const member = await reader.authorise(sessionId, user.id, deadline).catch((error: unknown) => {
    if (isParleyError(error) && error.type === "NOT_FOUND" && hasRole(user, SUPERVISORS)) return undefined;
    throw error;
  });
  const state = member?.state ?? (await host.readHead(sessionId, deadline));
  if (!state.session) throw new ParleyError("NOT_FOUND");
  if (member) return member;
  // Whose session it is reads it as its customer, or not at all: its notes are about them.
  if (state.session.customerId === user.id) throw new ParleyError("NOT_FOUND");
  await writeDown(ctx, user, occasion);
  return { state, audience: "staff", through: state.seq, last: state.seq };
}

const HOUR_MS = 3_600_000;

/** Once an hour, so that the pages of one reading are one entry; which page it is does not matter, cursors are made up. */
async function writeDown(ctx: Reading, { id: by }: Principal, { action, now }: Occasion): Promise<void> {
  const { sessionId: target } = ctx.params;
  const id = derivedId("audit", action, by, target, String(Math.floor(now / HOUR_MS)));
  await callAudit(ctx, "audit.record", { id, by, action, target });
}
