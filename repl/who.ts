import { callPresence } from "../services/presence/presence.internal";
import { type Command, LIMIT_OPTION, limitOf } from "./command";

const COLUMNS = [{ title: "User" }, { title: "Status" }, { title: "Sockets", align: "right" }] as const;

export const who: Command = {
  command: "who",
  description: "List who is connected, with status and number of sockets",
  options: [LIMIT_OPTION],
  async run(session) {
    const { total, users } = await callPresence(session.broker, "presence.who", { limit: limitOf(session) });
    if (users.length === 0) return "Nobody is connected.";
    const rows = users.map(({ userId, status, connections }) => [userId, status, String(connections)]);
    const more = total > users.length ? `\n${total - users.length} more are connected.` : "";
    return session.table(COLUMNS, rows) + more;
  },
};
