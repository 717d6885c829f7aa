import { callAgents } from "../services/agents/agents.internal";
import { type Command, LIMIT_OPTION, limitOf } from "./command";

const COLUMNS = [
  { title: "Agent", overflow: "id" },
  { title: "Name", overflow: "cut" },
  { title: "Is", overflow: "cut" },
  { title: "There" },
  { title: "Load", align: "right" },
  { title: "Skills", overflow: "cut" },
] as const;

/** Agents with their availability and live load, by id. */
export const agents: Command = {
  command: "agents [after]",
  description: "List agents with availability and load; after an id, those that follow it",
  options: [LIMIT_OPTION],
  async run(session) {
    const { after } = session.args;
    const limit = limitOf(session);
    const answer = await callAgents(session.broker, "agents.inspect", {
      limit,
      ...(after !== undefined && { after }),
    });
    if (answer.agents.length === 0) return "Nobody serves sessions, or nobody was heard of yet.";
    return session.table(
      COLUMNS,
      answer.agents.map(({ id, name, availability, reason, connected, load, capacity, skills }) => [
        id,
        name,
        reason === "chosen" ? availability : `${availability}: ${reason}`,
        connected ? "yes" : "no",
        `${load}/${capacity}`,
        skills.join(" ") || "-",
      ]),
    );
  },
};
