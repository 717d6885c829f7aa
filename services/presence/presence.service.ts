import type { Context, ServiceBroker } from "moleculer";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, InternalAction, Service } from "../../lib/decorators";
import { isParleyError, ParleyError } from "../../lib/errors";
import { FailureSeries } from "../../lib/failure-series";
import { transporterIsUp } from "../../lib/transporter";
import { vitalsOf } from "../../lib/vitals";
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
    const { kv, clock, monotonic } = this.resources;
    const failures = new FailureSeries(this.logger, {
      begins: "presence cannot be kept, it is tried again",
      ends: "presence is kept again",
    });
    this.tracker = new PresenceTracker({
      kv,
      clock,
      monotonic,
      nodeId: this.broker.nodeID,
      isGone: (node) => this.isGone(node),
      takeCensus: () => broadcast(this.broker, "presence.census", {}, ["io"]),
      announce: (userId, presence) => this.announce(userId, presence),
      failed: (error) => failures.failed(error),
      worked: () => failures.worked(),
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
    return Object.fromEntries(await available(this.tracker.read(visible)));
  }

  @Action(contracts.set)
  set(ctx: Context<Params<typeof contracts.set>, Meta>): Promise<Result<typeof contracts.set>> {
    return available(this.tracker.choose(callerOf(ctx).id, ctx.params.status));
  }

  @InternalAction("report", { repeats: "read" })
  async report(ctx: Internal<"presence.report">): Promise<null> {
    await available(this.tracker.report(ctx.params));
    return null;
  }

  @InternalAction("who", { repeats: "read" })
  who(ctx: Internal<"presence.who">): Promise<PresenceInternal["presence.who"]["result"]> {
    return available(this.tracker.connected(ctx.params.limit ?? LISTED));
  }

  @InternalAction("connected", { repeats: "read" })
  async connected(ctx: Internal<"presence.connected">): Promise<PresenceInternal["presence.connected"]["result"]> {
    return { userIds: await available(this.tracker.connectedAmong(ctx.params.userIds)) };
  }

  @InternalAction("explain", { repeats: "read" })
  explain(ctx: Internal<"presence.explain">): Promise<PresenceInternal["presence.explain"]["result"]> {
    return available(this.tracker.explain(ctx.params.userId));
  }

  // It may take longer than an attempt: a repeat would only add to what is slow. The next turn comes.
  @InternalAction("sweep", { repeats: "never" })
  sweep(): Promise<PresenceInternal["presence.sweep"]["result"]> {
    return available(this.tracker.sweep());
  }

  /** Only a node that reaches the broker can tell that another one does not. */
  private isGone(node: string): boolean {
    if (node === this.broker.nodeID || vitalsOf(this.broker).isDown("broker")) return false;
    return transporterIsUp(this.broker) && !isAvailable(this.broker, node);
  }

  /** Tells the members of the user's conversations. Never rejects: who was not told can still ask. */
  private async announce(userId: string, presence: PresenceAnswer): Promise<void> {
    try {
      const { memberships } = await callRoom(this.broker, "room.memberships", { userId, complete: true });
      const conversationIds = memberships.slice(0, MAX_TOLD).map(({ conversationId }) => conversationId);
      await broadcast(this.broker, "presence.changed", { userId, ...presence, conversationIds }, ["io"]);
    } catch (error) {
      this.logger.warn("a status could not be told", { error });
    }
  }
}

const NOBODY: { readonly userIds: readonly string[] } = { userIds: [] };

/** The key-value store may be away: that is no error of ours, and passes. */
async function available<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw isParleyError(error) ? error : new ParleyError("UNAVAILABLE");
  }
}

const isAvailable = ({ registry }: ServiceBroker, node: string): boolean => {
  const known: { readonly available: boolean } | undefined = registry.nodes.get(node);
  return known?.available === true;
};
