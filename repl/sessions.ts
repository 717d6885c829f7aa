import type { SessionView } from "../services/conversation-views";
import { SESSION_STATUSES } from "../services/schemas";
import { callSession } from "../services/session/session.internal";
import { ago, type Command, LIMIT_OPTION, limitOf, type Session } from "./command";

const COLUMNS = [
  { title: "Session" },
  { title: "Status" },
  { title: "Urgency", overflow: "cut" },
  { title: "Topic", overflow: "cut" },
  { title: "Agent", overflow: "id" },
  { title: "Age", align: "right" },
] as const;

async function oldestFirst({ broker }: Session, statuses: readonly string[], limit: number): Promise<SessionView[]> {
  const answers = await Promise.all(
    statuses.map((status) => callSession(broker, "session.inspect", { status, limit })),
  );
  const sessions = answers.flatMap((answer) => answer.sessions);
  return sessions.sort((a, b) => a.openedAt.localeCompare(b.openedAt)).slice(0, limit);
}

/** Sessions of one status, or all that are not closed; oldest first. */
export const sessions: Command = {
  command: "sessions [status]",
  description: "List support sessions that are not closed, or those of a status: sessions unassigned -n 50",
  options: [LIMIT_OPTION],
  async run(session) {
    const { status } = session.args;
    const statuses = SESSION_STATUSES.filter((known) => (status === undefined ? known !== "closed" : known === status));
    if (statuses.length === 0) return `The status is one of ${SESSION_STATUSES.join(", ")}.`;
    const found = await oldestFirst(session, statuses, limitOf(session));
    if (found.length === 0) return `No session is ${statuses.join(" or ")}.`;
    return session.table(
      COLUMNS,
      found.map((each) => [
        each.id,
        each.status,
        each.urgency,
        each.topic,
        each.agentId ?? "-",
        ago(each.openedAt, session.now),
      ]),
    );
  },
};
