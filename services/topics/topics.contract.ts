import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Id, literals, Nothing, STAFF, Time, URGENCIES } from "../schemas";

const ADMINS = { roles: ["admin"] } as const;
const MINUTE_MS = 60_000;
const YEAR_MS = 366 * 24 * 60 * MINUTE_MS;

const Name = Type.String({ minLength: 1, maxLength: 100, pattern: "\\S" });
const TopicId = Type.String({ minLength: 1, maxLength: 64, description: "What sessions name it by" });
const TopicNumber = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: "Another name for it, of its own for good: no other topic ever has it",
});
const Said = Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 }));
const Skill = Type.String({ minLength: 1, maxLength: 64, pattern: "\\S" });

const Clock = (description: string) => Type.String({ pattern: "^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$", description });

export const Hours = Type.Object(
  {
    timeZone: Type.String({ minLength: 1, maxLength: 64, description: "Of the IANA database, `Europe/Berlin`" }),
    weekly: Type.Array(
      Type.Object({
        day: Type.Integer({ minimum: 1, maximum: 7, description: "Monday is 1" }),
        from: Clock("`09:00`"),
        to: Clock("Later than `from`, `24:00` at the latest: what goes beyond midnight is two ranges"),
      }),
      { maxItems: 70 },
    ),
    holidays: Type.Array(Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}$", description: "`2026-12-25`" }), {
      maxItems: 400,
      description: "Closed all day, in the topic's time zone",
    }),
  },
  { description: "Always open when absent" },
);

export const Texts = Type.Object({ welcome: Said, away: Said, closed: Said, warning: Said });

const span = (minimum: number, description: string) => Type.Integer({ minimum, maximum: YEAR_MS, description });
const limits = {
  attendMs: Type.Optional(span(1_000, "An assignee who neither opens nor answers for so long loses the session")),
  acceptMs: Type.Optional(span(1_000, "Whom a session was transferred to must take it up in this time")),
  warnMs: Type.Optional(span(1_000, "Silence after which the customer is warned")),
  expireMs: Type.Optional(span(1_000, "Silence after which the session is closed")),
  reopenMs: Type.Optional(span(1_000, "How long after its end a session can be reopened")),
};
const lifetimes = {
  closingMs: span(MINUTE_MS, "After opening a session is closing"),
  noShowMs: span(MINUTE_MS, "After opening it is closed"),
  graceMs: Type.Integer({ minimum: 0, maximum: YEAR_MS, description: "From an agent's last connection to `offline`" }),
  offline: literals(["keep", "return"]),
};
const Rules = Type.Object({ ...limits, ...lifetimes }, { description: "Milliseconds; an absent limit is off" });

const described = {
  number: Type.Optional(TopicNumber),
  name: Name,
  urgency: literals(URGENCIES),
  skills: Type.Array(Skill, { maxItems: 50, uniqueItems: true }),
  mode: literals(["pull", "push"]),
  hours: Type.Optional(Hours),
  texts: Texts,
};

export const TopicDetail = Type.Object({
  id: TopicId,
  ...described,
  rules: Rules,
  archived: Type.Boolean(),
  version: Type.Integer(),
  updatedAt: Time,
});

const Version = Type.Integer({
  minimum: 0,
  maximum: 1_000_000,
  description: "The version that this one replaces; 0 for a new topic",
});

export const list = contract({
  name: "topics.list",
  summary: "List the topics that sessions can be opened in, by number, then by name",
  params: Type.Object({
    details: Type.Optional(Type.Boolean({ description: "Admins only: with all there is, and the archived ones too" })),
  }),
  result: Type.Object({
    topics: Type.Array(
      Type.Object({
        id: TopicId,
        number: described.number,
        name: Name,
        open: Type.Boolean({ description: "Is it served now, by its opening hours?" }),
        opensAt: Type.Optional(Time),
        texts: Texts,
        detail: Type.Optional(TopicDetail),
      }),
    ),
  }),
  access: "user",
  errors: [],
  rest: { method: "GET", path: "/topics" },
  socket: "topics.list",
  repeatable: true,
});

export const get = contract({
  name: "topics.get",
  summary: "Read one topic",
  params: Type.Object({ id: TopicId }),
  result: TopicDetail,
  access: { roles: STAFF },
  errors: ["NOT_FOUND"],
  rest: { method: "GET", path: "/topics/:id" },
});

export const put = contract({
  name: "topics.put",
  summary: "Describe a topic, a new one or the next version of one; an archived one is back then",
  params: Type.Object({
    id: TopicId,
    version: Version,
    ...described,
    skills: Type.Optional(described.skills),
    texts: Type.Optional(Texts),
    rules: Type.Optional(
      Type.Object(
        { ...limits, ...Type.Partial(Type.Object(lifetimes)).properties },
        { description: "The standard rules when absent; in given ones an absent limit is off" },
      ),
    ),
  }),
  result: TopicDetail,
  access: ADMINS,
  errors: ["NOT_FOUND", "VERSION_CONFLICT", "NUMBER_TAKEN", "LIMIT_REACHED", "UNKNOWN_OUTCOME"],
  rest: { method: "PUT", path: "/topics/:id" },
  repeatable: true,
});

export const archive = contract({
  name: "topics.archive",
  summary: "Take a topic from the list; what is open in it goes on",
  params: Type.Object({ id: TopicId, version: Version }),
  result: TopicDetail,
  access: ADMINS,
  errors: ["NOT_FOUND", "VERSION_CONFLICT", "UNKNOWN_OUTCOME"],
  rest: { method: "POST", path: "/topics/:id/archive" },
  repeatable: true,
});

const keyword = {
  words: Type.Array(Type.String({ minLength: 1, maxLength: 100, description: "A word, or a phrase" }), {
    minItems: 1,
    maxItems: 50,
  }),
  urgency: Type.Optional(literals(URGENCIES)),
  headStartMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 24 * 60 * MINUTE_MS })),
  topicId: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "Only in this topic" })),
};
export const Keyword = Type.Object({ id: Id, ...keyword });

export const keywords = contract({
  name: "topics.keywords",
  summary: "List the keyword rules by which waiting sessions are classified",
  params: Type.Object({}),
  result: Type.Object({ keywords: Type.Array(Keyword) }),
  access: ADMINS,
  errors: [],
  rest: { method: "GET", path: "/keywords" },
});

export const putKeyword = contract({
  name: "topics.putKeyword",
  summary: "Write a keyword rule: words, and either an urgency or a head start",
  params: Keyword,
  result: Keyword,
  access: ADMINS,
  errors: ["LIMIT_REACHED", "UNKNOWN_OUTCOME"],
  rest: { method: "PUT", path: "/keywords/:id" },
  repeatable: true,
});

export const deleteKeyword = contract({
  name: "topics.deleteKeyword",
  summary: "Delete a keyword rule; deleting one that is not there is no error",
  params: Type.Object({ id: Id }),
  result: Nothing,
  access: ADMINS,
  errors: ["UNKNOWN_OUTCOME"],
  rest: { method: "DELETE", path: "/keywords/:id", status: 204 },
  repeatable: true,
});
