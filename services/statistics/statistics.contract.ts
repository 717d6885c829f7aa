import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Id, literals, STAFF, Time } from "../schemas";
import { STEPS } from "./periods";

/** Periods of one answer, and rows when there is one for each topic or agent too. */
export const MAX_PERIODS = 400;
export const MAX_ROWS = 1_000;
export const MAX_DAYS = 1_830;

/** What there may be one row for each of, beside the periods. */
export const PER = ["topic", "agent"] as const;

const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Milliseconds = Type.Optional(Type.Integer({ minimum: 0 }));
const Times = Type.Object(
  { medianMs: Milliseconds, p90Ms: Milliseconds, totalMs: Milliseconds },
  { description: "Nothing when the count is 0; median and 90th percentile are exact to one percent" },
);
const Spread = (description: string) =>
  Type.Object({ count: Type.Integer({ minimum: 0 }), wall: Times, openingHours: Times }, { description });

const Topic = Type.String({ minLength: 1, maxLength: 64 });

export const StatisticsRow = Type.Object({
  from: Time,
  to: Time,
  topic: Type.Optional(Topic),
  agentId: Type.Optional(Id),
  opened: Count("Sessions that were opened"),
  reopened: Count("Ends that were taken back"),
  assigned: Count("How often a session was given to an agent, or taken by one"),
  active: Count("Sessions that were open at some moment of the period"),
  open: Count("Sessions that were open at the end of the period, or are now"),
  closed: Count("Ends of sessions, by whomever"),
  abandoned: Count("Ends of sessions that nobody had at that time"),
  expired: Count("Ends by silence"),
  noShow: Count("Ends by age"),
  returned: Count("How often an agent gave a session back, or lost it, to the queue"),
  bounced: Count("How often a session that was handed on was not taken up"),
  transferred: Count("How often a session was handed on"),
  messages: Type.Object(
    { customer: Type.Integer({ minimum: 0 }), staff: Type.Integer({ minimum: 0 }) },
    { description: "That everybody could see, in the waits and assignments that ended in the period" },
  ),
  firstResponse: Spread("From the opening to the first answer of the staff"),
  wait: Spread("In the queue, until an agent got the session"),
  handle: Spread("From getting a session to its end or to handing it on"),
  rating: Type.Object({
    count: Type.Integer({ minimum: 0 }),
    average: Type.Optional(Type.Number({ minimum: 1, maximum: 5 })),
  }),
});

export const sessions = contract({
  name: "statistics.sessions",
  summary: "Add up sessions by period; supervisors and administrators see everything, agents what is theirs",
  params: Type.Object({
    from: Time,
    to: Type.String({ format: "date-time", description: `Later than from, by ${MAX_DAYS} days at most` }),
    by: Type.Unsafe<(typeof STEPS)[number]>({
      type: "string",
      enum: [...STEPS],
      default: "total",
      description: `One row for each of these, ${MAX_PERIODS} of them at most; weeks begin on Monday`,
    }),
    timeZone: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: "Whose days these are: `Europe/Berlin`; else UTC" }),
    ),
    topic: Type.Optional(Topic),
    agentId: Type.Optional(Id),
    per: Type.Optional(literals(PER, `One row for each of them that there is anything of, ${MAX_ROWS} at most`)),
  }),
  result: Type.Object({ rows: Type.Array(StatisticsRow) }),
  access: { roles: STAFF },
  errors: ["LIMIT_REACHED"],
  rest: { method: "GET", path: "/statistics" },
  socket: "statistics.sessions",
  repeatable: true,
});

export const rebuild = contract({
  name: "statistics.rebuild",
  summary:
    "Do a part of making all statistics afresh from the log, and tell how far it is; repeat until it is finished",
  params: Type.Object({
    restart: Type.Optional(
      Type.Boolean({ description: "Begin again at the first session, whatever was begun and not finished" }),
    ),
  }),
  result: Type.Object({
    startedAt: Time,
    done: Type.Integer({ minimum: 0, description: "Sessions that were made afresh" }),
    total: Type.Integer({ minimum: 0, description: "Sessions that there were when it began" }),
    finished: Type.Boolean(),
  }),
  access: { roles: ["admin"] },
  errors: [],
  rest: { method: "POST", path: "/statistics/rebuild" },
});
