import { sideBySide } from "../../../lib/side-by-side";

describe("work done side by side", () => {
  it("takes the items in their order, at most so many at a time", async () => {
    const taken: number[] = [];
    let running = 0;
    let most = 0;
    await sideBySide([1, 2, 3, 4, 5], 2, async (item) => {
      taken.push(item);
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    });
    expect(taken).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });

  it("does the others when one fails, and then says so", async () => {
    const done: number[] = [];
    const work = sideBySide([1, 2, 3], 2, async (item) => {
      await new Promise(setImmediate);
      if (item === 1) throw new Error("one");
      done.push(item);
    });
    await expect(work).rejects.toThrow("one");
    expect(done).toEqual([2, 3]);
  });
});
