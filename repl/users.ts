import { callUsers } from "../services/users/users.internal";
import { ago, type Command, LIMIT_OPTION, limitOf } from "./command";

const COLUMNS = [
  { title: "User" },
  { title: "Name", overflow: "cut" },
  { title: "E-mail", overflow: "cut" },
  { title: "Roles", overflow: "cut" },
  { title: "Age", align: "right" },
] as const;

export const users: Command = {
  command: "users [query]",
  description: "Find users by the beginning of their name, e-mail or id: users ann",
  options: [LIMIT_OPTION],
  async run(session) {
    const { query } = session.args;
    const answer = await callUsers(session.broker, "users.search", {
      limit: limitOf(session),
      ...(query !== undefined && { query }),
    });
    if (answer.users.length === 0) return "Nobody found.";
    return session.table(
      COLUMNS,
      answer.users.map((user) => [
        user.id,
        user.name,
        user.email ?? (user.guest ? "(guest)" : "-"),
        user.roles.join(" "),
        ago(user.createdAt, session.now),
      ]),
    );
  },
};
