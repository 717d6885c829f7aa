import { callAudit } from "../services/audit/audit.internal";
import { type Command, LIMIT_OPTION, limitOf } from "./command";

const COLUMNS = [
  { title: "At (UTC)" },
  { title: "By", overflow: "id" },
  { title: "Did" },
  { title: "To", overflow: "id" },
] as const;

export const audit: Command = {
  command: "audit [target]",
  description: "List who did what unseen, newest first, or to whom it was done: audit <session> -n 50",
  options: [LIMIT_OPTION],
  async run(session) {
    const { target } = session.args;
    const limit = limitOf(session);
    const { entries } = await callAudit(session.broker, "audit.inspect", {
      limit,
      ...(target !== undefined && { target }),
    });
    if (entries.length === 0) return "Nothing was done unseen.";
    return session.table(
      COLUMNS,
      entries.map((entry) => [entry.at.slice(0, 19).replace("T", " "), entry.by, entry.action, entry.target]),
    );
  },
};
