import type { Context } from "moleculer";
import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { Action as CommandAction, CommandParams } from "../../actors/conversation/conversation.commands";
import type { Audience, StoredEvent } from "../../actors/conversation/conversation.events";
import type { Authorised } from "../../actors/conversation/conversation.reader";
import type { Desk, SessionState } from "../../actors/conversation/conversation.session-state";
import type { ConversationState } from "../../actors/conversation/conversation.state";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, InternalAction, Service } from "../../lib/decorators";
import { ParleyError } from "../../lib/errors";
import { hasRole, type Meta, type Principal } from "../auth/principal";
import { callerOf, commandOf, deadlineOf } from "../conversation-command";
import { type SessionView, sessionView } from "../conversation-views";
import { conversationsMixin } from "../conversations";
import { type OtherCores, otherCoresOf } from "../other-cores";
import { STAFF } from "../schemas";
import { timersOf } from "../timers";
import { namesOf } from "../users/names";
import { callUsers } from "../users/users.internal";
import { deskAfterReopening, deskAfterTransfer, deskFor } from "./desk";
import { openSession } from "./open-session";
import { isOverCapacity } from "./over-capacity";
import { authoriseReading } from "./reading";
import { explain } from "./queue.contract";
import { QueueDesk } from "./queue-desk";
import { type SessionFilter, SessionLists } from "./session-lists";
import * as contracts from "./session.contract";
import type { SessionInternal } from "./session.internal";
import { lookAt } from "./timed-life";
import { transcriptPart } from "./transcript/transcript";

type Ctx<C extends keyof typeof contracts> = Context<Params<(typeof contracts)[C]>, Meta>;
type Answer<C extends keyof typeof contracts> = Promise<Result<(typeof contracts)[C]>>;
type InternalCtx<N extends keyof SessionInternal> = Context<SessionInternal[N]["params"], Meta>;
type InternalAnswer<N extends keyof SessionInternal> = Promise<SessionInternal[N]["result"]>;

/** Sessions of one answer. */
const WAITING_PAGE = 300;

/** A look at the timers of a session takes no longer. */
const LOOK_MS = 5_000;

/** Support sessions: a facade over the conversation actor. */
@Service({ name: "session", dependencies: ["users", "room"], mixins: [conversationsMixin] })
export default class SessionService extends DomainService {
  declare conversations: Conversations;
  declare others: OtherCores;
  declare lists: SessionLists;
  declare desk: QueueDesk;

  created(): void {
    this.others = otherCoresOf(this.broker, this.conversations);
    this.lists = new SessionLists(this.conversations, this.others);
    this.desk = new QueueDesk(this.broker, this.conversations);
  }

  @Action(contracts.open)
  open(ctx: Ctx<"open">): Answer<"open"> {
    return openSession(ctx, { store: this.conversations.store, desk: deskFor });
  }

  @Action(contracts.claim)
  async claim(ctx: Ctx<"claim">): Answer<"claim"> {
    const { sessionId, reason, takeover = false } = ctx.params;
    const params = { ...withReason(reason), ...(takeover && { takeover }) };
    const [session, over] = await Promise.all([this.change(ctx, "claim", params), isOverCapacity(ctx, sessionId)]);
    return over ? { ...session, overCapacity: true } : session;
  }

  @Action(contracts.attend)
  attend(ctx: Ctx<"attend">): Answer<"attend"> {
    return this.change(ctx, "attend", {});
  }

  @Action(contracts.decline)
  decline(ctx: Ctx<"decline">): Answer<"decline"> {
    return this.change(ctx, "decline", withReason(ctx.params.reason));
  }

  @Action(contracts.giveBack)
  giveBack(ctx: Ctx<"giveBack">): Answer<"giveBack"> {
    return this.change(ctx, "return", withReason(ctx.params.reason));
  }

  @Action(contracts.close)
  close(ctx: Ctx<"close">): Answer<"close"> {
    return this.change(ctx, "close", withReason(ctx.params.reason));
  }

  @Action(contracts.reopen)
  async reopen(ctx: Ctx<"reopen">): Answer<"reopen"> {
    const { session } = await this.conversations.host.read(ctx.params.sessionId, deadlineOf(ctx));
    const desk = session && (await deskAfterReopening(ctx, session));
    return this.change(ctx, "reopen", { ...(desk && { desk }) }, {});
  }

  @Action(contracts.rate)
  rate(ctx: Ctx<"rate">): Answer<"rate"> {
    const { score, comment } = ctx.params;
    return this.change(ctx, "rate", { score, ...(comment !== undefined && { comment }) });
  }

  @Action(contracts.transfer)
  async transfer(ctx: Ctx<"transfer">): Answer<"transfer"> {
    const { to, note } = ctx.params;
    if (to.agentId !== undefined) {
      const target = await callUsers(ctx, "users.get", { id: to.agentId });
      if (!target?.roles.some((role) => STAFF.some((staff) => staff === role))) throw new ParleyError("NOT_FOUND");
    }
    const asked = { to, ...(note !== undefined && { note }) };
    return this.change(ctx, "transfer", { ...asked, ...(await this.deskOf(ctx, to.topic)) }, asked);
  }

  /** Staff know of every session, though not of what is said in it; a customer knows only their own. */
  @Action(contracts.get)
  async get(ctx: Ctx<"get">): Answer<"get"> {
    const user = callerOf(ctx);
    const state = await this.conversations.host.read(ctx.params.sessionId, deadlineOf(ctx));
    const { session } = state;
    if (!session || !mayKnow(user, session)) throw new ParleyError("NOT_FOUND");
    const position = viewerOf(user, session) === "all" ? await this.desk.position(state) : undefined;
    return { ...viewIn(state, session, user), ...(position && { position }) };
  }

  @Action(explain)
  async explain(ctx: Context<Params<typeof explain>, Meta>): Promise<Result<typeof explain>> {
    const state = await this.conversations.host.read(ctx.params.sessionId, deadlineOf(ctx));
    const { session } = state;
    if (!session) throw new ParleyError("NOT_FOUND");
    await this.others.project({ sessions: true });
    const why = await this.desk.explain(ctx, state, session);
    return { session: sessionView(state.id, session, state.seq, "staff"), ...why };
  }

  @Action(contracts.list)
  async list(ctx: Ctx<"list">): Answer<"list"> {
    const user = callerOf(ctx);
    const { status, cursor, limit } = ctx.params;
    const filter: SessionFilter = {
      ...(status !== undefined && { status }),
      ...(!hasRole(user, STAFF) && { customerId: user.id }),
    };
    return this.lists.page(filter, { cursor, limit });
  }

  @Action(contracts.transcript)
  transcript(ctx: Ctx<"transcript">): Answer<"transcript"> {
    const { sessionId, format = "json", cursor } = ctx.params;
    const { store } = this.conversations;
    const authorise = () => this.authorise(ctx, contracts.transcript.name);
    const names = (userIds: readonly string[]) => namesOf(ctx, userIds);
    return transcriptPart({ authorise, store, names }, { sessionId, format, ...(cursor !== undefined && { cursor }) });
  }

  @Action(contracts.history)
  async history(ctx: Ctx<"history">): Answer<"history"> {
    const { before, after, limit = 50 } = ctx.params;
    const access = await this.authorise(ctx, contracts.history.name);
    return this.conversations.reader.history(access, {
      limit,
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
    });
  }

  @InternalAction("due", { actor: { kind: "conversation", id: "conversationId" } })
  due(ctx: InternalCtx<"session.due">): InternalAnswer<"session.due"> {
    const { clock } = this.resources;
    // By this node's clock alone: a look may come late, and nothing is lost when that of the scheduler was set.
    const deadline = clock.now() + LOOK_MS;
    return lookAt({ conversations: this.conversations, timers: timersOf(this.broker), clock }, ctx.params, deadline);
  }

  @InternalAction("now", { repeats: "read" })
  now(): InternalAnswer<"session.now"> {
    return Promise.resolve({ now: this.resources.clock.now() });
  }

  @InternalAction("inspect", { repeats: "read" })
  async inspect(ctx: InternalCtx<"session.inspect">): InternalAnswer<"session.inspect"> {
    const { limit, ...filter } = ctx.params;
    return this.lists.page(filter, { limit });
  }

  @InternalAction("waiting", { repeats: "read" })
  async waiting(ctx: InternalCtx<"session.waiting">): InternalAnswer<"session.waiting"> {
    const { topic, cursor, limit = WAITING_PAGE } = ctx.params;
    return this.lists.waiting(topic, { cursor, limit: Math.min(limit, WAITING_PAGE) });
  }

  @InternalAction("flow", { repeats: "read" })
  async flow(ctx: InternalCtx<"session.flow">): InternalAnswer<"session.flow"> {
    const entries = ctx.params.topics.map(async (topic) => [topic, (await this.desk.flow(topic)) ?? null] as const);
    return { flows: Object.fromEntries(await Promise.all(entries)) };
  }

  @InternalAction("classify", { actor: { kind: "conversation", id: "conversationId" } })
  async classify(ctx: InternalCtx<"session.classify">): InternalAnswer<"session.classify"> {
    await this.desk.classify(ctx, ctx.params.conversationId);
    return null;
  }

  /** `action` is what is written down of a supervisor who reads from outside. */
  private authorise(ctx: Context<{ sessionId: string }, Meta>, action: string): Promise<Authorised> {
    return authoriseReading(ctx, this.conversations, { action, now: this.resources.clock.now() });
  }

  /** What a session takes over from the topic that it is transferred to. */
  private async deskOf(ctx: Ctx<"transfer">, topic: string | undefined): Promise<{ desk?: Desk }> {
    if (topic === undefined) return {};
    const { session } = await this.conversations.host.read(ctx.params.sessionId, deadlineOf(ctx));
    return session ? { desk: await deskAfterTransfer(ctx, topic, session.headStart) } : {};
  }

  /** `identity` is what the client sent, when that is not just the params. */
  private async change<A extends CommandAction>(
    ctx: Context<{ sessionId: string; commandId: string }, Meta>,
    action: A,
    params: CommandParams[A],
    identity: unknown = params,
  ): Promise<SessionView> {
    const { sessionId, commandId } = ctx.params;
    const outcome = await this.conversations.command(sessionId, commandOf(ctx, commandId, action, params, identity));
    const user = callerOf(ctx);
    if ("event" in outcome) return viewOf(outcome.event, user);
    const state = await this.conversations.host.read(sessionId, deadlineOf(ctx));
    if (!state.session) throw new ParleyError("NOT_FOUND");
    return viewIn(state, state.session, user);
  }
}

const withReason = (reason: string | undefined) => (reason === undefined ? {} : { reason });

/** What the event that a command made left of the session: the same answer however often it is repeated. */
function viewOf({ conversationId, session, seq }: StoredEvent, user: Principal): SessionView {
  if (!session) throw new TypeError("a session command makes a session event");
  return sessionView(conversationId, session, seq, viewerOf(user, session));
}

/** The session as it is now. */
function viewIn({ id, seq, lastAll }: ConversationState, session: SessionState, user: Principal): SessionView {
  const viewer = viewerOf(user, session);
  return sessionView(id, session, viewer === "staff" ? seq : lastAll, viewer);
}

const mayKnow = (user: Principal, { customerId }: SessionState): boolean =>
  customerId === user.id || hasRole(user, STAFF);

/** Whose session it is sees it as a customer, whoever else that is. */
const viewerOf = (user: Principal, { customerId }: SessionState): Audience =>
  customerId !== user.id && hasRole(user, STAFF) ? "staff" : "all";
