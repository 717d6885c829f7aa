import { TypingState } from "../../../services/io/typing";

describe("typing", () => {
  let now = 0;
  const clock = { now: () => now };
  const socket = {};
  const at = (conversationId: string) => ({ conversationId });
  let state: TypingState;
  beforeEach(() => {
    now = 0;
    state = new TypingState(clock);
  });

  it("is news when it begins and when it stops, whatever the time between", () => {
    expect(state.isNews(socket, at("c"), true)).toBe(true);
    expect(state.isNews(socket, at("c"), false)).toBe(true);
    expect(state.isNews(socket, at("c"), true)).toBe(true);
  });

  it("is not news again within a second, nor is stopping what never began", () => {
    expect(state.isNews(socket, at("c"), false)).toBe(false);
    state.isNews(socket, at("c"), true);
    now = 999;
    expect(state.isNews(socket, at("c"), true)).toBe(false);
    now = 1_000;
    expect(state.isNews(socket, at("c"), true)).toBe(true);
  });

  it("remembers where a socket was typing until it goes", () => {
    state.isNews(socket, at("a"), true);
    state.isNews(socket, at("b"), true);
    state.isNews(socket, at("a"), false);
    expect(state.forget(socket)).toEqual([at("b")]);
    expect(state.forget(socket)).toEqual([]);
  });

  it("for the staff is told apart from that for every member", () => {
    const place = { conversationId: "c", audience: "staff" } as const;
    expect(state.isNews(socket, at("c"), true)).toBe(true);
    expect(state.isNews(socket, place, true)).toBe(true);
    expect(state.forget(socket)).toEqual([at("c"), place]);
  });

  it("remembers a bounded number of conversations", () => {
    for (let n = 0; n < 1_000; n++) state.isNews(socket, at(`c${n}`), true);
    expect(state.forget(socket).length).toBeLessThanOrEqual(50);
  });
});
