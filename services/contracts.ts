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
] as const;

const isContract = (value: unknown): value is Contract =>
  typeof value === "object" && value !== null && "params" in value && "access" in value;

/** Every contract of Parley, in the order of the documentation. */
export const CONTRACTS: readonly Contract[] = modules.flatMap((module) => Object.values(module).filter(isContract));

type ValueOf<T> = T extends unknown ? T[keyof T] : never;
type AnyContract = Extract<ValueOf<(typeof modules)[number]>, { access: unknown }>;

/** Action name to the types of its params and result. */
export type Actions = {
  [C in AnyContract as C["name"]]: { params: Params<C>; result: Result<C> };
};
