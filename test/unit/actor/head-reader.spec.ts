import { HeadReader } from "../../../lib/actor/head-reader";
import { FakeLog } from "../../support/fake-log";
import { SeededRandom, settle, VirtualClock } from "../../support/virtual-clock";
import { type Entry, entry } from "./rig";

function rig() {
  const log = new FakeLog<Entry>();
  const clock = new VirtualClock();
  const reader = new HeadReader(log, clock, new SeededRandom("heads"));
  const answers: Array<{ stream: string; head: number; known: string | undefined }> = [];
  const ask = (stream: string, commandId = "none"): void => {
    void reader
      .confirm({ stream, by: "ann", commandId })
      .then(({ head, known }) => answers.push({ stream, head, known: known?._id }));
  };
  return { log, clock, answers, ask };
}

describe("the head reader", () => {
  it("has one read in flight, and answers many questions with one", async () => {
    const { log, answers, ask } = rig();
    const held = log.hold("heads");
    ask("a");
    await settle();
    for (let i = 0; i < 50; i++) ask(`b${i}`);
    await settle();
    expect([log.calls.heads, answers.length]).toEqual([1, 0]);
    held.proceed();
    await settle();

    expect([log.calls.heads, answers.length]).toEqual([2, 51]);
  });

  it("answers no question from a read that had begun before it", async () => {
    const { log, answers, ask } = rig();
    const held = log.hold("heads");
    ask("a");
    await settle();
    // The first read has seen an empty log; it answers after another home has written.
    held.land();
    log.write(entry("a", 1));
    ask("a");
    held.proceed();
    await settle();

    expect(answers.map(({ head }) => head)).toEqual([0, 1]);
  });

  it("tells of the event that the command has made", async () => {
    const { log, answers, ask } = rig();
    log.write(entry("a", 1, { by: "ann", commandId: "c1" }));
    ask("a", "c1");
    ask("a", "c2");
    await settle();

    expect(answers).toEqual([
      { stream: "a", head: 1, known: "other-a-1" },
      { stream: "a", head: 1, known: undefined },
    ]);
  });

  it("tries again while the store does not answer", async () => {
    const { log, clock, answers, ask } = rig();
    log.failNext("heads", 3);
    log.failNext("commands", 2);
    ask("a");
    await settle();
    ask("b");
    await clock.advance(500);

    expect(answers.map(({ stream }) => stream)).toEqual(["a", "b"]);
  });
});
