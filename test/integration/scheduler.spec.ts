import type { OutboxRow } from "../../lib/outbox/outbox.store";
import { systemClock } from "../../lib/actor/ports";
import { MemoryStore } from "../../lib/store/memory";
import { call } from "../../services/call";
import { PUBLISHERS } from "../../services/publishers";
import { callScheduler } from "../../services/scheduler/scheduler.internal";
import SchedulerService from "../../services/scheduler/scheduler.service";
import { startDeskNode } from "../support/desk-node";
import { startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

/** Once an hour, or a day. */
const RARE = ["auth.purge", "outbox.clean"];

describe("the scheduler of a node that is alone", () => {
  it("runs every sweep, and fails none", async () => {
    const node = await startSocketNode();
    const jobs = await until("each has had its turn", async () => {
      const { jobs: known } = await callScheduler(node.broker, "scheduler.jobs", {});
      const frequent = known.filter(({ name }) => !RARE.includes(name));
      return frequent.every(({ lastSucceeded }) => lastSucceeded !== undefined) && known;
    });
    expect(jobs.map(({ name, failures }) => [name, failures])).toEqual([
      ["timers.due", 0],
      ["outbox.classifier", 0],
      ["outbox.statistics", 0],
      ["outbox.clean", 0],
      ["marks.sweep", 0],
      ["presence.sweep", 0],
      ["agents.watch", 0],
      ["sessions.assign", 0],
      ["snapshots.repair", 0],
      ["auth.purge", 0],
      ["desk.audit", 0],
    ]);
    expect(jobs.find(({ name }) => name === "auth.purge")?.dueAt).toBeGreaterThan(Date.now());
    await node.stop();
  });
});

describe("a publisher", () => {
  const customer = { id: "ada", roles: ["customer" as const], guest: false, family: "ada" };

  it("is told of what it wants, in order, right after it was said and again until it takes it", async () => {
    const received: string[] = [];
    let refuse = 1;
    const deliver = ({ payload }: OutboxRow): Promise<void> => {
      if (refuse-- > 0) return Promise.reject(new Error("busy"));
      received.push((payload as { text: string }).text);
      return Promise.resolve();
    };
    PUBLISHERS.push(() => ({
      name: "hook",
      wants: ({ type, data }) => (type === "message.created" ? data : undefined),
      deliver,
    }));
    const desk = await startDeskNode(new MemoryStore(), systemClock, (broker) => {
      broker.createService(SchedulerService);
    });
    const conversationId = await desk.open("ada");
    const options = { meta: { user: customer } };
    for (const text of ["one", "two", "three"])
      await call(desk.broker, "message.send", { conversationId, commandId: text, text }, options);
    await until("all are told", () => received.length === 3);
    expect(received).toEqual(["one", "two", "three"]);
    PUBLISHERS.pop();
    await desk.stop();
  });
});
