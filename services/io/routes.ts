import type { ServiceBroker } from "moleculer";
import type { Clock } from "../../lib/actor/ports";
import { inTime } from "../../lib/actor/time";
import type { Contract, Params } from "../../lib/contract";
import { ParleyError } from "../../lib/errors";
import { broadcast } from "../call";
import { CONTRACTS } from "../contracts";
import { typing } from "../presence/presence.contract";
import { list, sync } from "../room/room.contract";
import { catchUp, homesOf } from "../room/catch-up";
import type { ClientSocket } from "./client-socket";
import type { Desk } from "./desk";
import type { CallOptions, Route } from "./dispatcher";
import { localRoute } from "./local-route";
import type { RoomTable } from "./rooms/room-table";
import type { TypingState } from "./typing";

export interface RouteParts {
  readonly broker: ServiceBroker;
  readonly clock: Clock;
  readonly typing: TypingState;
  readonly desk: Pick<Desk, "routes">;
  readonly rooms: Pick<RoomTable, "audienceOf" | "afterSync">;
}

/** What each socket event does: every contract with a socket name is here, and nothing else is an event. */
export function routesOf(parts: RouteParts): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const contract of CONTRACTS) {
    if (contract.socket !== undefined) routes.set(contract.socket, actionRoute(parts.broker, contract));
  }
  for (const route of [listRoute(parts), syncRoute(parts), typingRoute(parts), ...parts.desk.routes()]) {
    if (route.contract.socket !== undefined) routes.set(route.contract.socket, route);
  }
  return routes;
}

/** The action of a contract; its node validates the payload and checks the rights. */
function actionRoute(broker: ServiceBroker, contract: Contract): Route {
  const run: Route["run"] = contract.keepsDeadline
    ? (_socket, payload, options) => broker.call(contract.name, payload, { ...options, timeout: 0 })
    : (_socket, payload, options) => broker.call(contract.name, payload, options);
  return { contract, run };
}

/** What a socket joins by itself is in its list, or it is told of it: the list is read after the socket has joined. */
function listRoute({ broker, clock }: RouteParts): Route {
  const { contract, run } = actionRoute(broker, list);
  return {
    contract,
    run: async (socket, payload, options) => {
      await whenJoined(clock, socket, options);
      return run(socket, payload, options);
    },
  };
}

/** Nothing lies between the answer and what comes live: the socket joins where the answer ends. */
function syncRoute({ broker, clock, rooms }: RouteParts): Route {
  const home = homesOf(broker);
  return localRoute(sync, async (socket, params: Params<typeof sync>, options) => {
    await whenJoined(clock, socket, options);
    const { complete, ...answer } = await catchUp(broker, home, params.cursors, options);
    void rooms.afterSync(socket.id, complete);
    return answer;
  });
}

const typingRoute = ({ broker, typing: state, rooms }: RouteParts): Route =>
  localRoute(typing, async (socket, { on, ...place }: Params<typeof typing>) => {
    const standing = rooms.audienceOf(socket.id, place.conversationId);
    if (standing === undefined) throw new ParleyError("NOT_FOUND");
    if (place.audience === "staff" && standing !== "staff") throw new ParleyError("FORBIDDEN");
    const userId = socket.data.user.id;
    if (state.isNews(socket, place, on)) await broadcast(broker, "typing.changed", { ...place, userId, on }, ["io"]);
    return null;
  });

/** Waits no longer than the caller does. @throws ParleyError UNAVAILABLE */
const whenJoined = (clock: Clock, socket: ClientSocket, { timeout }: CallOptions): Promise<void> =>
  inTime(
    clock,
    timeout ?? 0,
    () => socket.data.joined,
    () => {
      throw new ParleyError("UNAVAILABLE");
    },
  );
