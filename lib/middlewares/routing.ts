import type { CallingOptions, Middleware, ServiceBroker } from "moleculer";
import type { Clock, Random } from "../actor/ports";
import { type Failure, Router } from "../actor/router";

interface RoutedAction {
  readonly actor?: { readonly id: string };
}

/** The parts of Moleculer's registry that routing reads. */
interface Registry {
  actions: { get(name: string): { endpoints: Array<{ id: string; action: RoutedAction }> } | undefined };
}

type Next = (name: string, params: unknown, options: CallingOptions) => Promise<unknown>;

interface CallMeta {
  readonly deadline?: number;
}

/**
 * Sends every action that declares an `actor` to the home of the actor that its params name, wherever it is called
 * from. One node that can only be home itself is not asked: the call stays local.
 */
export function routingMiddleware(ports: { clock: Clock; random: Random; timeoutMs: number }): Middleware {
  const { clock, random } = ports;
  let broker: ServiceBroker;
  let registry: Registry;
  return {
    name: "Routing",
    created(created: ServiceBroker) {
      broker = created;
      registry = created.registry as unknown as Registry;
    },
    call(next: Next) {
      const routers = new Map<string, Router>();
      const routerOf = (name: string): Router => {
        let router = routers.get(name);
        if (!router) {
          const homes = () => registry.actions.get(name)?.endpoints.map(({ id }) => id) ?? [];
          router = new Router({ clock, random, homes, classify, ping: (node) => ping(broker, node) });
          routers.set(name, router);
        }
        return router;
      };
      return (name: string, params: Record<string, unknown>, options: CallingOptions = {}) => {
        const endpoints = registry.actions.get(name)?.endpoints;
        const actor = endpoints?.[0]?.action.actor;
        const id = actor ? params[actor.id] : undefined;
        const alone = endpoints?.length === 1 && endpoints[0]?.id === broker.nodeID;
        if (typeof id !== "string" || alone || options.nodeID !== undefined) return next(name, params, options);
        const deadline = deadlineOf(options) ?? clock.now() + (options.timeout ?? ports.timeoutMs);
        return routerOf(name).call(id, deadline, (nodeID, timeout) =>
          next(name, params, { ...options, nodeID, timeout }),
        );
      };
    },
  } as unknown as Middleware;
}

const deadlineOf = (options: CallingOptions & { parentCtx?: { meta: CallMeta } }): number | undefined =>
  (options.meta as CallMeta | undefined)?.deadline ?? options.parentCtx?.meta.deadline;

const NOT_RUN = new Set(["SERVICE_NOT_FOUND", "SERVICE_NOT_AVAILABLE", "REQUEST_SKIPPED"]);
const NO_ANSWER = new Set(["REQUEST_TIMEOUT", "REQUEST_REJECTED"]);

function classify(error: unknown): Failure {
  const type = (error as { type?: unknown } | null)?.type;
  if (typeof type !== "string") return "answered";
  if (NOT_RUN.has(type)) return "not run";
  return NO_ANSWER.has(type) ? "no answer" : "answered";
}

async function ping(broker: ServiceBroker, node: string): Promise<boolean> {
  if (node === broker.nodeID) return true;
  try {
    return (await broker.ping(node, PING_MS)) !== null;
  } catch {
    return false;
  }
}

const PING_MS = 1_000;
