/**
 * The one table of errors. A client branches on `type`; `retryable` says that the same request, with the same
 * commandId, may succeed later. `docs/errors.md` is generated from this file.
 */
export interface ErrorEntry {
  readonly status: number;
  readonly retryable: boolean;
  readonly message: string;
  /** Why it happens and what a client should do. */
  readonly help: string;
}

const entry = (status: number, retryable: boolean, message: string, help: string): ErrorEntry => ({
  status,
  retryable,
  message,
  help,
});

export const ERRORS = {
  VALIDATION: entry(
    400,
    false,
    "The request is not valid.",
    "`data.fields` names each field and what is wrong with it. Correct the request.",
  ),
  UNKNOWN_EVENT: entry(400, false, "There is no such event.", "The socket event's name is not in the protocol."),
  UNAUTHORIZED: entry(
    401,
    false,
    "Unauthorized",
    "The access token is missing, malformed, expired or revoked. Refresh it or log in again.",
  ),
  BAD_CREDENTIALS: entry(
    401,
    false,
    "E-mail or password is wrong.",
    "Given alike for an unknown e-mail and a wrong password.",
  ),
  FORBIDDEN: entry(403, false, "You may not do this.", "The user's roles do not allow the action."),
  NOT_FOUND: entry(404, false, "Not found.", "It does not exist, or it is not yours: the answer is the same."),
  EMAIL_TAKEN: entry(409, false, "This e-mail is taken.", "Log in instead, or sign up with another address."),
  COMMAND_REUSED: entry(
    409,
    false,
    "This commandId was used for another request.",
    "Draw a fresh commandId for each new request; repeat one only with the same body.",
  ),
  SESSION_TAKEN: entry(409, false, "Another agent has this session.", "`data.agentId` is who has it."),
  SESSION_CLOSED: entry(409, false, "This session is closed.", "Open a new session."),
  SESSION_NOT_ASSIGNED: entry(409, false, "This session has no agent.", "Claim it first."),
  SESSION_EXISTS: entry(
    409,
    false,
    "The customer has an open session of this topic.",
    "`data.sessionId` is that session.",
  ),
  STALE_VIEW: entry(
    409,
    false,
    "A colleague has written since.",
    "`data.events` are the events missed since `baseSeq`. Show them, then send again with a newer `baseSeq` or `force`.",
  ),
  VERSION_CONFLICT: entry(
    409,
    false,
    "Somebody else has changed it since.",
    "`data.version` is the version there is now. Read it, then write again with that one.",
  ),
  NUMBER_TAKEN: entry(
    409,
    false,
    "Another topic has or had this number.",
    "A topic keeps its numbers for good. Choose another.",
  ),
  MESSAGE_DELETED: entry(409, false, "This message was deleted.", "A deleted message cannot be edited or reacted to."),
  LIMIT_REACHED: entry(
    409,
    false,
    "A limit is reached.",
    "For example the number of members, of reactions or of canned replies; `data.limit` says how many are allowed.",
  ),
  PAYLOAD_TOO_LARGE: entry(
    413,
    false,
    "The request is too large.",
    "Send less at once; sizes are in docs/configuration.md.",
  ),
  RATE_LIMITED: entry(429, true, "Too many requests.", "Wait `data.retryInMs` milliseconds."),
  INTERNAL: entry(500, false, "Something went wrong on our side.", "`requestId` finds it in the server's log."),
  TOO_BUSY: entry(503, true, "Too many requests are waiting here.", "Repeat with the same commandId after a pause."),
  UNAVAILABLE: entry(
    503,
    true,
    "The service is not available right now.",
    "Nothing was written. Repeat with the same commandId.",
  ),
  UNKNOWN_OUTCOME: entry(
    503,
    true,
    "It is not known yet whether this was stored.",
    "It may have been written. Repeat with the same commandId: it is never written twice.",
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorType = keyof typeof ERRORS;

/** What every transport sends for an error. */
export interface WireError {
  type: ErrorType;
  message: string;
  data?: Record<string, unknown>;
  retryable: boolean;
  requestId?: string;
}

/**
 * An error a client may see. Its class does not survive a hop between nodes, its `type`, `code` and `data` do:
 * test with `isParleyError`, never with `instanceof`.
 */
export class ParleyError extends Error {
  override readonly name = "ParleyError";
  readonly code: number;
  readonly retryable: boolean;
  constructor(
    readonly type: ErrorType,
    readonly data?: Record<string, unknown>,
  ) {
    super(ERRORS[type].message);
    this.code = ERRORS[type].status;
    this.retryable = ERRORS[type].retryable;
  }
}

/** Refuses a request because of one field, a dotted path; `field` is empty for the whole request. */
export const invalid = (field: string, problem: string): ParleyError =>
  new ParleyError("VALIDATION", { fields: [{ field, problem }] });

export function isParleyError(error: unknown): error is ParleyError {
  return (
    typeof error === "object" &&
    error !== null &&
    "type" in error &&
    typeof error.type === "string" &&
    Object.hasOwn(ERRORS, error.type)
  );
}
