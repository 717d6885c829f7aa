import { isA, type StoredEvent } from "../../actors/conversation/conversation.events";
import type { Action, CommandParams, ConversationCommand } from "../../actors/conversation/conversation.commands";
import { DEFAULT_RULES, type SessionRules } from "../../actors/conversation/conversation.session-state";
import { WATERMARKS, type Watermark } from "../../actors/conversation/conversation.watermarks";
import { memberId } from "../../actors/conversation/conversation.store";
import { provideResources, resourcesOf } from "../../lib/resources";
import { MemoryStore } from "../../lib/store/memory";
import { callRoom } from "../../services/room/room.internal";
import SchedulerService from "../../services/scheduler/scheduler.service";
import { type TimerRow, TIMERS } from "../../services/timers";
import { type DeskNode, startDeskNode } from "../support/desk-node";
import { settle, VirtualClock } from "../support/virtual-clock";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** An effect is at most so late. */
const LATE_MS = 2 * SECOND;

describe("the timed life of a session", () => {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const rows = store.collection<TimerRow>(TIMERS);
  let desk: DeskNode;
  let sessions = 0;
  let commands = 0;

  beforeAll(async () => {
    desk = await startDeskNode(store, clock, (broker) => {
      provideResources(broker, { ...resourcesOf(broker), monotonic: () => clock.now() });
      broker.createService(SchedulerService);
    });
    await clock.advance(SECOND);
  });
  afterAll(async () => {
    const stopped = desk.stop();
    await clock.advance(10 * SECOND);
    await stopped;
  });

  /** Runs what waits for nothing but a little time. */
  async function done<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    const end = (): void => void (ended = true);
    work.then(end, end);
    for (await settle(); !ended; await settle()) await clock.advance(1);
    return work;
  }

  /** A session of carl's, with the rules of its topic. */
  class Session {
    readonly id = `session-${++sessions}`;

    static async open(rules: Partial<SessionRules>): Promise<Session> {
      const session = new Session();
      const desk = { headStart: { class: 0 }, rules: { ...DEFAULT_RULES, ...rules } };
      await session.does("carl", "open", { topic: session.id, urgency: "normal", desk });
      return session;
    }

    does<A extends Action>(by: string, action: A, params: CommandParams[A]): Promise<unknown> {
      const head = {
        by,
        commandId: `command-${++commands}`,
        request: action,
        deadline: Infinity,
        supervises: by === "sue",
      };
      const command = { ...head, action, params } as ConversationCommand;
      return done(callRoom(desk.broker, "room.command", { conversationId: this.id, command }));
    }

    says(by: string): Promise<unknown> {
      return this.does(by, "send", { text: "hello" });
    }

    events(): Promise<StoredEvent[]> {
      return desk.events.find({ conversationId: this.id }, { sort: { seq: 1 } });
    }

    /** What time has done, and when, in milliseconds after the session was opened. */
    async effects(): Promise<Array<readonly [string, number]>> {
      const events = await this.events();
      const openedAt = events[0]?.at ?? 0;
      return events.flatMap(({ type, by, at }) => (by === "system" ? [[type, at - openedAt] as const] : []));
    }

    /** Times as `effects` has them: each was met, and nothing else happened. */
    async expectEffects(...expected: Array<readonly [string, number]>): Promise<void> {
      const effects = await this.effects();
      expect(effects.map(([type]) => type)).toEqual(expected.map(([type]) => type));
      effects.forEach(([, at], i) => {
        const dueAt = expected[i]?.[1] ?? 0;
        expect(at).toBeGreaterThanOrEqual(dueAt);
        expect(at).toBeLessThan(dueAt + LATE_MS);
      });
    }

    async closeReason(): Promise<string | undefined> {
      const last = (await this.events()).find((event) => event.type === "session.closed");
      return last && isA(last, "session.closed") ? last.data.reason : undefined;
    }
  }

  it("ends after a silence, also one in which nobody ever spoke", async () => {
    const silent = await Session.open({ expireMs: 2 * MINUTE });
    const heard = await Session.open({ expireMs: 2 * MINUTE });
    await clock.advance(MINUTE);
    await heard.says("carl");
    await clock.advance(2 * MINUTE - 5 * SECOND);
    await silent.expectEffects(["session.closed", 2 * MINUTE]);
    await heard.expectEffects();
    await clock.advance(2 * MINUTE);
    await heard.expectEffects(["session.closed", 3 * MINUTE]);
    expect(await heard.closeReason()).toBe("expired");
  });

  it("has a warning after each silence, once", async () => {
    const session = await Session.open({ warnMs: MINUTE });
    await clock.advance(5 * MINUTE);
    await session.expectEffects(["session.warned", MINUTE]);
    await session.says("carl");
    await clock.advance(5 * MINUTE);
    await session.expectEffects(["session.warned", MINUTE], ["session.warned", 6 * MINUTE]);
  });

  it("takes it from an agent who does not attend to it, each time", async () => {
    const session = await Session.open({ attendMs: 30 * SECOND });
    for (const agent of ["ada", "ben"]) {
      await session.does(agent, "claim", {});
      await clock.advance(30 * SECOND + LATE_MS);
    }
    await session.expectEffects(["session.returned", 30 * SECOND], ["session.returned", 60 * SECOND + LATE_MS]);
    await session.does("ada", "claim", {});
    await session.says("ada");
    await clock.advance(5 * MINUTE);
    expect(await session.effects()).toHaveLength(2);
  });

  it("leaves it with an agent who has read it", async () => {
    const session = await Session.open({ attendMs: 30 * SECOND });
    await session.does("ada", "claim", {});
    const watermarks = store.collection<Watermark>(WATERMARKS);
    const _id = memberId(session.id, "ada");
    await watermarks.insertMany([{ _id, conversationId: session.id, userId: "ada", readSeq: 2, deliveredSeq: 2 }]);
    await clock.advance(5 * MINUTE);
    await session.expectEffects(["session.attended", 30 * SECOND]);
  });

  it("goes back to who handed it on when it is not taken up", async () => {
    const session = await Session.open({ acceptMs: 20 * SECOND, attendMs: 10 * MINUTE });
    await session.does("ada", "claim", {});
    await session.says("ada");
    await session.does("ada", "transfer", { to: { agentId: "ben" } });
    await clock.advance(11 * MINUTE);
    await session.expectEffects(["session.bounced", 20 * SECOND]);
    expect((await session.events()).at(-1)?.session?.agentId).toBe("ada");
  });

  it("lives by the rules of the topic that it was transferred to, from then on", async () => {
    const session = await Session.open({});
    await session.does("ada", "claim", {});
    await clock.advance(10 * MINUTE);
    const desk = { headStart: { class: 0 }, rules: { ...DEFAULT_RULES, expireMs: 5 * MINUTE } };
    await session.does("ada", "transfer", { to: { topic: `${session.id}-other` }, desk });
    await clock.advance(3 * SECOND);
    await session.expectEffects(["session.closed", 10 * MINUTE]);
  });

  it("begins again when it is reopened", async () => {
    const session = await Session.open({ expireMs: MINUTE });
    await session.does("carl", "close", {});
    await clock.advance(10 * MINUTE);
    await session.expectEffects();
    await session.does("carl", "reopen", {});
    await clock.advance(MINUTE + LATE_MS);
    await session.expectEffects(["session.closed", 11 * MINUTE]);
  });

  it("is closing after 30 days and ended after 90, though nobody was up when the time came", async () => {
    const session = await Session.open({});
    clock.skip(30 * DAY - MINUTE);
    await clock.advance(2 * MINUTE);
    await session.expectEffects(["session.closing", 30 * DAY]);
    clock.skip(70 * DAY);
    await clock.advance(30 * SECOND);
    const effects = await session.effects();
    expect(effects.map(([type]) => type)).toEqual(["session.closing", "session.closed"]);
    expect(await session.closeReason()).toBe("no-show");
  });

  it("has every effect that came due in an outage once, in its order", async () => {
    const session = await Session.open({ warnMs: MINUTE, attendMs: MINUTE, expireMs: 60 * DAY });
    await session.does("ada", "claim", {});
    clock.skip(100 * DAY);
    await clock.advance(MINUTE);
    const types = (await session.effects()).map(([type]) => type);
    expect(types).toEqual(["session.returned", "session.warned", "session.closing", "session.closed"]);
    expect(await session.closeReason()).toBe("expired");
  });

  it("leaves nothing to be looked at once all are over", async () => {
    clock.skip(200 * DAY);
    for (let i = 0; i < 20 && (await rows.count({}, 1)) > 0; i++) await clock.advance(MINUTE);
    expect(await rows.find({})).toEqual([]);
    expect(
      await desk.conversations.count({ "session.status": { $in: ["assigned", "unassigned", "closing"] } }, 1),
    ).toBe(0);
  });
});
