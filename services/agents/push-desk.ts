import { ParleyError } from "../../lib/errors";
import { resourcesOf } from "../../lib/resources";
import { callRoom } from "../room/room.internal";
import { assign, type Assignment } from "../session/assignment";
import { isWaiting } from "../session/queue";
import type { ListedSession } from "../session/session-lists";
import type { PushExplanation } from "./agents.internal";
import { newAgent } from "./agents.store";
import { shownOf } from "./assignments.store";
import { PushAssigner } from "./push-assigner";
import { type PushParts, pushPorts, pushTopics } from "./push-ports";

export interface PushDeskParts extends PushParts {
  /** Resolves when the projections have what this node has answered. */
  projected(): Promise<void>;
}

/** Gives waiting sessions to agents, one pass or one session at a time, and tells why. */
export class PushDesk {
  private readonly ports: ReturnType<typeof pushPorts>;
  private readonly assigner: PushAssigner;

  constructor(private readonly parts: PushDeskParts) {
    this.ports = pushPorts(parts);
    this.assigner = new PushAssigner(this.ports);
  }

  /** One pass over the waiting sessions of topics that push. Answers how many were given. */
  async pass(): Promise<number> {
    if ((await pushTopics(this.parts.broker)).length === 0) return 0;
    await this.parts.projected();
    return this.assigner.pass();
  }

  /**
   * Gives one waiting session, of whatever topic, to the best agent or to this one. Answers without an agent when nobody
   * fits.
   * @throws ParleyError NOT_FOUND, SESSION_TAKEN, SESSION_CLOSED
   */
  async assign(conversationId: string, agentId?: string): Promise<PushExplanation> {
    const { agents, roster } = this.parts;
    const found = await this.read(conversationId);
    if (found.session.status === "closed") throw new ParleyError("SESSION_CLOSED");
    const taken = found.session.agentId;
    if (taken !== undefined) throw new ParleyError("SESSION_TAKEN", { agentId: taken });
    const named = agentId === undefined ? undefined : ((await agents.get(agentId)) ?? newAgent(agentId, 0));
    const { why, agentId: given } = await this.assigner.one(
      found,
      await roster.team(named ? [named] : await agents.online()),
    );
    if (given !== undefined) return this.tell(why, given);
    return this.tell(why.order.length === 0 ? why : { ...why, reason: "the session or the agent was taken meanwhile" });
  }

  /** Why the last push went where it went, or why a session of a topic that pushes still waits. */
  async explain(conversationId: string): Promise<PushExplanation | null> {
    const { assignments, agents, roster, broker } = this.parts;
    const found = await this.read(conversationId);
    const { session } = found;
    if (isWaiting(session) && (await pushTopics(broker)).includes(session.topic)) {
      const [team, needs] = await Promise.all([roster.team(await agents.online()), this.ports.needs(found)]);
      return this.tell(assign(team, needs));
    }
    const last = await assignments.get(conversationId);
    if (!last || last.agentId !== session.agentId || session.via !== "push") return null;
    const { agentId, at, reason, judgements } = last;
    return { agentId, at: new Date(at).toISOString(), reason, judgements };
  }

  private async read(conversationId: string): Promise<ListedSession> {
    const found = await callRoom(this.parts.broker, "room.session", { conversationId });
    if (!found) throw new ParleyError("NOT_FOUND");
    return { id: conversationId, seq: found.lastAll, session: found.session };
  }

  private tell(why: Assignment, agentId?: string): PushExplanation {
    const at = new Date(resourcesOf(this.parts.broker).clock.now()).toISOString();
    return { at, ...shownOf(why), ...(agentId !== undefined && { agentId }) };
  }
}
