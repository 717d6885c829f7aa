import type { Context } from "moleculer";
import type { Conversations } from "../../actors/conversation/conversation.actor";
import { DomainService, InternalAction, Service } from "../../lib/decorators";
import { ParleyError } from "../../lib/errors";
import { callAudit } from "../audit/audit.internal";
import { hasRole, type Meta } from "../auth/principal";
import { callerOf, deadlineOf } from "../conversation-command";
import type { SessionView } from "../conversation-views";
import { conversationsMixin } from "../conversations";
import { otherCoresOf } from "../other-cores";
import { SessionLists } from "../session/session-lists";
import type { CountedSession } from "./desk-counters";
import { SUPERVISORS, watch } from "./supervision.contract";
import type { SupervisionInternal } from "./supervision.internal";

type InternalCtx<N extends keyof SupervisionInternal> = Context<SupervisionInternal[N]["params"], Meta>;
type InternalAnswer<N extends keyof SupervisionInternal> = Promise<SupervisionInternal[N]["result"]>;

/** A watch that is asked for again is the same: its audit entry has the id of the first. */
const AT_HOME = { actor: { kind: "conversation", id: "sessionId" }, repeats: "read" } as const;
const READ = { repeats: "read" } as const;
const MESSAGES = 100;
const SESSIONS = 1_000;

/** What io nodes need to let supervisors see sessions that they are not in. */
@Service({ name: "supervision", dependencies: ["audit"], mixins: [conversationsMixin] })
export default class SupervisionService extends DomainService {
  declare conversations: Conversations;
  declare lists: SessionLists;

  created(): void {
    this.lists = new SessionLists(this.conversations, otherCoresOf(this.broker, this.conversations));
  }

  /** Nobody watches a session of their own: its notes are about them. */
  @InternalAction("watch", AT_HOME)
  async watch(ctx: InternalCtx<"supervision.watch">): InternalAnswer<"supervision.watch"> {
    const user = callerOf(ctx);
    const { sessionId, auditId } = ctx.params;
    const { host, reader } = this.conversations;
    const state = await host.readHead(sessionId, deadlineOf(ctx));
    if (!state.session) throw new ParleyError("NOT_FOUND");
    if (!hasRole(user, SUPERVISORS) || state.session.customerId === user.id) throw new ParleyError("FORBIDDEN");
    await callAudit(ctx, "audit.record", { id: auditId, by: user.id, action: watch.name, target: sessionId });
    const { seq } = state;
    const page = await reader.history({ state, audience: "staff", through: seq }, { limit: MESSAGES });
    return { seq, ...page };
  }

  @InternalAction("sessions", READ)
  async sessions(ctx: InternalCtx<"supervision.sessions">): InternalAnswer<"supervision.sessions"> {
    const { status, cursor } = ctx.params;
    const page = await this.lists.page({ status }, { cursor, limit: SESSIONS });
    return { ...page, sessions: page.sessions.map(countedOf) };
  }
}

const countedOf = ({ id, lastSeq, topic, status, enteredAt, openedAt }: SessionView): CountedSession => ({
  id,
  seq: lastSeq,
  topic,
  status,
  enteredAt: Date.parse(enteredAt ?? openedAt),
});
