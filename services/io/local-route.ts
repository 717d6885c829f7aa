import type { Contract } from "../../lib/contract";
import { guardOf } from "../../lib/middlewares/permissions";
import { validatorOf } from "../../lib/schema";
import type { ClientSocket } from "./client-socket";
import type { CallOptions, Route } from "./dispatcher";

/** An event that this node answers itself, with the rights and the params of its contract. */
export function localRoute<P>(
  contract: Contract,
  run: (socket: ClientSocket, params: P, options: CallOptions) => Promise<unknown>,
): Route {
  const guard = guardOf(contract.access);
  const validate = validatorOf(contract.params);
  return {
    contract,
    run: async (socket, payload, options) => {
      guard?.(options.meta.user);
      return run(socket, validate(payload) as P, options);
    },
  };
}
