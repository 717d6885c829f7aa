import { FailureSeries } from "../../../lib/failure-series";

describe("a series of failures", () => {
  it("is told when it begins, with its first error, and when it has ended", () => {
    const lines: unknown[][] = [];
    const warn = (...line: unknown[]) => void lines.push(line);
    const series = new FailureSeries({ warn }, { begins: "presence cannot be kept", ends: "presence is kept again" });
    const first = new Error("first");
    series.worked();
    for (const error of [first, new Error("second")]) series.failed(error);
    for (let n = 0; n < 2; n++) series.worked();
    expect(lines).toEqual([["presence cannot be kept", { error: first }], ["presence is kept again"]]);
    series.failed(first);
    expect(lines).toHaveLength(3);
  });
});
