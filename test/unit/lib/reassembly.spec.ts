import fc from "fast-check";
import { Reassembly } from "../../../lib/reassembly";

const cut = (data: Buffer, parts: number): Buffer[] => {
  const size = Math.ceil(data.length / parts);
  return Array.from({ length: parts }, (_, part) => data.subarray(part * size, (part + 1) * size));
};

describe("reassembly of packets", () => {
  it("gives each packet back whole, in whatever order the parts come, and once", () => {
    const packets = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 5 })), {
      maxLength: 10,
    });
    const order = fc.infiniteStream(fc.nat());
    fc.assert(
      fc.property(packets, order, (list, draws) => {
        const all = list.flatMap(([bytes, parts], id) =>
          cut(Buffer.from(bytes), parts).map((data, part) => ({ id, part, parts, data })),
        );
        const whole = new Map<number, Buffer>();
        const reassembly = new Reassembly();
        while (all.length > 0) {
          const [next] = all.splice((draws.next().value ?? 0) % all.length, 1);
          if (!next) break;
          const packet = reassembly.add(String(next.id), next.part, next.parts, next.data);
          if (packet) whole.set(next.id, packet);
        }
        expect(whole.size).toBe(list.length);
        for (const [id, packet] of whole) expect([...packet]).toEqual([...(list[id]?.[0] ?? [])]);
      }),
    );
  });

  it("ignores a part that comes twice", () => {
    const reassembly = new Reassembly();
    reassembly.add("a", 0, 2, Buffer.from("x"));
    expect(reassembly.add("a", 0, 2, Buffer.from("x"))).toBeUndefined();
    expect(reassembly.add("a", 1, 2, Buffer.from("y"))?.toString()).toBe("xy");
  });

  it("refuses parts that cannot belong to a packet", () => {
    const reassembly = new Reassembly();
    for (const [part, parts] of [
      [0, 1e9],
      [-1, 2],
      [2, 2],
      [Number.NaN, 2],
      [0, Number.NaN],
    ] as const)
      expect(reassembly.add("a", part, parts, Buffer.from("x"))).toBeUndefined();
  });

  it("forgets the oldest incomplete packet when too many are", () => {
    const reassembly = new Reassembly();
    for (let id = 0; id <= 101; id++) reassembly.add(String(id), 0, 2, Buffer.from("x"));
    expect(reassembly.add("0", 1, 2, Buffer.from("y"))).toBeUndefined();
    expect(reassembly.add("101", 1, 2, Buffer.from("y"))?.toString()).toBe("xy");
  });
});
