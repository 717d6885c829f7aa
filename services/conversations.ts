import type { ServiceBroker } from "moleculer";
import { Conversations, type Fanout } from "../actors/conversation/conversation.actor";
import { LISTED_MEMBERS } from "../actors/conversation/conversation.state";
import { resourcesOf } from "../lib/resources";
import { broadcast } from "./call";
import { conversationProbe } from "./conversation-metrics";
import { publishingOf } from "./publishing";

/** The actor runtime of a node, shared by the services that are facades over it. */
interface Shared {
  readonly conversations: Conversations;
  users: number;
  started: Promise<void> | undefined;
}

const byBroker = new WeakMap<ServiceBroker, Shared>();

/** The conversations of this broker's node; call it in `created()`. */
export function conversationsOf(broker: ServiceBroker): Conversations {
  return sharedOf(broker).conversations;
}

/** Call it in `started()`: the first service starts the runtime, every one waits for it. */
export async function startConversations(broker: ServiceBroker): Promise<void> {
  const shared = sharedOf(broker);
  shared.users++;
  await (shared.started ??= shared.conversations.start());
}

/** Call it in `stopped()`: the last service stops it, when everything taken is answered and projected. */
export async function stopConversations(broker: ServiceBroker): Promise<void> {
  const shared = sharedOf(broker);
  if (--shared.users === 0) await shared.conversations.stop();
}

function sharedOf(broker: ServiceBroker): Shared {
  let shared = byBroker.get(broker);
  if (!shared) {
    shared = { conversations: create(broker), users: 0, started: undefined };
    byBroker.set(broker, shared);
  }
  return shared;
}

function create(broker: ServiceBroker): Conversations {
  const { store, kv, clock, random, config, sole } = resourcesOf(broker);
  const conversations: Conversations = new Conversations({
    store,
    clock,
    random,
    ...publishingOf(broker),
    incarnation: `${broker.nodeID}/${random.id()}`,
    fanout: fanoutOf(broker, () => conversations),
    // A sole node's store is in its own process: the tail would only be a second copy.
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
  return conversations;
}

const REACTIONS_PER_MESSAGE = 1_000;
const IO = ["io"];

function fanoutOf(broker: ServiceBroker, conversations: () => Conversations): Fanout {
  return {
    flush: (part) => void broadcast(broker, "log.flush", part, IO),
    beat: (beat) => void broadcast(broker, "log.beat", beat, IO),
    found: (events) => void broadcast(broker, "log.found", { events }, IO),
    receipts: (conversationId, watermarks) => {
      const state = conversations().host.peek(conversationId);
      if (state && state.memberCount > LISTED_MEMBERS) {
        void tellCount(broker, conversations(), conversationId, state);
        return;
      }
      const receipts = watermarks.map(({ userId, readSeq, deliveredSeq }) => ({ userId, readSeq, deliveredSeq }));
      void broadcast(broker, "receipts.changed", { conversationId, receipts }, IO);
    },
  };
}

/** In a large conversation nobody is told who has read, but how many have read everything. */
async function tellCount(
  broker: ServiceBroker,
  { receipts }: Conversations,
  conversationId: string,
  { seq, memberCount }: { seq: number; memberCount: number },
): Promise<void> {
  try {
    const read = await receipts.countRead(conversationId, seq, memberCount);
    await broadcast(broker, "receipts.changed", { conversationId, receipts: [], count: { seq, read } }, IO);
  } catch (error) {
    broker.logger.warn("receipts could not be counted", { error });
  }
}
