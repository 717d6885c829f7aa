import fc from "fast-check";
import { Type } from "@sinclair/typebox";
import { isParleyError } from "../../lib/errors";
import { type FieldProblem, validatorOf } from "../../lib/schema";

const schema = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 8 }),
  count: Type.Optional(Type.Integer({ minimum: 0, maximum: 10, default: 5 })),
  to: Type.Optional(
    Type.Object({ a: Type.Optional(Type.String()), b: Type.Optional(Type.String()) }, { maxProperties: 1 }),
  ),
  items: Type.Optional(Type.Array(Type.Object({ url: Type.String({ format: "uri" }) }), { maxItems: 3 })),
  cursors: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 0 }), { maxProperties: 3 })),
});
const validate = validatorOf(schema);

function problems(value: unknown): readonly FieldProblem[] {
  try {
    validate(value);
  } catch (error) {
    if (isParleyError(error) && error.type === "VALIDATION") return error.data?.fields as FieldProblem[];
    throw error;
  }
  return [];
}

describe("validator", () => {
  it("returns the very object when it has nothing to change", () => {
    const value = { id: "x", count: 1, to: { a: "1" }, items: [{ url: "https://a.org" }], cursors: { c: 1 } };
    expect(validate(value)).toBe(value);
  });

  it("removes unknown fields at every depth without changing what it was given", () => {
    const value = Object.freeze({ id: "x", admin: true, to: Object.freeze({ a: "1", b2: 2 }), count: 1 });
    expect(validate(value)).toEqual({ id: "x", to: { a: "1" }, count: 1 });
  });

  it("removes unknown fields before it counts them", () => {
    expect(validate({ id: "x", to: { a: "1", extra: 1, more: 2 } })).toEqual({ id: "x", to: { a: "1" }, count: 5 });
  });

  it("fills in defaults", () => {
    expect(validate({ id: "x" })).toEqual({ id: "x", count: 5 });
  });

  it("treats prototype keys as unknown fields", () => {
    const value = JSON.parse(
      '{"id":"x","__proto__":{"admin":true},"constructor":1,"cursors":{"__proto__":1}}',
    ) as object;
    const result = validate(value);
    expect(result).toEqual({ id: "x", count: 5, cursors: {} });
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it("drops record keys that escape the key pattern", () => {
    expect(validate({ id: "x", count: 1, cursors: { "a\nb": { $gt: 0 }, ok: 2 } }).cursors).toEqual({ ok: 2 });
  });

  it.each([
    [{ id: 5 }, "id"],
    [{ id: { $gt: "" } }, "id"],
    [{ id: ["x"] }, "id"],
    [{ id: null }, "id"],
    [{ id: "x", count: "3" }, "count"],
    [{ id: "x", count: 1.5 }, "count"],
    [{ id: "x", count: Number.NaN }, "count"],
    [{ id: "x", items: { 0: { url: "https://a.org" } } }, "items"],
    [{ id: "x", cursors: { secret: "y" } }, "cursors.*"],
    [{ id: "x", items: [{}] }, "items.0.url"],
    [{}, "id"],
    [undefined, "id"],
    [[], ""],
    ["text", ""],
    [7, ""],
  ])("refuses %j and names the field", (value, field) => {
    expect(problems(value).map((problem) => problem.field)).toEqual([field]);
  });

  it("names each wrong field once", () => {
    expect(problems({ id: 1, count: "x", items: 3 }).map(({ field }) => field)).toEqual(["id", "count", "items"]);
  });

  it("never repeats what was sent", () => {
    const sent = { id: "hunter2-hunter2", cursors: { "hunter2-key": "hunter2" }, items: [{ url: "hunter2" }] };
    expect(JSON.stringify(problems(sent))).not.toContain("hunter2");
  });

  it("takes the length of a text from the setting that the schema names", () => {
    const text = Type.Object({ text: Type.String({ maxLength: 5, "x-limit": "LONGEST" }) });
    expect(validatorOf(text, { LONGEST: 8 })({ text: "12345678" })).toEqual({ text: "12345678" });
    expect(() => validatorOf(text)({ text: "12345678" })).toThrow();
  });

  it("lets nothing through that is not of the schema, and throws nothing but VALIDATION", () => {
    const field = fc.oneof(
      fc.jsonValue(),
      fc.string({ maxLength: 9 }),
      fc.integer({ min: -2, max: 12 }),
      fc.dictionary(fc.string(), fc.integer()),
    );
    const request = fc.record(
      {
        id: field,
        count: field,
        to: field,
        items: fc.array(fc.record({ url: fc.webUrl() })),
        cursors: field,
        extra: field,
      },
      { requiredKeys: [] },
    );
    const strict = validatorOf(schema);
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), request), (value) => {
        if (problems(value).length > 0) return;
        const result = validate(value);
        expect(Object.keys(result).every((key) => key in schema.properties)).toBe(true);
        expect(typeof result.id).toBe("string");
        expect(Number.isInteger(result.count)).toBe(true);
        expect(strict(result)).toBe(result);
      }),
      { numRuns: 1_000 },
    );
  });
});
