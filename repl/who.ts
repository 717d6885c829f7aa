import { ago, type Command, LIMIT_OPTION, limitOf } from "./command";

interface Who {
  /** How many users are connected, also beyond those listed. */
  total: number;
  users: Array<{ userId: string; status: string; connections: number; since?: string }>;
}

const COLUMNS = [
  { title: "User" },
  { title: "Status" },
  { title: "Sockets", align: "right" },
  { title: "Since", align: "right" },
] as const;

export const who: Command = {
  command: "who",
  description: "List who is connected, with status and number of sockets",
  options: [LIMIT_OPTION],
  async run(session) {
    const { total, users } = await session.broker.call<Who, object>("presence.who", { limit: limitOf(session) });
    if (users.length === 0) return "Nobody is connected.";
    const rows = users.map(({ userId, status, connections, since }) => [
      userId,
      status,
      String(connections),
      ago(since, session.now),
    ]);
    const more = total > users.length ? `\n${total - users.length} more are connected.` : "";
    return session.table(COLUMNS, rows) + more;
  },
};
