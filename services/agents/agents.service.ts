import type { Context } from "moleculer";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, InternalAction, Service } from "../../lib/decorators";
import { ParleyError } from "../../lib/errors";
import { lifecycleOf } from "../../lib/lifecycle";
import type { Meta } from "../auth/principal";
import { callerOf } from "../conversation-command";
import { conversationsOf, onSettled } from "../conversations";
import { writeProjections } from "../other-cores";
import { topicsOf } from "../topics/topics.directory";
import { callUsers } from "../users/users.internal";
import { watchAbsence } from "./absence";
import { absencePorts } from "./absence-ports";
import { list, me, put, setAvailability } from "./agents.contract";
import type { AgentsInternal, AgentView } from "./agents.internal";
import { type AgentMetrics, agentMetrics } from "./agents.metrics";
import { type AgentDocument, AgentStore, newAgent } from "./agents.store";
import { AssignmentStore } from "./assignments.store";
import { OpenSessions } from "./open-sessions";
import { PushDesk } from "./push-desk";
import { PushTrigger } from "./push-trigger";
import { isStaff, Roster } from "./roster";

type InternalCtx<N extends keyof AgentsInternal> = Context<AgentsInternal[N]["params"], Meta>;
type InternalAnswer<N extends keyof AgentsInternal> = Promise<AgentsInternal[N]["result"]>;

const READ = { repeats: "read" } as const;
const PAGE = 50;

/** Who serves sessions: availability, skills and capacity; and who is given which session. */
@Service({ name: "agents", dependencies: ["users", "room", "presence"] })
export default class AgentsService extends DomainService {
  declare agents: AgentStore;
  declare sessions: OpenSessions;
  declare roster: Roster;
  declare desk: PushDesk;
  declare trigger: PushTrigger;
  declare metrics: AgentMetrics;

  created(): void {
    const { broker } = this;
    const { store, clock } = this.resources;
    const conversations = conversationsOf(broker);
    this.agents = new AgentStore(store);
    this.sessions = new OpenSessions(conversations.store);
    this.roster = new Roster({ broker, agents: this.agents, sessions: this.sessions });
    this.metrics = agentMetrics(broker);
    const { agents, sessions, roster, metrics } = this;
    const assignments = new AssignmentStore(store);
    const projected = () => writeProjections(conversations, { userIds: [], sessions: true });
    this.desk = new PushDesk({ broker, agents, sessions, roster, assignments, metrics, projected });
    this.trigger = new PushTrigger(clock, () => this.pass());
    onSettled(broker, (events) => events.some(mayMove) && this.trigger.nudge());
    lifecycleOf(broker).onDrain(async () => this.trigger.stop());
  }

  @Action(me)
  async me(ctx: Context<Params<typeof me>, Meta>): Promise<Result<typeof me>> {
    const { id } = callerOf(ctx);
    return this.view((await this.agents.get(id)) ?? newAgent(id, this.resources.clock.now()));
  }

  @Action(setAvailability)
  async setAvailability(ctx: Context<Params<typeof setAvailability>, Meta>): Promise<Result<typeof setAvailability>> {
    const { id } = callerOf(ctx);
    const agent = await this.agents.choose(id, ctx.params.availability, this.resources.clock.now());
    this.trigger.nudge();
    return this.view(agent);
  }

  @Action(list)
  async list(ctx: Context<Params<typeof list>, Meta>): Promise<Result<typeof list>> {
    const { cursor = "", limit = PAGE } = ctx.params;
    const page = await this.agents.page(cursor, limit);
    const agents = await this.roster.views(page);
    const last = page.at(-1);
    return last && page.length === limit ? { agents, cursor: last._id } : { agents };
  }

  @Action(put)
  async put(ctx: Context<Params<typeof put>, Meta>): Promise<Result<typeof put>> {
    const { id, ...what } = ctx.params;
    if (!isStaff(await callUsers(ctx, "users.principal", { id }))) throw new ParleyError("NOT_FOUND");
    const agent = await this.agents.describe(id, what, this.resources.clock.now());
    this.trigger.nudge();
    return this.view(agent);
  }

  @InternalAction("heard", READ)
  async heard(ctx: InternalCtx<"agents.heard">): InternalAnswer<"agents.heard"> {
    await this.agents.heard(ctx.params.userIds, this.resources.clock.now());
    return null;
  }

  @InternalAction("load", READ)
  async load(ctx: InternalCtx<"agents.load">): InternalAnswer<"agents.load"> {
    const { agentId, besides } = ctx.params;
    const [agent, open] = await Promise.all([this.agents.get(agentId), this.sessions.of([agentId])]);
    const { capacity } = agent ?? newAgent(agentId, 0);
    return { load: open.filter(({ id }) => id !== besides).length, capacity };
  }

  @InternalAction("staffing", READ)
  async staffing(ctx: InternalCtx<"agents.staffing">): InternalAnswer<"agents.staffing"> {
    const online = await this.roster.online();
    const directory = topicsOf(this.broker);
    const counts = ctx.params.topics.map(async (topic) => {
      const { skills } = await directory.get(topic);
      return [topic, online.filter((agent) => skills.every((skill) => agent.skills.includes(skill))).length] as const;
    });
    return { online: online.length, topics: Object.fromEntries(await Promise.all(counts)) };
  }

  @InternalAction("inspect", READ)
  async inspect(ctx: InternalCtx<"agents.inspect">): InternalAnswer<"agents.inspect"> {
    const { after = "", limit } = ctx.params;
    return { agents: await this.roster.views(await this.agents.page(after, limit)) };
  }

  // These two may take longer than an attempt: a repeat would only add to what is slow. The next turn comes.
  @InternalAction("watch", { repeats: "never" })
  async watch(): InternalAnswer<"agents.watch"> {
    const returned = await watchAbsence(absencePorts(this.broker, this.agents, this.sessions));
    this.metrics.returned.value += returned;
    return { returned };
  }

  @InternalAction("push", { repeats: "never" })
  async push(): InternalAnswer<"agents.push"> {
    return { assigned: await this.desk.pass() };
  }

  @InternalAction("assign")
  assign(ctx: InternalCtx<"agents.assign">): InternalAnswer<"agents.assign"> {
    return this.desk.assign(ctx.params.conversationId, ctx.params.agentId);
  }

  @InternalAction("explain", READ)
  explain(ctx: InternalCtx<"agents.explain">): InternalAnswer<"agents.explain"> {
    return this.desk.explain(ctx.params.conversationId);
  }

  /** Never rejects: whoever is not given a session now is in a moment. */
  private async pass(): Promise<void> {
    await this.desk.pass().catch((error: unknown) => this.logger.warn("sessions could not be pushed", { error }));
  }

  private async view(agent: AgentDocument): Promise<AgentView> {
    const [view] = await this.roster.views([agent]);
    if (!view) throw new ParleyError("NOT_FOUND");
    return view;
  }
}

/** Does the event make a session wait, or give room to an agent? */
const mayMove = ({ session, type, endsSlot }: StoredEvent): boolean =>
  session !== undefined && (session.agentId === undefined || type === "session.closed" || endsSlot !== undefined);
