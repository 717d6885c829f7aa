import type { Static } from "@sinclair/typebox";
import { callerOf } from "../../lib/call";
import type { Judgement } from "../session/assignment";
import type { Agent } from "./agents.contract";

export type AgentView = Static<typeof Agent>;

/** Why a session was pushed to whom it was, or why it waits. `at` is ISO 8601. */
export interface PushExplanation {
  readonly agentId?: string;
  readonly at: string;
  /** In words and numbers. */
  readonly reason: string;
  /** What was thought of each agent. */
  readonly judgements: readonly Judgement[];
}

/** The agents who are online: all, and by topic those with its skills. */
export interface Staffing {
  readonly online: number;
  readonly topics: Readonly<Record<string, number>>;
}

/** Actions of the agents service that only other services and operators call. */
export type AgentsInternal = {
  /** These agents did something, a few seconds ago at most. */
  "agents.heard": { params: { userIds: readonly string[] }; result: null };
  /** The agent's open sessions, not counting one of them, and the capacity. */
  "agents.load": { params: { agentId: string; besides: string }; result: { load: number; capacity: number } };
  /** The agents as they are now. */
  "agents.staffing": { params: { topics: readonly string[] }; result: Staffing };
  /** All agents by id, a page of them. For operators. */
  "agents.inspect": { params: { after?: string; limit: number }; result: { agents: AgentView[] } };
  /** One look at who is connected; gives back the sessions of those who have been gone for longer than the topic says. */
  "agents.watch": { params: object; result: { returned: number } };
  /** One pass over the waiting sessions of topics that push. Any node may do it, at any time. */
  "agents.push": { params: object; result: { assigned: number } };
  /**
   * Gives one waiting session to whom it suits best, or to this agent if there is room. For operators.
   * @throws ParleyError NOT_FOUND; SESSION_TAKEN; SESSION_CLOSED; LIMIT_REACHED when nobody fits, or this agent does not
   */
  "agents.assign": { params: { conversationId: string; agentId?: string }; result: PushExplanation };
  /** Why the last push of a session went where it went, or why it waits; null when it neither waits nor was pushed. */
  "agents.explain": { params: { conversationId: string }; result: PushExplanation | null };
};

/** Calls an internal action of the agents service. */
export const callAgents = callerOf<AgentsInternal>();
