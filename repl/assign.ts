import { callAgents, type PushExplanation } from "../services/agents/agents.internal";
import type { Command, Session } from "./command";

const COLUMNS = [
  { title: "Agent", overflow: "id" },
  { title: "Thought of it" },
  { title: "Load", align: "right" },
  { title: "Lacks", overflow: "cut" },
] as const;

/** Gives a waiting session to somebody, by the rules of pushing, whatever the topic says. */
export const assign: Command = {
  command: "assign <session> [agent]",
  description: "Give a waiting session to whom it suits best, or to this agent if there is room",
  options: [],
  async run(session) {
    const { session: conversationId = "", agent } = session.args;
    const answer = await callAgents(session.broker, "agents.assign", {
      conversationId,
      ...(agent !== undefined && { agentId: agent }),
    });
    const outcome = answer.agentId === undefined ? "Nobody has it" : `${answer.agentId} has it`;
    return `${outcome}:\n${answer.reason}.${judgementsOf(session, answer)}`;
  },
};

function judgementsOf(session: Session, { judgements }: PushExplanation): string {
  if (judgements.length === 0) return "";
  const rows = judgements.map(({ agentId, verdict, load, capacity, lacking }) => [
    agentId,
    verdict,
    `${load}/${capacity}`,
    lacking.join(" ") || "-",
  ]);
  return `\n\n${session.table(COLUMNS, rows)}`;
}
