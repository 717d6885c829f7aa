import type { Contract } from "../contract";
import { ERRORS, type ErrorType, isParleyError, ParleyError, type WireError } from "../errors";

/** Errors of the transport that tell surely that nothing ran. */
const NOT_RUN = new Set(["NOT_HOME", "SERVICE_NOT_FOUND", "SERVICE_NOT_AVAILABLE", "REQUEST_SKIPPED", "QUEUE_FULL"]);
/** Moleculer's own errors that leave open whether it ran. */
const MAY_HAVE_RUN = new Set(["REQUEST_TIMEOUT", "REQUEST_REJECTED"]);

/** What the store and the key-value store fail with while they are away: a write may have happened. */
const AWAY = new Set(["MongoFailure", "RedisFailure"]);

const wordOf = (error: unknown, field: "type" | "name"): string => {
  const word = (error as { type?: unknown; name?: unknown } | null | undefined)?.[field];
  return typeof word === "string" ? word : "";
};

/**
 * The type that a client sees for any error. A lost answer of an action that writes is UNKNOWN_OUTCOME (it declares
 * that type), of one that only reads UNAVAILABLE; without a contract the cautious one. Everything unknown is INTERNAL.
 */
export function errorTypeOf(error: unknown, contract?: Pick<Contract, "errors">): ErrorType {
  if (isParleyError(error)) return error.type;
  const type = wordOf(error, "type");
  if (NOT_RUN.has(type)) return "UNAVAILABLE";
  if (MAY_HAVE_RUN.has(type) || AWAY.has(wordOf(error, "name"))) {
    return !contract || contract.errors.includes("UNKNOWN_OUTCOME") ? "UNKNOWN_OUTCOME" : "UNAVAILABLE";
  }
  return "INTERNAL";
}

/**
 * What a transport sends for any error: the text comes from the table of errors, never from the error, and only our
 * own errors bring data. `requestId` lets the client name the line in our log.
 */
export function toWireError(error: unknown, requestId?: string, contract?: Contract): WireError {
  const type = errorTypeOf(error, contract);
  const { message, retryable } = ERRORS[type];
  const own = isParleyError(error) && error.name === "ParleyError" && type !== "INTERNAL";
  return {
    type,
    message,
    ...(own && error.data ? { data: error.data } : {}),
    retryable,
    ...(requestId ? { requestId } : {}),
  };
}

/** The error that leaves an action: our own as it is, everything else as the type a client may see. */
export const scrub = (error: unknown, contract: Contract): ParleyError =>
  isParleyError(error) ? error : new ParleyError(errorTypeOf(error, contract));
