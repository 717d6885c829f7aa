import type { Conversations } from "../../actors/conversation/conversation.actor";
import { fittingPages, partsOf } from "../../actors/conversation/conversation.parts";
import { listMarks } from "../../lib/actor/mark";
import { isParleyError } from "../../lib/errors";
import type { ServiceBroker } from "moleculer";
import type { Store } from "../../lib/store/collection";
import { announce } from "../../services/auth/announcement";
import { RevocationLedger } from "../../services/auth/revocation-ledger";
import type { RoleChange } from "../../services/auth/revocations";
import type { PresenceInternal } from "../../services/presence/presence.internal";
import type { PresenceTracker } from "../../services/presence/presence.tracker";
import { ConversationLists } from "../../services/room/conversation-lists";
import type { RoomInternal } from "../../services/room/room.internal";
import type { SessionInternal } from "../../services/session/session.internal";
import { lookAt } from "../../services/session/timed-life";
import type { TimerStore } from "../../services/timers";
import type { Send } from "./commands";
import type { Life } from "./life";
import { FIRST_ROLES } from "./logins";
import type { Asked } from "./reads";
import type { Handlers, Meta, SimBroker } from "./sim-broker";

export type OnRun = (
  command: RoomInternal["room.command"]["params"],
  incarnation: string,
  send: Send | undefined,
) => (wroteNothing: boolean) => void;

export interface CoreParts {
  readonly life: Life;
  readonly store: Store;
  readonly broker: SimBroker;
  readonly conversations: Conversations;
  readonly tracker: PresenceTracker | undefined;
  /** Absent where time does nothing to sessions. */
  readonly timers: TimerStore | undefined;
  /** A conversation is given a command; the function returned takes whether that wrote nothing. */
  readonly onRun: OnRun;
}

type Params<N extends keyof RoomInternal> = RoomInternal[N]["params"];
type Ended = { readonly userId: string; readonly family: string };
type Receipt = { readonly conversationId: string; readonly seq: number; readonly kind: "read" | "delivered" };

const SYNC_PATIENCE_MS = 2_000;
const LOOK_MS = 5_000;

/** What the services of a core node do: thin facades over the product's own classes. */
export function coreActions(parts: () => CoreParts): Handlers {
  const conversations = { ...roomActions(parts), ...messageActions(parts), ...sessionActions(parts) };
  return { ...conversations, ...authActions(parts), ...presenceActions(parts) };
}

function roomActions(parts: () => CoreParts): Handlers {
  return {
    "room.command": (params: Params<"room.command">, { deadline = params.command.deadline, send }: Meta) =>
      run(parts, { ...params, command: { ...params.command, deadline } }, send),
    "room.catchUp": ({ cursors }: Params<"room.catchUp">, { userId = "", deadline = 0 }: Meta) => {
      const { conversations, life } = parts();
      return conversations.reader.sync(userId, cursors, Math.min(deadline, life.now() + SYNC_PATIENCE_MS));
    },
    "room.memberships": async ({ userId }: Params<"room.memberships">) => {
      const lists = new ConversationLists(parts().conversations);
      return { memberships: await lists.memberships(userId) };
    },
    "room.events": async ({ reads }: Params<"room.events">) => ({
      pages: fittingPages(await parts().conversations.store.readPages(reads)),
    }),
    "room.flushes": async ({ incarnation, from, to, part }: Params<"room.flushes">) => {
      const { events, through } = await parts().conversations.store.readFlushPage(incarnation, from, to);
      const pages = partsOf(events);
      return { events: pages[part] ?? [], through, parts: pages.length };
    },
    "room.progress": () => Promise.resolve(parts().conversations.progress),
    "room.marks": async () => ({ marks: await listMarks(parts().store) }),
    "room.sweep": () => parts().conversations.sweep(),
  };
}

/** Gives a conversation a command, and tells what came of it. */
async function run(
  parts: () => CoreParts,
  params: Params<"room.command">,
  send?: Send,
): ReturnType<Conversations["command"]> {
  const { conversations, life, onRun } = parts();
  const ended = onRun(params, life.incarnation, send);
  try {
    const outcome = await conversations.command(params.conversationId, params.command);
    ended("noop" in outcome);
    return outcome;
  } catch (error) {
    ended(isParleyError(error) && error.type !== "UNKNOWN_OUTCOME");
    throw error;
  }
}

/** The timed life of sessions. */
function sessionActions(parts: () => CoreParts): Handlers {
  const command: Conversations["command"] = (conversationId, given) => run(parts, { conversationId, command: given });
  return {
    "session.now": () => Promise.resolve({ now: parts().life.now() }),
    "session.due": async (row: SessionInternal["session.due"]["params"]) => {
      const { conversations, life, timers } = parts();
      if (!timers) throw new Error("this history has no timers");
      const { host } = conversations;
      return lookAt({ conversations: { host, command }, timers, clock: life }, row, life.now() + LOOK_MS);
    },
  };
}

function messageActions(parts: () => CoreParts): Handlers {
  return {
    "message.history": async (asked: Asked & { conversationId: string }, { userId = "", deadline = 0 }: Meta) => {
      const { reader } = parts().conversations;
      return reader.history(await reader.authorise(asked.conversationId, userId, deadline), asked);
    },
    "message.receipt": async ({ conversationId, seq, kind }: Receipt, { userId = "", deadline = 0 }: Meta) => {
      const { reader, receipts } = parts().conversations;
      const { last } = await reader.authorise(conversationId, userId, deadline);
      const watermark = await receipts.raise(conversationId, userId, kind, Math.min(seq, last));
      return { seq: kind === "read" ? watermark.readSeq : watermark.deliveredSeq };
    },
  };
}

function authActions(parts: () => CoreParts): Handlers {
  const ledger = (): RevocationLedger => new RevocationLedger(parts().store);
  const tell = (revocation: RoleChange | Awaited<ReturnType<RevocationLedger["add"]>>): Promise<void> =>
    announce(parts().broker as unknown as ServiceBroker, parts().life, revocation);
  return {
    "auth.end": async (ended: Ended) => {
      await tell(await ledger().add(ended, parts().life.now()));
      return null;
    },
    "auth.setRoles": async (change: Pick<RoleChange, "userId" | "roles">) => {
      for (;;) {
        const made = await ledger().addRoles(await ledger().last(), change, parts().life.now());
        if (!made) continue;
        await tell(made);
        return { number: made.number };
      }
    },
    "users.principal": async ({ id }: { id: string }) => {
      const last = (await ledger().roleChanges(0)).filter(({ userId }) => userId === id).at(-1);
      return { roles: last?.roles ?? FIRST_ROLES, guest: false, rolesNumber: last?.number ?? 0 };
    },
  };
}

function presenceActions(parts: () => CoreParts): Handlers {
  return {
    "presence.report": async (report: PresenceInternal["presence.report"]["params"]) => {
      await parts().tracker?.report(report);
      return null;
    },
    "presence.sweep": async () => parts().tracker?.sweep(),
  };
}
