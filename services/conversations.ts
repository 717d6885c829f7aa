import type { ServiceBroker, ServiceSchema, ServiceSettingSchema } from "moleculer";
import { Conversations, type Fanout } from "../actors/conversation/conversation.actor";
import type { StoredEvent } from "../actors/conversation/conversation.events";
import type { Watermark } from "../actors/conversation/conversation.watermarks";
import { ParleyError } from "../lib/errors";
import { lifecycleOf } from "../lib/lifecycle";
import { othersOffering } from "../lib/offers";
import { perBroker } from "../lib/per-broker";
import { resourcesOf } from "../lib/resources";
import { routingOf } from "../lib/routing";
import { vitalsOf } from "../lib/vitals";
import { broadcast } from "./call";
import { conversationProbe } from "./conversation-metrics";
import { publishingOf } from "./publishing";
import { receiptsOf } from "./receipts";
import { timersOf } from "./timers";

/** The actor runtime of a node, shared by the services that are facades over it. */
interface Shared {
  readonly conversations: Conversations;
  users: number;
  /** When this node began to drain, in monotonic milliseconds. */
  drainingSince: number | undefined;
  started: Promise<void> | undefined;
  readonly listeners: Listener[];
}

type Listener = (events: readonly StoredEvent[]) => void;

/** The conversations of this broker's node; call it in `created()`. */
export function conversationsOf(broker: ServiceBroker): Conversations {
  return sharedOf(broker).conversations;
}

/** Tells the durable events that this node has written, right after they are broadcast. The listener must not throw. */
export function onSettled(broker: ServiceBroker, listener: (events: readonly StoredEvent[]) => void): void {
  sharedOf(broker).listeners.push(listener);
}

const schema: Partial<ServiceSchema<ServiceSettingSchema, object, { conversations: Conversations }>> = {
  created() {
    this.conversations = conversationsOf(this.broker);
  },
  started() {
    return startConversations(this.broker);
  },
  stopped() {
    return stopConversations(this.broker);
  },
};

/** For facades over the conversations: `this.conversations` from `created()` on, started and stopped with the service. */
export const conversationsMixin = schema as Partial<ServiceSchema>;

/** The first service starts the runtime, every one waits for it. */
async function startConversations(broker: ServiceBroker): Promise<void> {
  const shared = sharedOf(broker);
  shared.users++;
  await (shared.started ??= shared.conversations.start());
}

/** The last service stops it, when everything taken is answered and projected, or when the time to drain is over. */
async function stopConversations(broker: ServiceBroker): Promise<void> {
  const shared = sharedOf(broker);
  if (--shared.users > 0) return;
  const { config, monotonic } = resourcesOf(broker);
  const drained = shared.drainingSince === undefined ? 0 : monotonic() - shared.drainingSince;
  await shared.conversations.stop(Math.max(config.DRAIN_SECONDS * 1_000 - drained, LEAST_STOP_MS));
}

/**
 * Makes another node the conversation's home for ten minutes, and passivates it here. Nodes that start meanwhile do not
 * know of it: what they call here is served, as everything that comes to a node that is not the home.
 * @throws ParleyError NOT_FOUND when there is no such node, TOO_BUSY when the conversation was not idle by the deadline
 */
export async function moveConversation(
  broker: ServiceBroker,
  id: string,
  deadline: number,
  to?: string,
): Promise<string> {
  const routing = routingOf(broker);
  const others = othersOffering(broker, COMMAND);
  const target = to ?? routing.peers.home(id, others);
  if (target === undefined || !others.includes(target)) throw new ParleyError("NOT_FOUND");
  routing.state.pin(id, target, MOVED_MS);
  if (!(await conversationsOf(broker).host.passivate(id, deadline))) throw new ParleyError("TOO_BUSY");
  return target;
}

const sharedOf = perBroker((broker) => {
  const listeners: Listener[] = [];
  const conversations = create(broker, (events) => listeners.forEach((listener) => listener(events)));
  const shared: Shared = { conversations, users: 0, started: undefined, drainingSince: undefined, listeners };
  lifecycleOf(broker).onDrain(async () => {
    shared.drainingSince = resourcesOf(broker).monotonic();
  });
  return shared;
});

function create(broker: ServiceBroker, settled: Listener): Conversations {
  const { store, kv, clock, monotonic, random, config, sole } = resourcesOf(broker);
  const conversations: Conversations = new Conversations({
    store,
    clock,
    monotonic,
    random,
    ...(broker.transit && { isHome: (id: string) => routingOf(broker).isHome(COMMAND, id) }),
    ...publishingOf(broker),
    alarm: timersOf(broker),
    incarnation: `${broker.nodeID}/${random.id()}`,
    fanout: fanoutOf(broker, () => conversations, settled),
    // Beside a store in this process the tail halves the cost of a page of history, and takes 50 kB a conversation: no.
    ...(!sole && { kv }),
    probe: conversationProbe(broker, () => conversations),
    limits: {
      members: config.LIMIT_MEMBERS,
      reactions: REACTIONS_PER_MESSAGE,
      mailbox: config.LIMIT_MAILBOX,
      activations: config.LIMIT_ACTIVATIONS,
    },
    sole,
    onLost: () => broker.fatal("this node may not write any more: its mark was lost"),
  });
  if (broker.transit) followStore(broker);
  return conversations;
}

/** A node whose store has not answered for a while is nobody's home: the others are told. */
function followStore(broker: ServiceBroker): void {
  const { clock } = resourcesOf(broker);
  let cancel: (() => void) | undefined;
  vitalsOf(broker).onChange((part, state) => {
    if (part !== "store") return;
    cancel?.();
    cancel = undefined;
    if (state === "up") routingOf(broker).state.setStoreless(false);
    else cancel = clock.setTimeout(() => routingOf(broker).state.setStoreless(true), STORELESS_AFTER_MS);
  });
}

/** The action whose nodes are the homes of conversations. */
const COMMAND = "room.command";
const MOVED_MS = 600_000;
/** Beyond the second or two after which the store counts as down: five in all. */
const STORELESS_AFTER_MS = 3_000;
const LEAST_STOP_MS = 1_000;
const REACTIONS_PER_MESSAGE = 1_000;
const IO = ["io"];

function fanoutOf(broker: ServiceBroker, conversations: () => Conversations, settled: Listener): Fanout {
  return {
    flush: (part) => {
      void broadcast(broker, "log.flush", part, IO);
      settled(part.events);
    },
    beat: (beat) => void broadcast(broker, "log.beat", beat, IO),
    found: (events) => void broadcast(broker, "log.found", { events }, IO),
    receipts: (conversationId, watermarks) => void tellReceipts(broker, conversations(), conversationId, watermarks),
  };
}

/** Nobody waits for it, and what cannot be told now is told with the next receipt. */
async function tellReceipts(
  broker: ServiceBroker,
  { host, store, receipts }: Conversations,
  conversationId: string,
  watermarks: readonly Watermark[],
): Promise<void> {
  try {
    const told = await receiptsOf(conversationId, watermarks, {
      state: host.peek(conversationId),
      lastForAll: (seq) => store.lastForAll(conversationId, seq),
      countRead: (seq, limit) => receipts.countRead(conversationId, seq, limit),
    });
    await broadcast(broker, "receipts.changed", told, IO);
  } catch (error) {
    broker.logger.warn("receipts could not be told", { error });
  }
}
