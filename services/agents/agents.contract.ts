import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Cursor, Id, Limit, literals, page, STAFF, Time } from "../schemas";
import { SUPERVISORS } from "../supervision/supervision.contract";
import { AVAILABILITIES, REASONS } from "./availability";

const Skill = Type.String({ minLength: 1, maxLength: 64, pattern: "^\\S(.*\\S)?$" });
const Skills = Type.Array(Skill, { maxItems: 50, uniqueItems: true });
/** More than anybody talks to at once. */
const MAX_CAPACITY = 100;
const Capacity = Type.Integer({
  minimum: 0,
  maximum: MAX_CAPACITY,
  description: "How many open sessions are pushed to the agent at most; taking more by hand is allowed",
});

export const Agent = Type.Object({
  id: Id,
  name: Type.String(),
  availability: literals(AVAILABILITIES),
  chosen: literals(AVAILABILITIES, "What the agent chose; silence and being without a connection make it less"),
  reason: literals(REASONS, "Why the availability is what it is"),
  since: Time,
  connected: Type.Boolean(),
  load: Type.Integer({ minimum: 0, description: "Open sessions of the agent" }),
  capacity: Capacity,
  skills: Skills,
});

export const me = contract({
  name: "agents.me",
  summary: "Tell the caller's availability, load, capacity and skills",
  params: Type.Object({}),
  result: Agent,
  access: { roles: STAFF },
  errors: [],
  rest: { method: "GET", path: "/agents/me" },
  socket: "agent.me",
});

export const setAvailability = contract({
  name: "agents.setAvailability",
  summary: "Set the caller's availability; sessions are pushed to those who are `online` only",
  params: Type.Object({ availability: literals(AVAILABILITIES) }),
  result: Agent,
  access: { roles: STAFF },
  errors: [],
  rest: { method: "PUT", path: "/agents/me/availability" },
  socket: "agent.availability",
  repeatable: true,
});

export const list = contract({
  name: "agents.list",
  summary: "List the agents with their availability and live load",
  params: Type.Object({ cursor: Cursor, limit: Limit }),
  result: page("agents", Agent),
  access: { roles: [...SUPERVISORS] },
  errors: [],
  rest: { method: "GET", path: "/agents" },
  socket: "agent.list",
});

export const put = contract({
  name: "agents.put",
  summary: "Set an agent's skills and capacity; what is left out stays",
  params: Type.Object({ id: Id, skills: Type.Optional(Skills), capacity: Type.Optional(Capacity) }),
  result: Agent,
  access: { roles: ["admin"] },
  errors: ["NOT_FOUND"],
  rest: { method: "PUT", path: "/agents/:id" },
  repeatable: true,
});
