import type { Contract, Params, Result } from "../lib/contract";
import * as agents from "./agents/agents.contract";
import * as audit from "./audit/audit.contract";
import * as auth from "./auth/auth.contract";
import * as bulk from "./bulk/bulk.contract";
import * as message from "./message/message.contract";
import * as presence from "./presence/presence.contract";
import * as replies from "./replies/replies.contract";
import * as room from "./room/room.contract";
import * as queue from "./session/queue.contract";
import * as session from "./session/session.contract";
import * as statistics from "./statistics/statistics.contract";
import * as supervision from "./supervision/supervision.contract";
import * as topics from "./topics/topics.contract";
import * as users from "./users/users.contract";

const modules = [
  auth,
  users,
  agents,
  session,
  queue,
  room,
  message,
  presence,
  replies,
  topics,
  supervision,
  audit,
  statistics,
  bulk,
];

const isContract = (value: unknown): value is Contract =>
  typeof value === "object" && value !== null && "params" in value && "access" in value;

/** Every contract of Parley, in the order of the documentation. */
export const CONTRACTS: readonly Contract[] = modules.flatMap((module) => Object.values(module).filter(isContract));

type All =
  | (typeof auth)[keyof typeof auth]
  | (typeof users)[keyof typeof users]
  | (typeof audit)[keyof typeof audit]
  | (typeof supervision)[keyof typeof supervision]
  | (typeof agents)[keyof typeof agents]
  | (typeof session)[keyof typeof session]
  | (typeof queue)[keyof typeof queue]
  | (typeof room)[keyof typeof room]
  | (typeof message)[keyof typeof message]
  | (typeof presence)[keyof typeof presence]
  | (typeof replies)[keyof typeof replies]
  | (typeof topics)[keyof typeof topics]
  | (typeof statistics)[keyof typeof statistics]
  | (typeof bulk)[keyof typeof bulk];
type AnyContract = Extract<All, { access: unknown }>;

/** Action name to the types of its params and result. */
export type Actions = {
  [C in AnyContract as C["name"]]: { params: Params<C>; result: Result<C> };
};
