import { callAuth } from "../services/auth/auth.internal";
import { callUsers } from "../services/users/users.internal";
import type { Command } from "./command";
import { clean } from "./table";

/** Logs a user out everywhere. The account stays: whoever knows the password comes back in. */
export const kick: Command = {
  command: "kick <user>",
  description: "End every login of a user, by id: sockets close within a second. They may log in again",
  options: [],
  async run({ broker, args }) {
    const userId = args.user ?? "";
    const user = await callUsers(broker, "users.get", { id: userId });
    if (!user) return "There is no such user. Find ids with: users <name>";
    const name = clean(user.name);
    const { logins } = await callAuth(broker, "auth.kick", { userId });
    if (logins === 0) return `${name} has no login that could be ended.`;
    return `Ended ${logins} ${logins === 1 ? "login" : "logins"} of ${name}.`;
  },
};
