import type { Context } from "moleculer";
import type { Action as CommandAction, CommandParams } from "../../actors/conversation/conversation.commands";
import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, Service } from "../../lib/decorators";
import type { Meta } from "../auth/principal";
import { callerOf, commandOf, deadlineOf } from "../conversation-command";
import { conversationsMixin } from "../conversations";
import * as contracts from "./message.contract";

type Ctx<C extends keyof typeof contracts> = Context<Params<(typeof contracts)[C]>, Meta>;
type Answer<C extends keyof typeof contracts> = Promise<Result<(typeof contracts)[C]>>;

/** Messages: a facade over the conversation actor. */
@Service({ name: "message", mixins: [conversationsMixin] })
export default class MessageService extends DomainService {
  declare conversations: Conversations;

  @Action(contracts.send)
  async send(ctx: Ctx<"send">): Answer<"send"> {
    const { conversationId, commandId, ...message } = ctx.params;
    // A repeat is a repeat also when the sender has seen more since, or insists.
    const { baseSeq: _baseSeq, force: _force, ...content } = message;
    const command = commandOf(ctx, commandId, "send", message, content);
    const outcome = await this.conversations.command(conversationId, command);
    if (!("event" in outcome)) throw new TypeError("a sent message makes an event");
    const { seq, _id, at } = outcome.event;
    return { seq, id: _id, at: new Date(at).toISOString() };
  }

  @Action(contracts.edit)
  edit(ctx: Ctx<"edit">): Answer<"edit"> {
    const { seq, text } = ctx.params;
    return this.append(ctx, "edit", { seq, text });
  }

  @Action(contracts.remove)
  remove(ctx: Ctx<"remove">): Answer<"remove"> {
    return this.append(ctx, "delete", { seq: ctx.params.seq });
  }

  @Action(contracts.react)
  react(ctx: Ctx<"react">): Answer<"react"> {
    const { seq, emoji, on } = ctx.params;
    return this.append(ctx, "react", { seq, emoji, on });
  }

  @Action(contracts.history)
  async history(ctx: Ctx<"history">): Answer<"history"> {
    const { conversationId, before, after, limit = 50 } = ctx.params;
    const { reader } = this.conversations;
    const access = await reader.authorise(conversationId, callerOf(ctx).id, deadlineOf(ctx));
    return reader.history(access, {
      limit,
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
    });
  }

  @Action(contracts.delivered)
  delivered(ctx: Ctx<"delivered">): Answer<"delivered"> {
    return this.receipt(ctx, "delivered");
  }

  @Action(contracts.read)
  read(ctx: Ctx<"read">): Answer<"read"> {
    return this.receipt(ctx, "read");
  }

  private async append<A extends CommandAction>(
    ctx: Context<{ conversationId: string; commandId: string }, Meta>,
    action: A,
    params: CommandParams[A],
  ): Promise<{ seq: number }> {
    const { conversationId, commandId } = ctx.params;
    const outcome = await this.conversations.command(conversationId, commandOf(ctx, commandId, action, params));
    return { seq: "event" in outcome ? outcome.event.seq : outcome.noop.seq };
  }

  private async receipt(ctx: Ctx<"read">, kind: "delivered" | "read"): Promise<{ seq: number }> {
    const { conversationId, seq } = ctx.params;
    const userId = callerOf(ctx).id;
    const { reader, receipts } = this.conversations;
    const { last } = await reader.authorise(conversationId, userId, deadlineOf(ctx));
    const watermark = await receipts.raise(conversationId, userId, kind, Math.min(seq, last));
    return { seq: kind === "read" ? watermark.readSeq : watermark.deliveredSeq };
  }
}
