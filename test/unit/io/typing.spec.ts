import { TypingState } from "../../../services/io/typing";

describe("typing", () => {
  let now = 0;
  const clock = { now: () => now };
  const socket = {};
  let state: TypingState;
  beforeEach(() => {
    now = 0;
    state = new TypingState(clock);
  });

  it("is news when it begins and when it stops, whatever the time between", () => {
    expect(state.isNews(socket, "c", true)).toBe(true);
    expect(state.isNews(socket, "c", false)).toBe(true);
    expect(state.isNews(socket, "c", true)).toBe(true);
  });

  it("is not news again within a second, nor is stopping what never began", () => {
    expect(state.isNews(socket, "c", false)).toBe(false);
    state.isNews(socket, "c", true);
    now = 999;
    expect(state.isNews(socket, "c", true)).toBe(false);
    now = 1_000;
    expect(state.isNews(socket, "c", true)).toBe(true);
  });

  it("remembers where a socket was typing until it goes", () => {
    state.isNews(socket, "a", true);
    state.isNews(socket, "b", true);
    state.isNews(socket, "a", false);
    expect(state.forget(socket)).toEqual(["b"]);
    expect(state.forget(socket)).toEqual([]);
  });

  it("remembers a bounded number of conversations", () => {
    for (let n = 0; n < 1_000; n++) state.isNews(socket, `c${n}`, true);
    expect(state.forget(socket).length).toBeLessThanOrEqual(50);
  });
});
