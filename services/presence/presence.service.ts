import type { Context } from "moleculer";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, InternalAction, Service } from "../../lib/decorators";
import type { Meta } from "../auth/principal";
import { broadcast } from "../call";
import { callerOf } from "../conversation-command";
import { callRoom } from "../room/room.internal";
import * as contracts from "./presence.contract";
import type { PresenceAnswer } from "./presence.engine";
import type { PresenceInternal } from "./presence.internal";
import { PresenceTracker } from "./presence.tracker";

type Internal<N extends keyof PresenceInternal> = Context<PresenceInternal[N]["params"], Meta>;

/** Conversations of one user whose members are told when the status changes. */
const MAX_TOLD = 1_000;
const LISTED = 100;

/** Who is connected, and what they say about it. */
@Service({ name: "presence" })
export default class PresenceService extends DomainService {
  declare tracker: PresenceTracker;

  created(): void {
    const { kv, clock } = this.resources;
    this.tracker = new PresenceTracker({
      kv,
      clock,
      nodeId: this.broker.nodeID,
      announce: (userId, presence) => this.announce(userId, presence),
      failed: (error) => this.logger.warn("presence could not be kept", { error }),
    });
  }

  started(): void {
    this.tracker.start();
  }

  stopped(): Promise<void> {
    return this.tracker.stop();
  }

  @Action(contracts.get)
  async get(ctx: Context<Params<typeof contracts.get>, Meta>): Promise<Result<typeof contracts.get>> {
    const { id } = callerOf(ctx);
    const others = [...new Set(ctx.params.userIds)].filter((userId) => userId !== id);
    const { userIds } =
      others.length > 0 ? await callRoom(ctx, "room.shared", { userId: id, userIds: others }) : NOBODY;
    const visible = ctx.params.userIds.includes(id) ? [...userIds, id] : userIds;
    const statuses = await Promise.all(visible.map(async (userId) => [userId, await this.tracker.read(userId)]));
    return Object.fromEntries(statuses) as Result<typeof contracts.get>;
  }

  @Action(contracts.set)
  set(ctx: Context<Params<typeof contracts.set>, Meta>): Promise<Result<typeof contracts.set>> {
    return this.tracker.choose(callerOf(ctx).id, ctx.params.status);
  }

  @InternalAction("renew", { repeats: "read" })
  async renew(ctx: Internal<"presence.renew">): Promise<null> {
    await this.tracker.renew(ctx.params.connections);
    return null;
  }

  @InternalAction("release", { repeats: "read" })
  async release(ctx: Internal<"presence.release">): Promise<null> {
    await this.tracker.release(ctx.params);
    return null;
  }

  @InternalAction("who", { repeats: "read" })
  who(ctx: Internal<"presence.who">): Promise<PresenceInternal["presence.who"]["result"]> {
    return this.tracker.connected(ctx.params.limit ?? LISTED);
  }

  /** Tells the members of the user's conversations. Never rejects: who was not told can still ask. */
  private async announce(userId: string, presence: PresenceAnswer): Promise<void> {
    try {
      const { memberships } = await callRoom(this.broker, "room.memberships", { userId });
      const conversationIds = memberships.slice(0, MAX_TOLD).map(({ conversationId }) => conversationId);
      await broadcast(this.broker, "presence.changed", { userId, ...presence, conversationIds }, ["io"]);
    } catch (error) {
      this.logger.warn("a status could not be told", { error });
    }
  }
}

const NOBODY: { readonly userIds: readonly string[] } = { userIds: [] };
