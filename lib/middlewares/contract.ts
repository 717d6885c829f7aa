import type { ActionHandler, ActionSchema, Context, Middleware, ServiceBroker } from "moleculer";
import type { Contract } from "../contract";
import type { ContractAction } from "../decorators";
import { isParleyError, ParleyError } from "../errors";
import { type Limits, validatorOf } from "../schema";
import { scrub } from "./errors";
import { type CallerRoles, guardOf } from "./permissions";

export interface ContractOptions {
  /** Wall-clock milliseconds. */
  readonly now: () => number;
  /** Milliseconds from the first call to the deadline that all calls below it inherit. */
  readonly requestTimeoutMs: number;
  readonly limits: Limits;
}

interface CallMeta {
  user?: CallerRoles;
  deadline?: number;
  requestId?: string;
}

/**
 * Keeps the contract of every action that has one, in one wrapper because this is the hot path: the caller's right,
 * the deadline, the params, and which errors leave. A call past its deadline is not begun (UNAVAILABLE).
 */
export function contractMiddleware(options: ContractOptions): Middleware {
  return {
    name: "Contract",
    localAction(this: ServiceBroker, next: ActionHandler, action: ActionSchema & Partial<ContractAction>) {
      const contract = action.contract?.();
      return contract ? keepContract(this, next as Next, contract, options) : next;
    },
  } as Middleware;
}

type CallContext = Context<unknown, CallMeta>;
type Next = (ctx: CallContext) => Promise<unknown>;

function keepContract(broker: ServiceBroker, next: Next, contract: Contract, options: ContractOptions): Next {
  const guard = guardOf(contract.access);
  const validate = validatorOf(contract.params, options.limits);
  const onError = (ctx: CallContext, error: unknown): never => {
    if (!isParleyError(error)) logUnexpected(broker, contract, ctx, error);
    throw scrub(error, contract);
  };
  return (ctx) => {
    try {
      guard?.(ctx.meta.user);
      keepDeadline(ctx, options);
      ctx.params = validate(ctx.params);
    } catch (error) {
      return broker.Promise.reject(error as Error);
    }
    return next(ctx).catch((error: unknown) => onError(ctx, error));
  };
}

function keepDeadline(ctx: CallContext, { now, requestTimeoutMs }: ContractOptions): void {
  const { deadline } = ctx.meta;
  if (deadline === undefined) {
    // The object may be the caller's own and serve its next call too.
    ctx.meta = { ...ctx.meta, deadline: now() + (ctx.options.timeout || requestTimeoutMs) };
  } else if (deadline <= now()) {
    throw new ParleyError("UNAVAILABLE");
  }
}

function logUnexpected(broker: ServiceBroker, contract: Contract, ctx: CallContext, error: unknown): void {
  broker.logger.error("unexpected error", {
    action: contract.name,
    requestId: ctx.meta.requestId ?? ctx.requestID,
    error,
  });
}
