import { callTopics } from "../services/topics/topics.internal";
import type { Topic } from "../services/topics/topic";
import type { Command } from "./command";

const COLUMNS = [
  { title: "Topic", overflow: "cut" },
  { title: "No.", align: "right" },
  { title: "Name", overflow: "cut" },
  { title: "Urgency" },
  { title: "Mode" },
  { title: "Now" },
  { title: "Skills", overflow: "cut" },
  { title: "Version", align: "right" },
] as const;

const nowOf = ({ archived, open, hours }: Topic & { open: boolean }): string => {
  if (archived) return "archived";
  if (!hours) return "always open";
  return open ? "open" : "closed";
};

export const topics: Command = {
  command: "topics",
  description: "List the topics of support sessions, and whether they are open now",
  options: [],
  async run(session) {
    const { topics: found, keywords } = await callTopics(session.broker, "topics.inspect", {});
    if (found.length === 0) return "There are no topics.";
    const table = session.table(
      COLUMNS,
      found.map((topic) => [
        topic.id,
        topic.number === undefined ? "-" : String(topic.number),
        topic.name,
        topic.urgency,
        topic.mode,
        nowOf(topic),
        topic.skills.join(" ") || "-",
        String(topic.version),
      ]),
    );
    return `${table}\n\nKeyword rules: ${keywords}`;
  },
};
