import type { Static } from "@sinclair/typebox";
import type { Session as SessionSchema } from "../services/schemas";
import { ago, type Command, LIMIT_OPTION, limitOf } from "./command";

type Session = Static<typeof SessionSchema>;

const COLUMNS = [
  { title: "Session" },
  { title: "Status" },
  { title: "Urgency", overflow: "cut" },
  { title: "Topic", overflow: "cut" },
  { title: "Agent", overflow: "cut" },
  { title: "Age", align: "right" },
] as const;

/** The newest sessions first, of one status or of all that are not closed. */
export const sessions: Command = {
  command: "sessions [status]",
  description: "List support sessions that are not closed, or those of a status: sessions unassigned -n 50",
  options: [LIMIT_OPTION],
  async run(session) {
    const { status } = session.args;
    const answer = await session.broker.call<{ sessions: Session[] }, object>("session.inspect", {
      limit: limitOf(session),
      ...(status !== undefined && { status }),
    });
    if (answer.sessions.length === 0) return status === undefined ? "No open sessions." : `No session is ${status}.`;
    return session.table(
      COLUMNS,
      answer.sessions.map((each) => [
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
