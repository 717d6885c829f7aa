import type { TSchema } from "@sinclair/typebox";
import fc, { type Arbitrary } from "fast-check";

/** Real values for fields by name, mixed in so that requests also reach what exists. */
export type Known = Readonly<Record<string, readonly unknown[]>>;

const MAX_TEXT = 300;
const MAX_ITEMS = 5;

/** Values that satisfy a schema. Only the keywords that the contracts use; another one throws. */
export function valid(schema: TSchema, known: Known = {}): Arbitrary<unknown> {
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...(schema["enum"] as unknown[]));
  switch (schema["type"]) {
    case "object":
      return object(schema, known);
    case "array":
      return array(schema, known);
    case "string":
      return string(schema);
    case "integer":
      return fc.integer({ min: numberOf(schema, "minimum", 0), max: Math.min(numberOf(schema, "maximum", 1e6), 1e6) });
    case "boolean":
      return fc.boolean();
    default:
      throw new TypeError(`no arbitrary for ${JSON.stringify(schema)}`);
  }
}

/** A valid value with one field, somewhere, replaced by anything, or with a stray field. */
export function broken(schema: TSchema, known: Known = {}): Arbitrary<unknown> {
  const names = Object.keys((schema["properties"] as object | undefined) ?? {});
  const base = valid(schema, known) as Arbitrary<Record<string, unknown>>;
  const name = fc.constantFrom(...names, "__proto__", "constructor", "user", "$where");
  return fc.oneof(
    { weight: 8, arbitrary: fc.tuple(base, name, hostile).map(([value, field, junk]) => put(value, field, junk)) },
    { weight: 1, arbitrary: hostile },
  );
}

/** What strangers send: operators, prototypes, wrong types, extremes. */
export const hostile: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    { $gt: "" },
    { $ne: null },
    { $in: [""] },
    { $where: "1" },
    { $regex: ".*" },
    [{ $gt: 0 }],
    JSON.parse('{"__proto__":{"polluted":true}}'),
    JSON.parse('{"constructor":{"prototype":{"polluted":true}}}'),
    null,
    "",
    " ",
    "\u0000",
    "\ud800",
    "'; DROP TABLE events; --",
    "../../etc/passwd",
    "__proto__",
    "x".repeat(9_000),
    -1,
    0.5,
    1e308,
    Number.MAX_SAFE_INTEGER,
    true,
    [],
    {},
    [[[[[[[[]]]]]]]],
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

/** `__proto__` as a field of its own, as JSON.parse makes it, not as the prototype. */
function put(value: Record<string, unknown>, field: string, junk: unknown): Record<string, unknown> {
  const copy = { ...value };
  Object.defineProperty(copy, field, { value: junk, enumerable: true, configurable: true, writable: true });
  return copy;
}

function object(schema: TSchema, known: Known): Arbitrary<unknown> {
  const pattern = Object.values((schema["patternProperties"] as Record<string, TSchema> | undefined) ?? {})[0];
  const additional = schema["additionalProperties"] as TSchema | undefined;
  const values = pattern ?? (typeof additional === "object" ? additional : undefined);
  if (values) return fc.dictionary(keyOf(known), valid(values, known), { maxKeys: MAX_ITEMS });
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, TSchema>);
  const required = new Set((schema["required"] ?? []) as string[]);
  const fields = properties.map(([name, property]) => [name, field(name, property, known)] as const);
  const whole = fc.record(Object.fromEntries(fields), { requiredKeys: [...required] });
  const [fewest, most] = [numberOf(schema, "minProperties", 0), numberOf(schema, "maxProperties", properties.length)];
  return whole.filter((value) => Object.keys(value).length >= fewest && Object.keys(value).length <= most);
}

function field(name: string, schema: TSchema, known: Known): Arbitrary<unknown> {
  const values = known[name];
  const any = valid(schema, known);
  return values ? fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: any }) : any;
}

const keyOf = (known: Known): Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(...((known["conversationId"] as string[] | undefined) ?? ["none"])),
    fc.string({ minLength: 1, maxLength: 20 }).filter((key) => key !== "__proto__"),
  );

function array(schema: TSchema, known: Known): Arbitrary<unknown> {
  const limits = {
    minLength: numberOf(schema, "minItems", 0),
    maxLength: Math.min(numberOf(schema, "maxItems", MAX_ITEMS), MAX_ITEMS),
  };
  const item = valid(schema["items"] as TSchema, known);
  return schema["uniqueItems"] === true ? fc.uniqueArray(item, limits) : fc.array(item, limits);
}

const instant = fc
  .date({ min: new Date("1970-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString());

function string(schema: TSchema): Arbitrary<unknown> {
  if (schema["format"] === "uri") return fc.webUrl();
  if (schema["format"] === "date-time") return instant;
  if (schema["pattern"] === "^[^\\s@]+@[^\\s@]+$") return fc.emailAddress().filter((address) => address.length < 200);
  const minLength = numberOf(schema, "minLength", 0);
  const maxLength = Math.min(numberOf(schema, "maxLength", MAX_TEXT), MAX_TEXT);
  const text = fc.string({ minLength, maxLength, unit: "grapheme" });
  const pattern = schema["pattern"] as string | undefined;
  const any = pattern === undefined ? text : fc.oneof(fc.stringMatching(new RegExp(pattern, "u")), text);
  const fits = (value: string): boolean =>
    value.length >= minLength &&
    value.length <= maxLength &&
    (pattern === undefined || new RegExp(pattern, "u").test(value));
  return any.filter(fits);
}

function numberOf(schema: TSchema, keyword: string, otherwise: number): number {
  const value = schema[keyword] as unknown;
  return typeof value === "number" ? value : otherwise;
}
