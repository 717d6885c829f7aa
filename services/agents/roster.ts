import type { ServiceBroker } from "moleculer";
import { resourcesOf } from "../../lib/resources";
import { sideBySide } from "../../lib/side-by-side";
import { callPresence } from "../presence/presence.internal";
import { STAFF } from "../schemas";
import { callUsers } from "../users/users.internal";
import type { AgentView } from "./agents.internal";
import type { AgentDocument, AgentStore } from "./agents.store";
import { availabilityOf, type EffectiveAvailability } from "./availability";
import type { OpenSessions } from "./open-sessions";
import type { TeamMember } from "./push-assigner";

export interface RosterParts {
  readonly broker: ServiceBroker;
  readonly agents: AgentStore;
  readonly sessions: OpenSessions;
}

const LOOKUPS_AT_ONCE = 16;

/** The agents as they are now: what is kept of them, with who is connected and what they have open. */
export class Roster {
  constructor(private readonly parts: RosterParts) {}

  /** As supervisors see them; who serves no sessions any more is left out. */
  async views(agents: readonly AgentDocument[]): Promise<AgentView[]> {
    const ids = agents.map(({ _id }) => _id);
    const [names, standing, loadOf] = await Promise.all([
      this.names(ids),
      this.standings(agents),
      this.parts.sessions.loads(ids),
    ]);
    return agents.flatMap((agent) => {
      const name = names.get(agent._id);
      const { effective, connected } = standing(agent);
      if (name === undefined) return [];
      return [viewOf(agent, { name, effective, connected, load: loadOf(agent._id).sessions })];
    });
  }

  /** Those who are online at this moment. */
  async online(): Promise<AgentDocument[]> {
    const agents = await this.parts.agents.online();
    const ids = agents.map(({ _id }) => _id);
    const [names, standing] = await Promise.all([this.names(ids), this.standings(agents)]);
    return agents.filter((agent) => names.has(agent._id) && standing(agent).effective.availability === "online");
  }

  /** Candidates for sessions, with their load. */
  async team(agents: readonly AgentDocument[]): Promise<TeamMember[]> {
    const ids = agents.map(({ _id }) => _id);
    const [standing, loadOf] = await Promise.all([this.standings(agents), this.parts.sessions.loads(ids)]);
    return agents.map((agent) => {
      const { _id: agentId, skills, capacity, lastAssignedAt } = agent;
      const { sessions: load, slots } = loadOf(agentId);
      const { takes } = standing(agent).effective;
      return { agentId, takes, skills, load, slots, capacity, ...(lastAssignedAt !== undefined && { lastAssignedAt }) };
    });
  }

  /** May this agent be given a session in this slot, as far as is known at this very moment? */
  async takes(agentId: string, slot: number): Promise<boolean> {
    const [agent, user] = await Promise.all([
      this.parts.agents.get(agentId),
      callUsers(this.parts.broker, "users.principal", { id: agentId }),
    ]);
    return agent !== undefined && isStaff(user) && slot <= agent.capacity && this.effective(agent).takes;
  }

  /** Which of these users are connected; undefined while nobody knows: then the last that was known counts. */
  private async connected(userIds: readonly string[]): Promise<ReadonlySet<string> | undefined> {
    if (userIds.length === 0) return new Set();
    const answer = await callPresence(this.parts.broker, "presence.connected", { userIds }).catch(() => undefined);
    return answer && new Set(answer.userIds);
  }

  private async standings(agents: readonly AgentDocument[]): Promise<(agent: AgentDocument) => Standing> {
    const { clock } = resourcesOf(this.parts.broker);
    const connected = await this.connected(agents.map(({ _id }) => _id));
    return (agent) => {
      const { absentSince, ...here } = agent;
      const isHere = connected?.has(agent._id) ?? absentSince === undefined;
      const now = isHere ? here : { ...here, absentSince: absentSince ?? clock.now() };
      return { effective: this.effective(now), connected: isHere };
    };
  }

  private effective(agent: AgentDocument): EffectiveAvailability {
    const { clock, config } = resourcesOf(this.parts.broker);
    return availabilityOf(agent, clock.now(), { awayMs: config.AGENT_AWAY_MS, graceMs: config.AGENT_GRACE_MS });
  }

  /** The names of those who serve sessions. */
  private async names(userIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const names = new Map<string, string>();
    await sideBySide(userIds, LOOKUPS_AT_ONCE, async (id) => {
      const user = await callUsers(this.parts.broker, "users.get", { id });
      if (user && isStaff(user)) names.set(id, user.name);
    });
    return names;
  }
}

interface Standing {
  readonly effective: EffectiveAvailability;
  readonly connected: boolean;
}

export const isStaff = (user: { readonly roles: readonly string[] } | null): boolean =>
  user?.roles.some((role) => STAFF.some((staff) => staff === role)) ?? false;

function viewOf(
  agent: AgentDocument,
  { name, effective, connected, load }: Standing & { readonly name: string; readonly load: number },
): AgentView {
  const { availability, reason, since } = effective;
  return {
    id: agent._id,
    name,
    availability,
    chosen: agent.availability,
    reason,
    since: new Date(since).toISOString(),
    connected,
    load,
    capacity: agent.capacity,
    skills: [...agent.skills],
  };
}
