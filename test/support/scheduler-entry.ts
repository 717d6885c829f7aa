import { CONVERSATIONS, type Snapshot } from "../../actors/conversation/conversation.store";
import { createNode } from "../../lib/node";
import { resourcesOf } from "../../lib/resources";
import { DueScan, timerCommandId } from "../../lib/scheduling/due-scan";
import type { Job } from "../../lib/scheduling/job";
import { SYSTEM } from "../../services/auth/principal";
import { call } from "../../services/call";
import { addJob } from "../../services/scheduler/scheduler.jobs";
import "./publisher-entry";

/**
 * A scheduler node with one more job: sessions that nobody has taken for TEST_IDLE_MS are closed. It tells each command
 * before it is given: `gives <session> <command>`.
 */
async function main(): Promise<void> {
  const node = await createNode({ env: process.env });
  addJob(node.broker, idleJob());
  const stop = (): void => void node.stop().then(() => process.exit(0));
  process.on("SIGTERM", stop);
  await node.start();
  process.stdout.write("Parley is ready: a scheduler with a test's job\n");

  function idleJob(): Job {
    const { store, clock, monotonic } = resourcesOf(node.broker);
    const scan = new DueScan<Snapshot>({
      collection: store.collection<Snapshot>(CONVERSATIONS),
      field: "session.openedAt",
      where: { "session.status": "unassigned" },
      afterMs: Number(process.env["TEST_IDLE_MS"]),
      clock,
      monotonic,
      act: ({ _id }, dueAt) => close(_id, timerCommandId("test", dueAt)),
    });
    return { name: "idle", schedule: { everyMs: 250 }, limitMs: 30_000, run: (turn) => scan.run(turn) };
  }

  async function close(sessionId: string, commandId: string): Promise<void> {
    process.stdout.write(`gives ${sessionId} ${commandId}\n`);
    await call(node.broker, "session.close", { sessionId, commandId }, { meta: { user: SYSTEM } });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
