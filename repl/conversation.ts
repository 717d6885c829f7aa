import { type Command, LIMIT_OPTION, limitOf, type Session } from "./command";

interface LogEvent {
  seq: number;
  at: string | number;
  type: string;
  by: string;
  audience: string;
  data: Record<string, unknown>;
}

interface Inspection {
  home: string;
  activated: boolean;
  state: Record<string, unknown>;
  lastEvents: LogEvent[];
}

/** Fields that people typed. They are shown only when the operator asks for them. */
const TYPED = new Set(["text", "title", "subject", "note", "reason", "attachments"]);

const COLUMNS = [
  { title: "Seq", align: "right" },
  { title: "At (UTC)" },
  { title: "Type" },
  { title: "By", overflow: "cut" },
  { title: "Data", overflow: "wrap" },
] as const;

const show = (value: unknown): string =>
  typeof value === "string" ? value : Array.isArray(value) ? `${value.length}` : JSON.stringify(value);

const hide = (value: unknown): string =>
  typeof value === "string" ? `(${value.length} characters)` : Array.isArray(value) ? `(${value.length})` : "(hidden)";

/** Fields of an object as `name value`, what people typed as its size unless `texts`. */
export const summary = (data: Readonly<Record<string, unknown>>, texts: boolean): string[] =>
  Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${!texts && TYPED.has(name) ? hide(value) : show(value)}`);

function events(session: Session, log: readonly LogEvent[], texts: boolean): string {
  const rows = log.map(({ seq, at, type, by, audience, data }) => [
    String(seq),
    new Date(at).toISOString().slice(5, 19).replace("T", " "),
    type,
    by,
    [...(audience === "all" ? [] : [`(${audience})`]), ...summary(data, texts)].join(", "),
  ]);
  return session.table(COLUMNS, rows);
}

export const conversation: Command = {
  command: "conversation <id>",
  description: "Show a conversation's home, state and last events: conversation <id> -n 50",
  options: [LIMIT_OPTION, { option: "--texts", description: "Show what people wrote, too" }],
  async run(session) {
    const texts = session.options.texts === true;
    const found = await session.broker.call<Inspection, object>("room.inspect", {
      conversationId: session.args.id,
      limit: limitOf(session),
    });
    const facts = session.table(
      [{ title: "Conversation" }, { title: session.args.id ?? "", overflow: "wrap" }],
      [
        ["home", `${found.home}, ${found.activated ? "active in memory" : "not in memory"}`],
        ...Object.entries(found.state).map(([name, value]) => [
          name,
          TYPED.has(name) && !texts ? hide(value) : show(value),
        ]),
      ],
    );
    return `${facts}\n\n${found.lastEvents.length === 0 ? "No events." : events(session, found.lastEvents, texts)}`;
  },
};
