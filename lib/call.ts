import type { CallingOptions } from "moleculer";

/** Action name to the types of its params and result. */
export type ActionMap = Record<string, { params: object; result: unknown }>;

/** A context or a broker: whatever can call an action. */
export interface Caller {
  call(name: string, params: object, options?: CallingOptions): Promise<unknown>;
}

/** A call typed by an action map. It rejects with a `ParleyError`, or with Moleculer's own errors of transport. */
export type Call<A extends ActionMap> = <N extends keyof A & string>(
  caller: Caller,
  name: N,
  params: A[N]["params"],
  options?: CallingOptions,
) => Promise<A[N]["result"]>;

/** Makes the typed call of an action map. What comes back is trusted to be what the contract says. */
export function callerOf<A extends ActionMap>(): Call<A> {
  return (caller, name, params, options) => caller.call(name, params, options);
}

/** Broker event name to its payload. */
export type EventMap = object;

interface Broadcaster {
  broadcast(name: string, data: unknown, options?: { groups?: string[] }): Promise<unknown>;
}

/** Tells a broker event to these groups on all nodes, or to all groups. Fire and forget. */
export type Broadcast<E extends EventMap> = <N extends keyof E & string>(
  from: Broadcaster,
  name: N,
  data: E[N],
  groups?: readonly string[],
) => Promise<void>;

/** Makes the typed broadcast of an event map. */
export function broadcasterOf<E extends EventMap>(): Broadcast<E> {
  return async (from, name, data, groups) => {
    await from.broadcast(name, data, groups ? { groups: [...groups] } : {});
  };
}
