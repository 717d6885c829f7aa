import type { StoredEvent } from "../../actors/conversation/conversation.events";
import { type Attempt, Commands, type Send } from "./commands";
import type { Request } from "./messages";

const asked = { conversationId: "c", commandId: "k", by: "ada" };
const request: Request = { ...asked, supervises: false, action: "send", params: { text: "hello" } };
const event = { ...asked, _id: "a-1", incarnation: "a" } as StoredEvent;

/** One command, and what the rule says against what became of it. */
class Rig {
  readonly faults: string[] = [];
  readonly commands = new Commands((fault) => this.faults.push(fault));

  asks = (): Attempt => this.commands.asks(request, 0, 0);
  store = (): void => this.commands.committed(event);
  deny = (attempt: Attempt): void => this.commands.denied(attempt, "UNAVAILABLE");

  /** The message arrives at a node. */
  arrives(send: Send, incarnation = "a"): (wroteNothing: boolean) => void {
    send.deliveries += 1;
    return this.commands.runs(asked, incarnation, send);
  }
}

describe("a command in the log", () => {
  let rig: Rig;
  let attempt: Attempt;

  beforeEach(() => {
    rig = new Rig();
    attempt = rig.asks();
  });

  it("may be that of a run without an answer", () => {
    rig.arrives(attempt.send());
    rig.store();
    expect(rig.faults).toEqual([]);
  });

  it("is there once", () => {
    rig.arrives(attempt.send());
    rig.store();
    rig.store();
    expect(rig.faults).toEqual(["c ada k is there twice"]);
  });

  it.each(["before", "after"])(
    "is not there when every run at its node said that it wrote nothing, %s it was",
    (when) => {
      const answer = rig.arrives(attempt.send());
      rig.arrives(attempt.send(), "b");
      if (when === "before") answer(true);
      rig.store();
      if (when === "after") answer(true);
      expect(rig.faults).toEqual(["c ada k is there, but a said that it wrote nothing"]);
    },
  );

  it("is not there when whoever asked was told so, also of an earlier message", () => {
    rig.arrives(attempt.send());
    rig.arrives(attempt.send(), "b")(true);
    rig.store();
    rig.deny(attempt);
    expect(rig.faults).toEqual(["c ada k is there, but was answered with UNAVAILABLE"]);
  });

  it("may be that of another attempt, of which nobody was told anything", () => {
    rig.arrives(attempt.send())(true);
    rig.deny(attempt);
    rig.arrives(rig.asks().send());
    rig.store();
    expect(rig.faults).toEqual([]);
  });

  it("may be that of the second run of a message that was doubled, and of no other", () => {
    const doubled = attempt.send();
    rig.arrives(doubled)(true);
    rig.deny(attempt);
    const second = rig.arrives(doubled);
    rig.store();
    expect(rig.faults).toEqual([]);
    second(true);
    expect(rig.faults).toHaveLength(1);
  });
});
