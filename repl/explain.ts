import { SYSTEM } from "../services/auth/principal";
import { call } from "../services/call";
import type { Command } from "./command";

const WORDS = [{ title: "Why", overflow: "wrap" }] as const;
const AGENTS = [
  { title: "Agent", overflow: "id" },
  { title: "Could have it?", overflow: "cut" },
  { title: "Load", align: "right" },
] as const;

/** What `session.explain` tells, as a supervisor sees it. */
export const explain: Command = {
  command: "explain <session>",
  description: "Tell why a session stands where it stands in the queue, and why it has its agent",
  options: [],
  async run(session) {
    const { session: sessionId = "" } = session.args;
    const meta = { user: SYSTEM };
    const { words, push } = await call(session.broker, "session.explain", { sessionId }, { meta });
    const why = session.table(
      WORDS,
      words.map((sentence) => [sentence]),
    );
    if (!push || push.agents.length === 0) return why;
    const agents = push.agents.map(({ agentId, verdict, load, capacity }) => [agentId, verdict, `${load}/${capacity}`]);
    return `${why}\n\n${session.table(AGENTS, agents)}`;
  },
};
