import { hash } from "node:crypto";
import type { Context } from "moleculer";
import type { Action, CommandParams, ConversationCommand } from "../actors/conversation/conversation.commands";
import { ParleyError } from "../lib/errors";
import { hasRole, type Meta, type Principal, SYSTEM } from "./auth/principal";
import { SUPERVISORS } from "./supervision/supervision.contract";

/** The user of a call from outside. @throws ParleyError UNAUTHORIZED */
export function callerOf(ctx: Context<unknown, Meta>): Principal {
  const { user } = ctx.meta;
  if (!user) throw new ParleyError("UNAUTHORIZED");
  return user;
}

/** The caller's command: who, with which id, until when, and whether a later one is its repeat. */
export function commandOf<A extends Action>(
  ctx: Context<unknown, Meta>,
  commandId: string,
  action: A,
  params: CommandParams[A],
  /** What makes two requests the same, when that is not just the params. */
  identity: unknown = params,
): ConversationCommand {
  const user = callerOf(ctx);
  return {
    action,
    params,
    by: user.id,
    commandId,
    request: requestHash(action, identity),
    deadline: deadlineOf(ctx),
    supervises: hasRole(user, SUPERVISORS),
  } as ConversationCommand;
}

/** A command that nobody but the system gives; `deadline` is the wall-clock millisecond after which it does not wait. */
export const systemCommand = <A extends Action>(
  commandId: string,
  action: A,
  params: CommandParams[A],
  deadline: number,
  /** As for `commandOf`. */
  identity: unknown = params,
): ConversationCommand =>
  ({
    action,
    params,
    by: SYSTEM.id,
    commandId,
    request: requestHash(action, identity),
    deadline,
    supervises: true,
  }) as ConversationCommand;

/** The wall-clock millisecond after which the caller no longer waits. */
export const deadlineOf = (ctx: Context<unknown, Meta>): number => ctx.meta.deadline ?? Date.now() + 10_000;

const requestHash = (action: string, params: unknown): string =>
  hash("sha1", `${action}\n${canonicalJson(params)}`, "base64url").slice(0, HASH_LENGTH);

/** 96 bits: it only tells a caller's own repeat from the same caller's reuse. */
const HASH_LENGTH = 16;

/** JSON with sorted keys, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(",")}}`;
}

/** An id that follows from its parts, so that creating twice is creating once. */
export const derivedId = (...parts: readonly string[]): string =>
  hash("sha256", parts.map((part) => `${part.length}:${part}`).join(""), "base64url").slice(0, ID_LENGTH);

/** 132 bits. */
const ID_LENGTH = 22;
