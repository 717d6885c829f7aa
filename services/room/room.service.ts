import type { Context } from "moleculer";
import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { Action as CommandAction, CommandParams } from "../../actors/conversation/conversation.commands";
import { fittingPages, partsOf } from "../../actors/conversation/conversation.parts";
import { toSnapshot } from "../../actors/conversation/conversation.snapshot";
import { listMarks } from "../../lib/actor/mark";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, InternalAction, Service } from "../../lib/decorators";
import { invalid, ParleyError } from "../../lib/errors";
import type { Meta } from "../auth/principal";
import { callerOf, commandOf, deadlineOf, derivedId } from "../conversation-command";
import { type ConversationView, createdView } from "../conversation-views";
import { conversationsMixin, moveConversation } from "../conversations";
import { otherCoresOf, writeProjections } from "../other-cores";
import { callUsers } from "../users/users.internal";
import { catchUpInOne, homesOf } from "./catch-up";
import { ConversationLists } from "./conversation-lists";
import * as contracts from "./room.contract";
import { callRoom, type RoomInternal } from "./room.internal";
import { repairStep } from "./snapshot-repair";

type Ctx<C extends keyof typeof contracts> = Context<Params<(typeof contracts)[C]>, Meta>;
type Answer<C extends keyof typeof contracts> = Promise<Result<(typeof contracts)[C]>>;
type InternalCtx<N extends keyof RoomInternal> = Context<RoomInternal[N]["params"], Meta>;
type InternalAnswer<N extends keyof RoomInternal> = Promise<RoomInternal[N]["result"]>;

const AT_HOME = { actor: { kind: "conversation", id: "conversationId" } };
const READ = { repeats: "read" } as const;
/** It may take longer than an attempt: a repeat would only add to what is slow. The scheduler's next turn comes. */
const LONG = { repeats: "never" } as const;
/** So long a sync waits for a conversation that cannot be read; the others do not wait any longer. */
const SYNC_PATIENCE_MS = 2_000;

/** Direct and group conversations, and what other services ask of any conversation: a facade over the actor. */
@Service({ name: "room", dependencies: ["users"], mixins: [conversationsMixin] })
export default class RoomService extends DomainService {
  declare conversations: Conversations;
  declare lists: ConversationLists;

  created(): void {
    this.lists = new ConversationLists(this.conversations, otherCoresOf(this.broker, this.conversations));
  }

  @Action(contracts.create)
  async create(ctx: Ctx<"create">): Answer<"create"> {
    const user = callerOf(ctx);
    const { commandId, kind, title } = ctx.params;
    const others = ctx.params.members.filter((id) => id !== user.id);
    if (user.guest) throw new ParleyError("FORBIDDEN");
    if (others.length === 0 || (kind === "direct" && others.length > 1))
      throw invalid("members", "a direct conversation has one other member, a group at least one");
    const { missing } = await callUsers(ctx, "users.exist", { ids: others });
    if (missing.length > 0) throw new ParleyError("NOT_FOUND");
    const conversationId =
      kind === "direct"
        ? derivedId("direct", ...[user.id, ...others].sort())
        : derivedId("conversation", user.id, commandId);
    await this.refuseReuse(user.id, commandId, conversationId);
    const params = { kind, members: others, ...(title !== undefined && kind === "group" && { title }) };
    const command = commandOf(ctx, commandId, "create", params);
    const outcome = await callRoom(ctx, "room.command", { conversationId, command });
    if ("event" in outcome) return createdView(outcome.event);
    return { ...(await this.view(ctx, conversationId)), existing: true };
  }

  @Action(contracts.join)
  join(ctx: Ctx<"join">): Answer<"join"> {
    return this.changeMembers(ctx, "join", {});
  }

  @Action(contracts.invite)
  async invite(ctx: Ctx<"invite">): Answer<"invite"> {
    const { userId } = ctx.params;
    const { missing } = await callUsers(ctx, "users.exist", { ids: [userId] });
    if (missing.length > 0) throw new ParleyError("NOT_FOUND");
    return this.changeMembers(ctx, "invite", { userId });
  }

  @Action(contracts.leave)
  async leave(ctx: Ctx<"leave">): Answer<"leave"> {
    const { conversationId, commandId } = ctx.params;
    await this.conversations.command(conversationId, commandOf(ctx, commandId, "leave", {}));
    return null;
  }

  @Action(contracts.get)
  get(ctx: Ctx<"get">): Answer<"get"> {
    return this.view(ctx, ctx.params.conversationId);
  }

  @Action(contracts.list)
  list(ctx: Ctx<"list">): Answer<"list"> {
    return this.lists.page(callerOf(ctx).id, ctx.params, deadlineOf(ctx));
  }

  @Action(contracts.sync)
  async sync(ctx: Ctx<"sync">): Answer<"sync"> {
    const home = homesOf(this.broker);
    const { complete: _complete, ...answer } = await catchUpInOne(ctx, home, ctx.params.cursors);
    return answer;
  }

  @InternalAction("catchUp", { actor: { kind: "conversation", id: "at" }, ...READ })
  catchUp(ctx: InternalCtx<"room.catchUp">): InternalAnswer<"room.catchUp"> {
    const deadline = Math.min(deadlineOf(ctx), this.resources.clock.now() + SYNC_PATIENCE_MS);
    return this.conversations.reader.sync(callerOf(ctx).id, ctx.params.cursors, deadline);
  }

  @InternalAction("command", AT_HOME)
  async command(ctx: InternalCtx<"room.command">): InternalAnswer<"room.command"> {
    // By the clock of this node, and to the end of this attempt: that of the command is its maker's.
    const command = { ...ctx.params.command, deadline: deadlineOf(ctx) };
    return this.conversations.command(ctx.params.conversationId, command);
  }

  @InternalAction("session", { ...AT_HOME, ...READ })
  async session(ctx: InternalCtx<"room.session">): InternalAnswer<"room.session"> {
    const state = await this.conversations.host.read(ctx.params.conversationId, deadlineOf(ctx));
    return state.session ? { session: state.session, lastAll: state.lastAll } : null;
  }

  @InternalAction("memberships", READ)
  async memberships(ctx: InternalCtx<"room.memberships">): InternalAnswer<"room.memberships"> {
    const { userId, complete } = ctx.params;
    if (complete) await otherCoresOf(this.broker, this.conversations).project({ userIds: [userId] });
    return { memberships: await this.lists.memberships(userId) };
  }

  @InternalAction("events", READ)
  async events(ctx: InternalCtx<"room.events">): InternalAnswer<"room.events"> {
    return { pages: fittingPages(await this.conversations.store.readPages(ctx.params.reads)) };
  }

  @InternalAction("flushes", READ)
  async flushes(ctx: InternalCtx<"room.flushes">): InternalAnswer<"room.flushes"> {
    const { incarnation, from, to, part } = ctx.params;
    const { events, through } = await this.conversations.store.readFlushPage(incarnation, from, to);
    const parts = partsOf(events);
    return { events: parts[part] ?? [], through, parts: parts.length };
  }

  @InternalAction("projected")
  async projected(ctx: InternalCtx<"room.projected">): InternalAnswer<"room.projected"> {
    await writeProjections(this.conversations, ctx.params);
    return null;
  }

  @InternalAction("peek")
  peek(ctx: InternalCtx<"room.peek">): InternalAnswer<"room.peek"> {
    const { host } = this.conversations;
    const states = ctx.params.ids.map((id) => host.peek(id));
    return Promise.resolve({ snapshots: states.flatMap((state) => (state?.seq ? [toSnapshot(state)] : [])) });
  }

  @InternalAction("progress", READ)
  async progress(): InternalAnswer<"room.progress"> {
    const { incarnation, flush } = this.conversations.progress;
    return Promise.resolve({ incarnation, flush });
  }

  @InternalAction("marks", READ)
  async marks(): InternalAnswer<"room.marks"> {
    return { marks: await listMarks(this.resources.store) };
  }

  @InternalAction("shared", READ)
  async shared(ctx: InternalCtx<"room.shared">): InternalAnswer<"room.shared"> {
    return { userIds: await this.lists.sharing(ctx.params.userId, ctx.params.userIds) };
  }

  @InternalAction("project", AT_HOME)
  async project(ctx: InternalCtx<"room.project">): InternalAnswer<"room.project"> {
    const { host, projector } = this.conversations;
    const state = await host.readHead(ctx.params.conversationId, deadlineOf(ctx));
    if (state.seq > 0) projector.repair([], state);
    return null;
  }

  @InternalAction("repair", LONG)
  repair(ctx: InternalCtx<"room.repair">): InternalAnswer<"room.repair"> {
    const project = async (conversationId: string): Promise<void> => {
      await callRoom(ctx, "room.project", { conversationId });
    };
    const { clock } = this.resources;
    return repairStep(ctx.params, { store: this.conversations.store, clock, project });
  }

  @InternalAction("sweep", { ...LONG, actor: { kind: "sweeper", id: "of" } })
  sweep(): InternalAnswer<"room.sweep"> {
    return this.conversations.sweep();
  }

  @InternalAction("move", AT_HOME)
  async move(ctx: InternalCtx<"room.move">): InternalAnswer<"room.move"> {
    const { conversationId, to } = ctx.params;
    const target = await moveConversation(this.broker, conversationId, deadlineOf(ctx), to);
    return { from: this.broker.nodeID, to: target };
  }

  @InternalAction("inspect", { ...AT_HOME, ...READ })
  async inspect(ctx: InternalCtx<"room.inspect">): InternalAnswer<"room.inspect"> {
    const { conversationId, limit = 20 } = ctx.params;
    const { host, store } = this.conversations;
    const activated = host.isActive(conversationId);
    const state = await host.read(conversationId, deadlineOf(ctx));
    if (state.seq === 0) return null;
    const lastEvents = await store.readAfter(conversationId, Math.max(0, state.seq - limit), limit, state.seq);
    const { members, ...rest } = state;
    return { home: this.broker.nodeID, activated, state: { ...rest, members: [...members.keys()] }, lastEvents };
  }

  /** A commandId that made another conversation is reused; the actor only sees its own conversation. */
  private async refuseReuse(by: string, commandId: string, conversationId: string): Promise<void> {
    const made = await this.conversations.store.commandAnywhere(by, [commandId]);
    const elsewhere = made.some((event) => event.seq === 1 && event.conversationId !== conversationId);
    if (elsewhere) throw new ParleyError("COMMAND_REUSED");
  }

  private async changeMembers<A extends CommandAction>(
    ctx: Context<{ conversationId: string; commandId: string }, Meta>,
    action: A,
    params: CommandParams[A],
  ): Promise<ConversationView> {
    const { conversationId, commandId } = ctx.params;
    await this.conversations.command(conversationId, commandOf(ctx, commandId, action, params));
    return this.view(ctx, conversationId);
  }

  private async view(ctx: Context<unknown, Meta>, conversationId: string): Promise<ConversationView> {
    const userId = callerOf(ctx).id;
    const access = await this.conversations.reader.authorise(conversationId, userId, deadlineOf(ctx));
    return this.lists.view(access, userId);
  }
}
