import { callSession } from "../services/session/session.internal";
import { span } from "../lib/span";
import { ago, type Command, LIMIT_OPTION, limitOf } from "./command";

const COLUMNS = [
  { title: "Session", overflow: "id" },
  { title: "Topic", overflow: "cut" },
  { title: "Urgency" },
  { title: "Waits", align: "right" },
  { title: "Head start", align: "right" },
  { title: "Subject", overflow: "cut" },
] as const;

/** The waiting sessions as agents see them, the next one first. */
export const queue: Command = {
  command: "queue [topic]",
  description: "List the waiting sessions of a topic, or of all, in the order of the queue",
  options: [LIMIT_OPTION],
  async run(session) {
    const { topic } = session.args;
    const limit = limitOf(session);
    const params = { limit, ...(topic !== undefined && { topic }) };
    const { sessions } = await callSession(session.broker, "session.waiting", params);
    if (sessions.length === 0) return topic === undefined ? "Nobody is waiting." : "Nobody is waiting in this topic.";
    return session.table(
      COLUMNS,
      sessions.map(({ id, topic: of, urgency, openedAt, enteredAt = openedAt, rank = 0, subject }) => [
        id,
        of,
        urgency,
        ago(enteredAt, session.now),
        span(Math.max(0, Date.parse(enteredAt) - rank)),
        subject === undefined ? "-" : `(${subject.length} characters)`,
      ]),
    );
  },
};
