import type { Context } from "moleculer";
import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { Action as CommandAction, CommandParams } from "../../actors/conversation/conversation.commands";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, InternalAction, Service } from "../../lib/decorators";
import { ParleyError } from "../../lib/errors";
import { hasRole, type Meta } from "../auth/principal";
import { callerOf, commandOf, deadlineOf } from "../conversation-command";
import { type SessionView, sessionView } from "../conversation-views";
import { conversationsOf, startConversations, stopConversations } from "../conversations";
import { otherCoresOf } from "../other-cores";
import { STAFF } from "../schemas";
import { timersOf } from "../timers";
import { callUsers } from "../users/users.internal";
import { openSession } from "./open-session";
import { listSessions, type SessionFilter, type SessionPage } from "./session-lists";
import * as contracts from "./session.contract";
import type { SessionInternal } from "./session.internal";
import { transcriptPart } from "./transcript/transcript";
import { lookAt, type Looked } from "./timed-life";

type Ctx<C extends keyof typeof contracts> = Context<Params<(typeof contracts)[C]>, Meta>;
type Answer<C extends keyof typeof contracts> = Promise<Result<(typeof contracts)[C]>>;

/** Support sessions: a facade over the conversation actor. */
@Service({ name: "session", dependencies: ["users", "room"] })
export default class SessionService extends DomainService {
  declare conversations: Conversations;

  created(): void {
    this.conversations = conversationsOf(this.broker);
  }

  started(): Promise<void> {
    return startConversations(this.broker);
  }

  stopped(): Promise<void> {
    return stopConversations(this.broker);
  }

  @Action(contracts.open)
  open(ctx: Ctx<"open">): Answer<"open"> {
    return openSession(ctx, this.conversations.store);
  }

  @Action(contracts.claim)
  claim(ctx: Ctx<"claim">): Answer<"claim"> {
    return this.change(ctx, "claim", withReason(ctx.params.reason));
  }

  @Action(contracts.giveBack)
  giveBack(ctx: Ctx<"giveBack">): Answer<"giveBack"> {
    return this.change(ctx, "return", withReason(ctx.params.reason));
  }

  @Action(contracts.close)
  close(ctx: Ctx<"close">): Answer<"close"> {
    return this.change(ctx, "close", withReason(ctx.params.reason));
  }

  @Action(contracts.transfer)
  async transfer(ctx: Ctx<"transfer">): Answer<"transfer"> {
    const { to, note } = ctx.params;
    if (to.agentId !== undefined) {
      const target = await callUsers(ctx, "users.get", { id: to.agentId });
      if (!target?.roles.some((role) => STAFF.some((staff) => staff === role))) throw new ParleyError("NOT_FOUND");
    }
    return this.change(ctx, "transfer", { to, ...(note !== undefined && { note }) });
  }

  /** Staff know of every session, though not of what is said in it; a customer knows only their own. */
  @Action(contracts.get)
  async get(ctx: Ctx<"get">): Answer<"get"> {
    const user = callerOf(ctx);
    const state = await this.conversations.host.read(ctx.params.sessionId, deadlineOf(ctx));
    const { session } = state;
    const staff = hasRole(user, STAFF);
    if (!session || (session.customerId !== user.id && !staff)) throw new ParleyError("NOT_FOUND");
    return sessionView(ctx.params.sessionId, session, staff ? state.seq : state.lastAll);
  }

  @Action(contracts.list)
  async list(ctx: Ctx<"list">): Answer<"list"> {
    const user = callerOf(ctx);
    const { status, cursor, limit } = ctx.params;
    const filter: SessionFilter = {
      ...(status !== undefined && { status }),
      ...(!hasRole(user, STAFF) && { customerId: user.id }),
    };
    if (cursor === undefined) await otherCoresOf(this.broker, this.conversations).project({ sessions: true });
    return listSessions(this.conversations.store, filter, { cursor, limit });
  }

  @InternalAction("due", { actor: { kind: "conversation", id: "conversationId" } })
  due(ctx: Context<SessionInternal["session.due"]["params"], Meta>): Promise<Looked> {
    const { broker, conversations, resources } = this;
    return lookAt({ conversations, timers: timersOf(broker), clock: resources.clock }, ctx.params, deadlineOf(ctx));
  }

  @Action(contracts.transcript)
  transcript(ctx: Ctx<"transcript">): Answer<"transcript"> {
    const { sessionId, format = "json", cursor } = ctx.params;
    const { reader, store } = this.conversations;
    const names = (userIds: readonly string[]) => namesOf(ctx, userIds);
    const ask = { sessionId, format, ...(cursor !== undefined && { cursor }) };
    return transcriptPart({ reader, store, names }, { ...ask, userId: callerOf(ctx).id, deadline: deadlineOf(ctx) });
  }

  @InternalAction("inspect", { repeats: "read" })
  async inspect(ctx: Context<SessionInternal["session.inspect"]["params"], Meta>): Promise<SessionPage> {
    const { limit, ...filter } = ctx.params;
    await otherCoresOf(this.broker, this.conversations).project({ sessions: true });
    return listSessions(this.conversations.store, filter, { limit });
  }

  private async change<A extends CommandAction>(
    ctx: Context<{ sessionId: string; commandId: string }, Meta>,
    action: A,
    params: CommandParams[A],
  ): Promise<SessionView> {
    const { sessionId, commandId } = ctx.params;
    const outcome = await this.conversations.command(sessionId, commandOf(ctx, commandId, action, params));
    if ("event" in outcome) return viewOf(outcome.event);
    const { session, seq } = await this.conversations.host.read(sessionId, deadlineOf(ctx));
    if (!session) throw new ParleyError("NOT_FOUND");
    return sessionView(sessionId, session, seq);
  }
}

async function namesOf(ctx: Context<unknown, Meta>, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const users = await Promise.all(ids.map((id) => callUsers(ctx, "users.get", { id })));
  return new Map(users.flatMap((user) => (user ? [[user.id, user.name] as const] : [])));
}

const withReason = (reason: string | undefined) => (reason === undefined ? {} : { reason });

/** What the event that a command made left of the session: the same answer however often it is repeated. */
function viewOf({ conversationId, session, seq }: StoredEvent): SessionView {
  if (!session) throw new TypeError("a session command makes a session event");
  return sessionView(conversationId, session, seq);
}
