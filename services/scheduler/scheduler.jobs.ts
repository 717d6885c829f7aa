import type { ServiceBroker } from "moleculer";
import { OutboxDelivery } from "../../lib/outbox/delivery";
import { OutboxStore } from "../../lib/outbox/outbox.store";
import { resourcesOf } from "../../lib/resources";
import type { Job } from "../../lib/scheduling/job";
import { callAgents } from "../agents/agents.internal";
import { callAuth } from "../auth/auth.internal";
import { callPresence } from "../presence/presence.internal";
import { publishersOf } from "../publishers";
import { callRoom } from "../room/room.internal";
import type { RepairCursors } from "../room/snapshot-repair";
import { FIRST } from "../statistics/audit/desk-audit";
import { callStatistics } from "../statistics/statistics.internal";
import { auditCounters, deliveryProbe, repairCounter } from "./scheduler.metrics";
import { timersJob } from "./timers.job";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** The one table of jobs. Each may be done twice, by two nodes at once: the lease only saves work. */
export const jobsOf = (broker: ServiceBroker): readonly Job[] => [
  timersJob(broker),
  ...outboxJobs(broker),
  ...sweeps(broker),
  deskAudit(broker),
];

/** The job that delivers a publisher's rows. */
export const deliveryJob = (publisher: string): string => `outbox.${publisher}`;

function outboxJobs(broker: ServiceBroker): Job[] {
  const { store, clock, random } = resourcesOf(broker);
  const publishers = publishersOf(broker);
  if (publishers.length === 0) return [];
  const rows = new OutboxStore(store);
  const deliveries = publishers.map(
    (publisher) => new OutboxDelivery({ publisher, rows, clock, random, probe: deliveryProbe(broker, publisher.name) }),
  );
  const deliver = publishers.map(({ name }, i): Job => ({
    name: deliveryJob(name),
    schedule: { everyMs: SECOND },
    limitMs: MINUTE,
    run: async (turn) => deliveries[i]?.run(turn),
  }));
  const clean: Job = {
    name: "outbox.clean",
    schedule: { cron: "17 * * * *", jitterMs: MINUTE },
    limitMs: 10 * MINUTE,
    run: async (turn) => {
      for (const delivery of deliveries) await delivery.clean(turn);
    },
  };
  return [...deliver, clean];
}

function sweeps(broker: ServiceBroker): Job[] {
  let cursors: RepairCursors = { event: "", conversation: "" };
  const repaired = repairCounter(broker);
  return [
    {
      name: "marks.sweep",
      schedule: { everyMs: 10 * SECOND },
      limitMs: 5 * MINUTE,
      run: async () => void (await callRoom(broker, "room.sweep", { of: "marks" }, { timeout: 5 * MINUTE })),
    },
    {
      name: "presence.sweep",
      schedule: { everyMs: 5 * SECOND },
      limitMs: MINUTE,
      run: async () => void (await callPresence(broker, "presence.sweep", {}, { timeout: MINUTE })),
    },
    {
      name: "agents.watch",
      schedule: { everyMs: 2 * SECOND },
      limitMs: MINUTE,
      run: async () => void (await callAgents(broker, "agents.watch", {}, { timeout: MINUTE })),
    },
    {
      name: "sessions.assign",
      schedule: { everyMs: 2 * SECOND },
      limitMs: MINUTE,
      run: async () => void (await callAgents(broker, "agents.push", {}, { timeout: MINUTE })),
    },
    {
      name: "snapshots.repair",
      schedule: { everyMs: 5 * SECOND, jitterMs: SECOND },
      limitMs: MINUTE,
      run: async () => {
        const { event, conversation, ...answer } = await callRoom(broker, "room.repair", cursors, { timeout: MINUTE });
        cursors = { event, conversation };
        repaired.value += answer.repaired;
      },
    },
    {
      name: "auth.purge",
      schedule: { cron: "47 * * * *", jitterMs: MINUTE },
      limitMs: 10 * MINUTE,
      run: async () => void (await callAuth(broker, "auth.purge", {}, { timeout: 10 * MINUTE })),
    },
  ];
}

function deskAudit(broker: ServiceBroker): Job {
  let cursors = FIRST;
  const count = auditCounters(broker);
  return {
    name: "desk.audit",
    schedule: { everyMs: MINUTE, jitterMs: 5 * SECOND },
    limitMs: 5 * MINUTE,
    run: async () => {
      const answer = await callStatistics(broker, "statistics.audit", { cursors }, { timeout: 5 * MINUTE });
      cursors = answer.cursors;
      count(answer.findings);
    },
  };
}
