import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { ConversationTail } from "../../../actors/conversation/conversation.tail";
import { Receipts } from "../../../actors/conversation/conversation.receipts";
import { Router } from "../../../lib/actor/router";
import { Sweeper } from "../../../lib/actor/sweeper";
import { DueScan } from "../../../lib/scheduling/due-scan";
import { Lease } from "../../../lib/scheduling/lease";
import { Writer } from "../../../lib/actor/writer";
import { RevocationList } from "../../../services/auth/revocation-list";
import { MarkWatch } from "../../../services/io/mark-watch";
import { PresenceReporter } from "../../../services/io/presence-reporter";
import { FlushTracker } from "../../../services/io/rooms/flush-tracker";
import { PresenceTracker } from "../../../services/presence/presence.tracker";
import { type Bug, replace, replaceGetter, type Step } from "./plant";

interface AnyTracker {
  heard(name: string): object;
  advance(node: object, flush: number): void;
}

const leaseRenewedAfterExpiry: Bug = {
  name: "a lease that is held for ever once it was granted",
  within: 200,
  plant: () =>
    replaceGetter(Lease.prototype, "held", function (this: { grant?: object }) {
      return this.grant;
    }),
};

/** A restarted core node goes on, for an io node, where the earlier one of that name stopped. */
const sameIncarnation: Bug = {
  name: "a restarted core node taken for the same incarnation",
  within: 200,
  plant: () =>
    replace(FlushTracker.prototype, "find", (find) => {
      return function (this: object, name: string) {
        return find.call(this, ...([name.replace(/[.]\d+$/, "")] as never[]));
      } as Step;
    }),
};

/**
 * A beat is believed: what it confirms is not looked for when its broadcast is missing. Any later broadcast shows that
 * too, so one history in ninety finds it.
 */
const beatBelieved: Bug = {
  name: "a beat that is taken for the broadcasts before it",
  within: 600,
  plant: () =>
    replace(FlushTracker.prototype, "beat", () => {
      return function (this: AnyTracker, name: string, flush: number) {
        this.advance(this.heard(name), flush);
      } as Step;
    }),
};

const marksUnread: Bug = {
  name: "io nodes that never read marks",
  within: 600,
  plant: () => replace(MarkWatch.prototype, "look", () => () => Promise.resolve()),
};

/** Only who counts runs and messages finds it: the command was sent twice, and the second answer was right of the second. */
const doubtForgotten: Bug = {
  name: "an attempt without an answer that is forgotten when the next one is refused",
  within: 400,
  plant: () =>
    replace(Router.prototype, "answered", (answered) => {
      return function (this: object, ...[error, end, doubt, route]: never[]) {
        return answered.call(
          this,
          ...([error, end, { ...(doubt as unknown as object), mayHaveRun: false }, route] as never[]),
        );
      } as Step;
    }),
};

const beatAhead: Bug = {
  name: "a beat that confirms flushes which are still to come",
  within: 200,
  plant: () =>
    replaceGetter(Writer.prototype, "settled", function (this: { flush: number }) {
      return this.flush + 20;
    }),
};

const nothingSwept: Bug = {
  name: "marks that nobody sweeps",
  within: 400,
  plant: () =>
    replace(Sweeper.prototype, "round", () => () => Promise.resolve({ owned: 0, ownerless: 0, recovered: 0 })),
};

const holeServed: Bug = {
  name: "a tail with a hole that is served",
  within: 400,
  plant: () =>
    replace(ConversationTail.prototype, "read", () => {
      return async function (
        this: {
          keep(id: string): void;
          inTime(reading: Promise<string[]>): Promise<string[]>;
          kv: { listRead(key: string): Promise<string[]> };
        },
        id: string,
        through: number,
        count: number,
      ) {
        this.keep(id);
        const values = await this.inTime(this.kv.listRead(`tail/${id}`));
        const events = values.map((value) => JSON.parse(value.slice(value.indexOf(" ") + 1)) as StoredEvent);
        return events
          .filter(({ seq }) => seq <= through)
          .sort((a, b) => a.seq - b.seq)
          .slice(-count);
      } as Step;
    }),
};

const receiptBeforeDurable: Bug = {
  name: "a receipt answered before it is stored",
  within: 50,
  plant: () =>
    replace(Receipts.prototype, "raise", (raise) => {
      return function (this: object, ...args: never[]) {
        const [, , , seq] = args as unknown as [string, string, string, number];
        void (raise.call(this, ...args) as Promise<unknown>).catch(() => undefined);
        return Promise.resolve({ readSeq: seq, deliveredSeq: seq });
      } as Step;
    }),
};

/** Whoever hears nothing of revocations takes it that there are none. */
const blindAndFresh: Bug = {
  name: "a node that knows nothing of revocations and lets everybody act",
  within: 800,
  plant: () => replaceGetter(RevocationList.prototype, "isFresh", () => true),
};

/** An event with a number is taken for all numbers before it. */
const gapInRevocations: Bug = {
  name: "a gap in the revocations that is not filled",
  within: 400,
  plant: () => replace(RevocationList.prototype, "heard", () => () => undefined),
};

const sweepsTheLiving: Bug = {
  name: "a presence sweep that ends connections of nodes that live",
  within: 100,
  plant: () =>
    replace(PresenceTracker.prototype, "sweepNodes", (sweep) => {
      return function (this: { lostNodes: object }) {
        this.lostNodes = { among: (nodes: readonly string[]) => nodes };
        return sweep.call(this);
      } as Step;
    }),
};

const nobodySweepsPresence: Bug = {
  name: "leases of connections that never end",
  within: 100,
  plant: () => {
    const undo = [
      replace(PresenceTracker.prototype, "sweep", () => () => Promise.resolve({ looked: 0 })),
      replace(PresenceTracker.prototype, "turn", () => () => Promise.resolve()),
    ];
    return () => undo.forEach((remove) => remove());
  },
};

const nobodyRenews: Bug = {
  name: "connections whose leases nobody renews",
  within: 100,
  plant: () => replace(PresenceReporter.prototype, "renewAll", () => () => undefined),
};

/** A due document is done for this node as soon as it was begun. */
const timerForgotten: Bug = {
  name: "a timer that is forgotten when it fails",
  within: 300,
  plant: () =>
    replace(DueScan.prototype, "letRest", () => {
      return function (this: { resting: Map<string, object> }, key: string) {
        this.resting.set(key, { until: Infinity, done: true, failures: 0 });
      } as Step;
    }),
};

/** In what holds a cluster together. */
export const CLUSTER_BUGS: readonly Bug[] = [
  leaseRenewedAfterExpiry,
  sameIncarnation,
  beatBelieved,
  marksUnread,
  beatAhead,
  doubtForgotten,
  nothingSwept,
  holeServed,
  receiptBeforeDurable,
  blindAndFresh,
  gapInRevocations,
  sweepsTheLiving,
  nobodySweepsPresence,
  nobodyRenews,
  timerForgotten,
];
