import { callRoom, type RoomInternal } from "../services/room/room.internal";
import { type Command, LIMIT_OPTION, limitOf, type Session } from "./command";
import { fieldsOf } from "./fields";

type Inspection = NonNullable<RoomInternal["room.inspect"]["result"]>;

const SHOWN_MEMBERS = 10;

const COLUMNS = [
  { title: "Seq", align: "right" },
  { title: "At (UTC)" },
  { title: "Type" },
  { title: "By", overflow: "id" },
  { title: "Data", overflow: "wrap" },
] as const;

function events(session: Session, log: Inspection["lastEvents"], texts: boolean): string {
  const rows = log.map(({ seq, at, type, by, audience, data }) => [
    String(seq),
    new Date(at).toISOString().slice(5, 19).replace("T", " "),
    type,
    by,
    [...(audience === "all" ? [] : [`(${audience})`]), ...fieldsOf(data, texts).map((field) => field.join(" "))].join(
      ", ",
    ),
  ]);
  return session.table(COLUMNS, rows);
}

export const conversation: Command = {
  command: "conversation <id>",
  description: "Show a conversation's home, state and last events: conversation <id> -n 50",
  options: [LIMIT_OPTION, { option: "--texts", description: "Show what people wrote, too" }],
  async run(session) {
    const texts = session.options.texts === true;
    const conversationId = session.args.id ?? "";
    const found = await callRoom(session.broker, "room.inspect", { conversationId, limit: limitOf(session) });
    if (!found) return "There is no such conversation.";
    const { members, ...state } = found.state;
    const shown = Array.isArray(members) ? { ...state, members: members.slice(0, SHOWN_MEMBERS) } : state;
    const facts = session.table(
      [{ title: "Conversation" }, { title: conversationId, overflow: "wrap" }],
      [["home", `${found.home}, ${found.activated ? "active in memory" : "not in memory"}`], ...fieldsOf(shown, texts)],
    );
    return `${facts}\n\n${found.lastEvents.length === 0 ? "No events." : events(session, found.lastEvents, texts)}`;
  },
};
