import { awaitAnswers } from "../../../lib/prerequisites";
import { VirtualClock } from "../../support/virtual-clock";

describe("waiting for what must answer", () => {
  /** Waits for a server that gives these answers one after the other; the last one for ever. */
  const wait = (answers: readonly string[]) => {
    const clock = new VirtualClock();
    const lines: string[] = [];
    const state = { wanted: true, over: false, asked: 0 };
    const ask = async (): Promise<void> => {
      const answer = answers[Math.min(state.asked++, answers.length - 1)];
      if (answer === "silence") return new Promise(() => undefined);
      if (answer !== "yes") throw new Error(answer);
    };
    void awaitAnswers([{ name: "NATS", ask }], {
      clock,
      wanted: () => state.wanted,
      onWaiting: (name, reason) => void lines.push(`${name}: ${reason}`),
      onAnswer: (name) => void lines.push(`${name} answers`),
    }).then(() => (state.over = true));
    return { clock, lines, state };
  };

  it("says nothing of what answers at once", async () => {
    const { clock, lines, state } = wait(["yes"]);
    await clock.advance(0);
    expect([state.over, lines]).toEqual([true, []]);
  });

  it("tells each reason once, and what answers at last", async () => {
    const { clock, lines, state } = wait(["refused", "refused", "no password", "yes"]);
    await clock.advance(2_000);
    expect(state.over).toBe(true);
    expect(lines).toEqual(["NATS: refused", "NATS: no password", "NATS answers"]);
  });

  it("goes on for as long as it takes, and repeats the reason every half minute", async () => {
    const { clock, lines, state } = wait(["refused"]);
    await clock.advance(61_000);
    expect([state.over, lines.length]).toEqual([false, 3]);
  });

  it("does not wait for an answer that never comes, and ends when nobody wants it any more", async () => {
    const { clock, lines, state } = wait(["silence"]);
    await clock.advance(20_000);
    expect(lines).toEqual(["NATS: no answer"]);
    state.wanted = false;
    await clock.advance(10_000);
    expect(state.over).toBe(true);
  });
});
