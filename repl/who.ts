import { callPresence, type Explanation } from "../services/presence/presence.internal";
import { callUsers } from "../services/users/users.internal";
import { type Command, ago, LIMIT_OPTION, limitOf, type Session } from "./command";

const COLUMNS = [
  { title: "User" },
  { title: "Status" },
  { title: "Why", overflow: "cut" },
  { title: "Sockets", align: "right" },
] as const;
const SOCKETS = [
  { title: "Socket", overflow: "id" },
  { title: "Node", overflow: "id" },
  { title: "Lease ends in" },
] as const;

export const who: Command = {
  command: "who [user]",
  description: "List who is connected, or tell why a user is shown as they are: who <id>",
  options: [LIMIT_OPTION],
  async run(session) {
    const { user } = session.args;
    return user === undefined ? list(session) : explain(session, user);
  },
};

async function list(session: Session): Promise<string> {
  const { total, users } = await callPresence(session.broker, "presence.who", { limit: limitOf(session) });
  if (users.length === 0) return "Nobody is connected.";
  const rows = users.map(({ userId, status, reason, connections }) => [userId, status, reason, String(connections)]);
  const more = total > users.length ? `\n${total - users.length} more are connected.` : "";
  return session.table(COLUMNS, rows) + more;
}

async function explain(session: Session, userId: string): Promise<string> {
  const found = await callPresence(session.broker, "presence.explain", { userId });
  if (found.connections.length === 0 && !(await callUsers(session.broker, "users.get", { id: userId })))
    return "There is no such user. Find ids with: users <name>";
  const facts = session.table([{ title: "User" }, { title: userId, overflow: "wrap" }], factsOf(found, session.now));
  if (found.connections.length === 0) return facts;
  const rows = found.connections.map(({ id, node, expiresInMs }) => [id, node, `${Math.ceil(expiresInMs / 1_000)} s`]);
  return `${facts}\n\n${session.table(SOCKETS, rows)}`;
}

function factsOf({ status, reason, own, lastSeenAt, endedAt }: Explanation, now: number): string[][] {
  const since = (time: string | undefined) => (time === undefined ? [] : [`${ago(time, now)} ago, ${time}`]);
  return [
    ["status", `${status}: ${reason}`],
    ...(own === undefined ? [] : [["chosen", own]]),
    ...since(lastSeenAt).map((text) => ["last seen", text]),
    ...since(endedAt).map((text) => ["last connection ended", text]),
  ];
}
