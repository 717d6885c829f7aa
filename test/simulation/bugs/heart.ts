import { Arming } from "../../../actors/conversation/conversation.arming";
import { ConversationBehaviour } from "../../../actors/conversation/conversation.behaviour";
import type { KeyFact } from "../../../actors/conversation/conversation.commands";
import type { StoredEvent } from "../../../actors/conversation/conversation.events";
import { Projector } from "../../../actors/conversation/conversation.projector";
import { ConversationStore } from "../../../actors/conversation/conversation.store";
import { Activation } from "../../../lib/actor/activation";
import type { Verdict } from "../../../lib/actor/ports";
import { StoreLeases } from "../../../lib/scheduling/store-leases";
import { Writer } from "../../../lib/actor/writer";
import { DuplicateKeyError, RejectedError } from "../../../lib/store/collection";
import { Room } from "../../../services/io/rooms/room";
import { TimerStore } from "../../../services/timers";
import { type Bug, replace, type Step } from "./plant";

interface AnyCall {
  answer(outcome: object): void;
  fail(type: string, data?: object): void;
}

interface AnyActivation {
  unconfirmed: Set<AnyCall>;
}

interface AnyWriter {
  flush: number;
  gaveUp?: boolean;
  verify(left: ReadonlyArray<{ document: StoredEvent }>, backoff: unknown): Promise<Verdict[]>;
}

interface AnyRoom {
  seq: number;
  ready: StoredEvent[];
}

const answerBeforeDurable: Bug = {
  name: "answer before durable",
  within: 20,
  plant: () =>
    replace(Activation.prototype, "submit", (submit) => {
      return function (this: object, call: AnyCall, event: StoredEvent, state: object) {
        submit.call(this, ...([call, event, state] as never[]));
        call.answer({ event, repeated: false });
      } as Step;
    }),
};

const noLookUpAfterReload: Bug = {
  name: "no look-up after a reload",
  within: 100,
  plant: () =>
    replace(Activation.prototype, "resolveUnsure", (resolve) => {
      return function (this: object, unsure: readonly AnyCall[]) {
        resolve.call(this, ...([unsure, unsure.map(() => undefined)] as never[]));
      } as Step;
    }),
};

/** After an unknown outcome the writer looks once, and takes "not there" for an answer. */
const notThereIsAnAnswer: Bug = {
  name: '"not there" taken for an answer',
  within: 600,
  plant: () => {
    const undo = [
      replace(Writer.prototype, "insert", (insert) => {
        return async function (this: AnyWriter, left: readonly object[]) {
          const failure: unknown = await insert.call(this, ...([left] as never[]));
          if (failure === undefined || failure instanceof DuplicateKeyError || failure instanceof RejectedError)
            return failure;
          this.gaveUp = true;
          return new DuplicateKeyError(0);
        } as Step;
      }),
      replace(Writer.prototype, "verify", (verify) => {
        return async function (this: AnyWriter, ...args: never[]) {
          const verdicts = (await verify.call(this, ...args)) as Verdict[];
          const { gaveUp } = this;
          this.gaveUp = false;
          return verdicts.map((verdict) => (gaveUp && verdict === "absent" ? "fenced" : verdict));
        } as Step;
      }),
    ];
    return () => undo.forEach((remove) => remove());
  },
};

const refusalInFlight: Bug = {
  name: "refusal from a state in flight",
  within: 100,
  plant: () =>
    replace(Activation.prototype, "confirm", () => {
      return function (
        this: AnyActivation,
        call: AnyCall,
        decision: { refusal?: string; data?: object; noop?: object },
      ) {
        this.unconfirmed.delete(call);
        if (decision.refusal !== undefined) call.fail(decision.refusal, decision.data);
        else call.answer({ noop: decision.noop });
        return Promise.resolve();
      } as Step;
    }),
};

const queueKept: Bug = {
  name: "queue kept after a fence",
  within: 600,
  plant: () =>
    replace(Writer.prototype, "drop", (drop) => {
      return function (this: { queue: object[] }, streams: never) {
        const { queue } = this;
        drop.call(this, streams);
        this.queue = queue;
      } as Step;
    }),
};

const flushUsedTwice: Bug = {
  name: "flush number used twice",
  within: 400,
  plant: () =>
    replace(Writer.prototype, "nextFlush", (next) => {
      return function (this: AnyWriter) {
        if (this.flush % 3 === 0) this.flush -= 1;
        return next.call(this);
      } as Step;
    }),
};

const noHoleFilling: Bug = {
  name: "no hole filling",
  within: 200,
  plant: () =>
    replace(Room.prototype, "offer", () => {
      return function (this: AnyRoom, event: StoredEvent) {
        if (event.seq > (this.ready.at(-1)?.seq ?? this.seq)) this.ready.push(event);
      } as Step;
    }),
};

const servedAfterLeaving: Bug = {
  name: "member served after leaving",
  within: 50,
  plant: () => replace(Room.prototype, "lose", () => () => undefined),
};

/** An end that is only decided counts as an end. */
const nextGenerationTooEarly: Bug = {
  name: "g+1 before the end of g is durable",
  within: 400,
  plant: () => {
    const ending = new Set<string>();
    const undo = [
      replace(ConversationBehaviour.prototype, "decide", (decide) => {
        return function (this: object, ...args: never[]) {
          const decision = decide.call(this, ...args) as { event?: StoredEvent };
          if (decision.event?.endsOpen !== undefined) ending.add(decision.event.endsOpen);
          return decision;
        } as Step;
      }),
      replace(ConversationStore.prototype, "nextKey", (nextKey) => {
        return async function (this: object, prefix: never) {
          const fact = (await nextKey.call(this, prefix)) as KeyFact;
          const held = generationBefore(fact.next);
          return ending.has(held) ? { next: fact.next } : fact;
        } as Step;
      }),
    ];
    return () => undo.forEach((remove) => remove());
  },
};

const staleHomeAnswers: Bug = {
  name: "a stale home's state taken for the head of the log",
  within: 400,
  plant: () => {
    const { read } = Activation.prototype;
    return replace(Activation.prototype, "readHead", () => read as unknown as Step);
  },
};

/** What a load finds beyond the snapshot is projected, and not published. */
const foundNotPublished: Bug = {
  name: "found beyond a snapshot, and not published",
  within: 200,
  plant: () =>
    replace(Projector.prototype, "repair", (repair) => {
      return function (this: { publishing: unknown }, ...args: never[]) {
        const { publishing } = this;
        this.publishing = undefined;
        repair.apply(this, args);
        this.publishing = publishing;
      } as Step;
    }),
};

const leaseTakenTooEarly: Bug = {
  name: "a lease taken before it expired",
  within: 100,
  plant: () => replace(StoreLeases.prototype, "isFree", () => () => true),
};

const nothingArmed: Bug = {
  name: "no timer armed before an event",
  within: 40,
  plant: () => replace(Arming.prototype, "before", () => () => undefined),
};

/** The event that a timer was armed for became durable after it fired. */
const lookedAtOnce: Bug = {
  name: "a timer looked at once",
  within: 200,
  plant: () =>
    replace(TimerStore.prototype, "keep", (keep) => {
      return function (this: object, id: string, dueAt: number, armedAt?: number) {
        return armedAt === undefined ? keep.apply(this, [id, dueAt] as never[]) : Promise.resolve();
      } as Step;
    }),
};

function generationBefore(key: string): string {
  const at = key.lastIndexOf("/") + 1;
  return key.slice(0, at) + String(Number(key.slice(at)) - 1).padStart(key.length - at, "0");
}

/** In deciding, storing and passing on. */
export const HEART_BUGS: readonly Bug[] = [
  answerBeforeDurable,
  noLookUpAfterReload,
  notThereIsAnAnswer,
  refusalInFlight,
  queueKept,
  flushUsedTwice,
  noHoleFilling,
  servedAfterLeaving,
  nextGenerationTooEarly,
  staleHomeAnswers,
  foundNotPublished,
  leaseTakenTooEarly,
  nothingArmed,
  lookedAtOnce,
];
