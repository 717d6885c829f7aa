import { SlowNodes } from "../../../lib/slow-nodes";

describe("a node that did not answer", () => {
  let now = 0;
  let slow: SlowNodes;
  beforeEach(() => {
    now = 0;
    slow = new SlowNodes({ now: () => now });
  });

  it("is slow for three seconds, and no other one is", async () => {
    await expect(slow.watch("a", Promise.reject(new Error("timeout")))).rejects.toThrow("timeout");
    expect(await slow.watch("b", Promise.resolve(7))).toBe(7);
    expect([slow.has("a"), slow.has("b")]).toEqual([true, false]);
    now = 3_000;
    expect(slow.has("a")).toBe(false);
  });

  it("is another one when it comes back", async () => {
    await slow.watch("a", Promise.reject(new Error("timeout"))).catch(() => undefined);
    slow.forget("a");
    expect(slow.has("a")).toBe(false);
  });
});
