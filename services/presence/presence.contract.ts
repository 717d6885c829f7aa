import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Audience, Id, literals, Nothing, Time } from "../schemas";

export const STATUSES = ["online", "away", "busy", "offline"] as const;
export const Presence = Type.Object({ status: literals(STATUSES), lastSeenAt: Type.Optional(Time) });

export const get = contract({
  name: "presence.get",
  summary: "Read the status of users who share a conversation with the caller; others are left out",
  params: Type.Object({ userIds: Type.Array(Id, { minItems: 1, maxItems: 100 }) }),
  result: Type.Record(Type.String(), Presence),
  access: "user",
  errors: [],
  rest: { method: "POST", path: "/presence" },
  socket: "presence.get",
  repeatable: true,
});

export const set = contract({
  name: "presence.set",
  summary: "Set the caller's own status while connected; `offline` appears offline",
  params: Type.Object({ status: literals(STATUSES) }),
  result: Presence,
  access: "user",
  errors: [],
  rest: { method: "PUT", path: "/presence" },
  socket: "presence.set",
  repeatable: true,
});

export const typing = contract({
  name: "presence.typing",
  summary: "Tell the other members that the caller is typing, or stopped",
  params: Type.Object({ conversationId: Id, on: Type.Boolean(), audience: Type.Optional(Audience) }),
  result: Nothing,
  access: "user",
  errors: ["NOT_FOUND", "FORBIDDEN"],
  socket: "typing",
});
