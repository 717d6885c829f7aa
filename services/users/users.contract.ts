import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Id, literals, ROLES, TIERS, User } from "../schemas";

export const me = contract({
  name: "users.me",
  summary: "Tell who the caller is",
  params: Type.Object({}),
  result: User,
  access: "user",
  errors: [],
  rest: { method: "GET", path: "/me" },
});

export const setRoles = contract({
  name: "users.setRoles",
  summary: "Replace the roles of a user; live sockets and tokens follow at once",
  params: Type.Object({ id: Id, roles: Type.Array(literals(ROLES), { minItems: 1, maxItems: 4, uniqueItems: true }) }),
  result: User,
  access: { roles: ["admin"] },
  errors: ["NOT_FOUND"],
  rest: { method: "PUT", path: "/users/:id/roles" },
  repeatable: true,
});

export const setTier = contract({
  name: "users.setTier",
  summary: "Say how early a customer is served; it counts from the next session on",
  params: Type.Object({ id: Id, tier: literals(TIERS) }),
  result: User,
  access: { roles: ["admin"] },
  errors: ["NOT_FOUND"],
  rest: { method: "PUT", path: "/users/:id/tier" },
  repeatable: true,
});
