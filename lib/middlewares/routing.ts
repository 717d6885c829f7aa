import {
  type ActionHandler,
  type ActionSchema,
  type CallingOptions,
  type Context,
  Errors,
  type Middleware,
  type ServiceBroker,
} from "moleculer";
import type { Clock, Random } from "../actor/ports";
import type { Router } from "../actor/router";
import { type RoutedAction, Routing, routingOf } from "../routing";

type Next = (name: string, params: unknown, options: CallingOptions) => Promise<unknown>;
type Handler = (ctx: Context<unknown, CallMeta>) => Promise<unknown>;
type Routed = RoutedAction & { readonly timeout?: number };

interface CallMeta {
  deadline?: number;
  /** On the way to another node, whose clock is not this one's: milliseconds to the deadline. */
  leftMs?: number | undefined;
}

type Options = CallingOptions & { meta?: CallMeta; parentCtx?: { meta: CallMeta } };

/** Another node is the home now; nothing ran here, and the caller asks again. Never leaves the cluster. */
export class NotHomeError extends Errors.MoleculerRetryableError {
  constructor() {
    super("another node is the home now", 503, "NOT_HOME");
  }
}

/**
 * Sends every action that declares an `actor` to the home of the actor that its params name, wherever it is called
 * from, and every other one to a node that offers it; repeats within the deadline what surely did not run, and what
 * may be repeated when nobody knows (`repeats`). A broker without a transporter calls as Moleculer does.
 *
 * List it behind the middlewares that see the errors of actions: what it says to the caller's router is none.
 */
export function routingMiddleware(ports: { clock: Clock; random: Random; timeoutMs: number }): Middleware {
  let broker: ServiceBroker;
  return {
    name: "Routing",
    created(created: ServiceBroker) {
      broker = created;
      routingOf(broker, () => new Routing(broker, ports));
    },
    starting: () => routingOf(broker).state.listen(),
    started: () => routingOf(broker).state.announce(),
    stopping: () => routingOf(broker).finish(),
    stopped: () => routingOf(broker).state.stop(),
    call: (next: Next) => routedCall(() => broker, next, ports),
    localAction(this: ServiceBroker, next: ActionHandler, action: ActionSchema & RoutedAction) {
      if (!this.transit) return next;
      if (action.actor) routingOf(this).state.setHost();
      return guarded(this, next as Handler, action);
    },
  } as unknown as Middleware;
}

function routedCall(
  brokerOf: () => ServiceBroker,
  next: Next,
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Next {
  return (name, params, options: Options = {}) => {
    const broker = brokerOf();
    if (!broker.transit || name.startsWith("$")) return next(name, params, options);
    if (options.nodeID !== undefined) return next(name, params, timed(options, broker.nodeID, clock));
    const routing = routingOf(broker);
    const offered = routing.offered<Routed>(name);
    const self = offered.length === 1 && offered[0]?.id === broker.nodeID;
    if (self) return next(name, params, options);
    const action = offered[0]?.action;
    const deadline = deadlineOf(options, action?.actor ? timeoutMs : (action?.timeout ?? timeoutMs), clock);
    if (!action) {
      const again = () => broker.call(name, params, { ...options, timeout: leftOf(deadline, clock) });
      return routing.offer(name, deadline).then(again);
    }
    // Whoever is asked works to the end of this attempt: what it answers later is heard by nobody.
    return route(routing.routerOf(name), action, params, deadline, (nodeID, left) => {
      const timeout = finite(left);
      const meta: CallMeta = timeout === 0 ? {} : { deadline: clock.now() + timeout };
      return next(
        name,
        params,
        timed({ ...options, meta: { ...options.meta, ...meta }, nodeID, timeout }, broker.nodeID, clock),
      );
    });
  };
}

/** What goes to another node says how much time there is, beside when it ends by this node's clock. */
function timed(options: Options, self: string, clock: Clock): Options {
  const deadline = inheritedBy(options);
  if (deadline === undefined || options.nodeID === self) return options;
  return { ...options, meta: { ...options.meta, deadline, leftMs: deadline - clock.now() } };
}

function route(
  router: Router,
  { actor, repeats }: RoutedAction,
  params: unknown,
  deadline: number,
  attempt: (nodeID: string, left: number) => Promise<unknown>,
): Promise<unknown> {
  const id = actor ? (params as Record<string, unknown>)[actor.id] : undefined;
  // Every action of an actor is a read or a command.
  if (typeof id === "string") return router.call(id, deadline, attempt, repeats ?? "command");
  return router.any(deadline, attempt, repeats ?? "never");
}

/** Wall-clock milliseconds: what the caller inherited, or sooner if the call itself names a time. */
function deadlineOf(options: Options, timeoutMs: number, clock: Clock): number {
  const inherited = inheritedBy(options);
  if (inherited !== undefined && options.timeout === undefined) return inherited;
  const own = options.timeout ?? timeoutMs;
  return Math.min(inherited ?? Number.POSITIVE_INFINITY, own === 0 ? Number.POSITIVE_INFINITY : clock.now() + own);
}

const inheritedBy = ({ meta, parentCtx }: Options): number | undefined => meta?.deadline ?? parentCtx?.meta.deadline;

/** Moleculer's word for no end is 0. */
const finite = (ms: number): number => (Number.isFinite(ms) ? ms : 0);
const leftOf = (deadline: number, clock: Clock): number => finite(Math.max(1, deadline - clock.now()));

/**
 * Counts what other nodes have asked, gives it the deadline by this node's clock, and sends actors' callers away while
 * this node should not be a home.
 */
function guarded(
  broker: ServiceBroker,
  next: Handler,
  { name = "", actor }: RoutedAction & { name?: string },
): Handler {
  return (ctx) => {
    if (ctx.nodeID === broker.nodeID) return next(ctx);
    const routing = routingOf(broker);
    if (actor && routing.isElsewhere(name)) return Promise.reject(new NotHomeError());
    const { deadline, leftMs } = ctx.meta;
    if (deadline === undefined || leftMs === undefined) return routing.count(next(ctx));
    ctx.meta.leftMs = undefined;
    ctx.meta.deadline = routing.deadlines.here(ctx.nodeID ?? "", deadline, leftMs);
    // The answer brings this back, for the caller to go on with.
    return routing.count(next(ctx), () => (ctx.meta.deadline = deadline));
  };
}
