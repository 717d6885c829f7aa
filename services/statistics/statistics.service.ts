import type { Context } from "moleculer";
import type { Conversations } from "../../actors/conversation/conversation.actor";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, InternalAction, Service } from "../../lib/decorators";
import { invalid, ParleyError } from "../../lib/errors";
import { isTimeZone } from "../../lib/time-zone";
import { callAgents } from "../agents/agents.internal";
import { hasRole, type Meta } from "../auth/principal";
import { callerOf, deadlineOf } from "../conversation-command";
import { conversationsMixin } from "../conversations";
import { otherCoresOf } from "../other-cores";
import { SUPERVISORS } from "../supervision/supervision.contract";
import { timersOf } from "../timers";
import { topicsOf } from "../topics/topics.directory";
import { auditStep } from "./audit/desk-audit";
import { FactsStore } from "./facts.store";
import { bringUp, type FoldPorts, makeAfresh } from "./folding";
import { type Period, periodsOf } from "./periods";
import { Rebuild } from "./rebuild";
import * as contracts from "./statistics.contract";
import type { StatisticsInternal } from "./statistics.internal";
import { type StatisticsRow, Tally } from "./tally";

type Ctx<C extends "sessions" | "rebuild"> = Context<Params<(typeof contracts)[C]>, Meta>;
type InternalCtx<N extends keyof StatisticsInternal> = Context<StatisticsInternal[N]["params"], Meta>;
type InternalAnswer<N extends keyof StatisticsInternal> = Promise<StatisticsInternal[N]["result"]>;

const DAY_MS = 86_400_000;
/** Questions that are answered at the same time: each may read many sessions. */
const MAX_RUNNING = 4;

/** What became of sessions, added up: kept as a projection of the log. */
@Service({ name: "statistics", dependencies: ["topics", "agents"], mixins: [conversationsMixin] })
export default class StatisticsService extends DomainService {
  declare conversations: Conversations;
  declare facts: FactsStore;
  declare running: number;

  created(): void {
    this.facts = new FactsStore(this.resources.store);
    this.running = 0;
  }

  @Action(contracts.sessions)
  async sessions(ctx: Ctx<"sessions">): Promise<Result<typeof contracts.sessions>> {
    const user = callerOf(ctx);
    const { topic, per, by } = ctx.params;
    const supervises = hasRole(user, SUPERVISORS);
    const agentId = ctx.params.agentId ?? (supervises ? undefined : user.id);
    if (!supervises && agentId !== user.id) throw new ParleyError("FORBIDDEN");
    const range = rangeOf(ctx.params);
    const periods = periodsOf(by, range, ctx.params.timeZone ?? "UTC", contracts.MAX_PERIODS);
    if (!periods) throw new ParleyError("LIMIT_REACHED", { limit: contracts.MAX_PERIODS });
    if (this.running >= MAX_RUNNING) throw new ParleyError("TOO_BUSY");
    this.running++;
    try {
      const asked = { ...(topic !== undefined && { topic }), ...(agentId !== undefined && { agentId }) };
      const tally = new Tally({ periods, ...asked, ...(per && { per }), now: this.resources.clock.now() });
      return { rows: await this.add(tally, range, deadlineOf(ctx)) };
    } finally {
      this.running--;
    }
  }

  @Action(contracts.rebuild)
  async rebuild(ctx: Ctx<"rebuild">): Promise<Result<typeof contracts.rebuild>> {
    const { store, clock, monotonic } = this.resources;
    const make = async (conversationId: string): Promise<void> => {
      await makeAfresh(this.foldPorts(), conversationId);
    };
    const { conversations } = this.conversations.store;
    const projected = () => otherCoresOf(this.broker, this.conversations).project({ sessions: true });
    const parts = new Rebuild(store, { conversations, clock, monotonic, projected, make });
    const { startedAt, done, total, finished } = await parts.next(ctx.params.restart ?? false);
    return { startedAt: new Date(startedAt).toISOString(), done, total, finished };
  }

  @InternalAction("bringUp", { repeats: "read" })
  async bringUp(ctx: InternalCtx<"statistics.bringUp">): InternalAnswer<"statistics.bringUp"> {
    await bringUp(this.foldPorts(), ctx.params.conversationId, ctx.params.seq);
    return null;
  }

  @InternalAction("audit", { repeats: "never" })
  audit(ctx: InternalCtx<"statistics.audit">): InternalAnswer<"statistics.audit"> {
    const agents = async (after: string, limit: number) =>
      (await callAgents(ctx, "agents.inspect", { ...(after !== "" && { after }), limit })).agents;
    const ports = { ...this.foldPorts(), timers: timersOf(this.broker), clock: this.resources.clock, agents };
    return auditStep(ports, ctx.params.cursors);
  }

  private async add(tally: Tally, { from, to }: Period, deadline: number): Promise<StatisticsRow[]> {
    const { clock } = this.resources;
    for await (const page of this.facts.touching(from, to)) {
      for (const document of page) tally.add(document);
      if (tally.size > contracts.MAX_ROWS) throw new ParleyError("LIMIT_REACHED", { limit: contracts.MAX_ROWS });
      if (clock.now() > deadline) throw new ParleyError("UNAVAILABLE");
    }
    return tally.view();
  }

  private foldPorts() {
    const topics: FoldPorts["topics"] = () => topicsOf(this.broker).all();
    return { log: this.conversations.store, facts: this.facts, topics };
  }
}

/** @throws ParleyError VALIDATION */
function rangeOf(params: Params<typeof contracts.sessions>): Period {
  const { timeZone = "UTC" } = params;
  const [from, to] = [Date.parse(params.from), Date.parse(params.to)];
  if (!(from < to)) throw invalid("to", "is not later than from");
  if (to - from > contracts.MAX_DAYS * DAY_MS) throw invalid("to", `is more than ${contracts.MAX_DAYS} days later`);
  if (!isTimeZone(timeZone)) throw invalid("timeZone", "is no time zone");
  return { from, to };
}
