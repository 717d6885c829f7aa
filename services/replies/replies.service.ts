import type { Context } from "moleculer";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, Service } from "../../lib/decorators";
import { invalid, ParleyError } from "../../lib/errors";
import { hasRole, type Meta, type Principal } from "../auth/principal";
import { call } from "../call";
import { callerOf } from "../conversation-command";
import type { SessionView } from "../conversation-views";
import { SUPERVISORS } from "../supervision/supervision.contract";
import { callUsers } from "../users/users.internal";
import * as contracts from "./replies.contract";
import { listOf, type ReplyDocument, ReplyStore } from "./replies.store";
import { firstName, parseTemplate, render, type Template, TemplateError, type Values } from "./template";

type Ctx<C extends keyof typeof contracts & ("list" | "put" | "remove" | "render")> = Context<
  Params<(typeof contracts)[C]>,
  Meta
>;
type ReplyView = Result<typeof contracts.put>;

/** Canned replies: shared ones that supervisors write, and each agent's own. */
@Service({ name: "replies", dependencies: ["users", "session"] })
export default class RepliesService extends DomainService {
  declare replies: ReplyStore;

  created(): void {
    this.replies = new ReplyStore(this.resources.store, this.resources.config.LIMIT_REPLIES);
  }

  @Action(contracts.list)
  async list(ctx: Ctx<"list">): Promise<Result<typeof contracts.list>> {
    const { prefix = "", scope, cursor, limit = 50 } = ctx.params;
    const scopes = scope === undefined ? contracts.SCOPES : [scope];
    const lists = scopes.map((one) => listOf(one, callerOf(ctx).id));
    const page = await this.replies.page(lists, prefix, limit, cursor);
    return { ...page, replies: page.replies.map(viewOf) };
  }

  @Action(contracts.put)
  async put(ctx: Ctx<"put">): Promise<ReplyView> {
    const { scope, shortcut, title, text } = ctx.params;
    const list = this.writable(callerOf(ctx), scope);
    const plain = text.replace(/\r\n?/g, "\n");
    templateOf(plain);
    const reply = { list, shortcut, text: plain, by: callerOf(ctx).id, updatedAt: this.resources.clock.now() };
    return viewOf(await this.replies.put({ ...reply, ...(title !== undefined && { title }) }));
  }

  @Action(contracts.remove)
  async remove(ctx: Ctx<"remove">): Promise<null> {
    await this.replies.delete(this.writable(callerOf(ctx), ctx.params.scope), ctx.params.shortcut);
    return null;
  }

  /** For any session that the caller may read: agents prepare an answer before they claim. */
  @Action(contracts.render)
  async render(ctx: Ctx<"render">): Promise<{ text: string }> {
    const { scope, shortcut, sessionId } = ctx.params;
    const session = await call(ctx, "session.get", { sessionId });
    const reply = await this.replies.get(listOf(scope, callerOf(ctx).id), shortcut);
    if (!reply) throw new ParleyError("NOT_FOUND");
    return { text: render(templateOf(reply.text), await valuesOf(ctx, session)) };
  }

  /** @throws ParleyError FORBIDDEN */
  private writable(user: Principal, scope: contracts.Scope): string {
    if (scope === "shared" && !hasRole(user, SUPERVISORS)) throw new ParleyError("FORBIDDEN");
    return listOf(scope, user.id);
  }
}

async function valuesOf(ctx: Context<unknown, Meta>, session: SessionView): Promise<Values> {
  const [customer, agent] = await Promise.all([
    callUsers(ctx, "users.get", { id: session.customerId }),
    callUsers(ctx, "users.get", { id: callerOf(ctx).id }),
  ]);
  return {
    ...(customer && { "customer.name": customer.name, "customer.firstName": firstName(customer.name) }),
    ...(agent && { "agent.name": agent.name, "agent.firstName": firstName(agent.name) }),
    "session.id": session.id,
    "session.topic": session.topic,
    ...(session.subject !== undefined && { "session.subject": session.subject }),
    // The text is for the customer, who sees no other.
    "session.urgency": session.askedUrgency ?? session.urgency,
  };
}

/** @throws ParleyError VALIDATION */
function templateOf(text: string): Template {
  try {
    return parseTemplate(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw invalid("text", error.message);
  }
}

const viewOf = ({ list, shortcut, title, text, by, updatedAt }: ReplyDocument): ReplyView => ({
  scope: list === "shared" ? "shared" : "own",
  shortcut,
  ...(title !== undefined && { title }),
  text,
  by,
  updatedAt: new Date(updatedAt).toISOString(),
});
