import { ServiceBroker } from "moleculer";
import type { Snapshot } from "../../actors/conversation/conversation.snapshot";
import { CONVERSATIONS, EVENTS } from "../../actors/conversation/conversation.store";
import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { Clock } from "../../lib/actor/ports";
import { systemMonotonic, systemRandom } from "../../lib/actor/system";
import { readConfig } from "../../lib/config";
import { MemoryKv } from "../../lib/kv/memory";
import { lifecycleOf } from "../../lib/lifecycle";
import { contractMiddleware } from "../../lib/middlewares/contract";
import { provideResources } from "../../lib/resources";
import type { Collection, Store } from "../../lib/store/collection";
import type { Principal } from "../../services/auth/principal";
import { call } from "../../services/call";
import MessageService from "../../services/message/message.service";
import RoomService from "../../services/room/room.service";
import SessionService from "../../services/session/session.service";

/** The session, message and room services on a clock and a store of the test's, without anything around them. */
export interface DeskNode {
  readonly broker: ServiceBroker;
  readonly events: Collection<StoredEvent>;
  readonly conversations: Collection<Snapshot>;
  /** A customer of this name opens a session; answers its id. */
  open(customer: string): Promise<string>;
  stop(): Promise<void>;
}

/** @param prepare runs before the services are created */
export async function startDeskNode(
  store: Store,
  clock: Clock,
  prepare?: (broker: ServiceBroker) => void,
): Promise<DeskNode> {
  const config = readConfig({});
  const limits = { TEXT_LENGTH: config.TEXT_LENGTH };
  const broker = new ServiceBroker({
    logger: false,
    contextParamsCloning: true,
    validator: false,
    dependencyInterval: 10,
    middlewares: [contractMiddleware({ now: Date.now, requestTimeoutMs: config.REQUEST_TIMEOUT_MS, limits })],
  });
  provideResources(broker, {
    config,
    store,
    kv: new MemoryKv({ clock }),
    clock,
    monotonic: systemMonotonic,
    random: systemRandom,
    sole: true,
  });
  prepare?.(broker);
  broker.createService({ name: "users" });
  broker.createService(MessageService);
  broker.createService(RoomService);
  broker.createService(SessionService);
  await broker.start();
  lifecycleOf(broker).setReady();
  return {
    broker,
    events: store.collection<StoredEvent>(EVENTS),
    conversations: store.collection<Snapshot>(CONVERSATIONS),
    open: async (customer) => {
      const user: Principal = { id: customer, roles: ["customer"], guest: false, family: customer };
      const params = { commandId: "open", topic: "other", urgency: "normal" as const };
      return (await call(broker, "session.open", params, { meta: { user } })).id;
    },
    stop: () => broker.stop(),
  };
}
