import type { TSchema } from "@sinclair/typebox";

/** Removes what a schema does not know and fills in defaults; returns the same value when there is nothing to do. */
export type Strip = (value: unknown) => unknown;

type Fields = Record<string, unknown>;

/** Makes the function for a schema; undefined when nothing inside it can ever change. */
export function stripperOf(schema: TSchema): Strip | undefined {
  if (schema.type === "array") return arrayStripper(schema.items as TSchema);
  if (schema.type !== "object") return undefined;
  if (schema.patternProperties) return recordStripper(schema.patternProperties as Record<string, TSchema>);
  return objectStripper((schema.properties ?? {}) as Record<string, TSchema>);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function objectStripper(properties: Record<string, TSchema>): Strip {
  const names = Object.keys(properties);
  const known = new Set(names);
  const nested: Array<readonly [string, Strip]> = [];
  const defaults: Array<readonly [string, unknown]> = [];
  for (const [name, property] of Object.entries(properties)) {
    const strip = stripperOf(property);
    if (strip) nested.push([name, strip]);
    if ("default" in property) defaults.push([name, property.default]);
  }
  return (value) => {
    if (!isFields(value)) return value;
    let copy: Fields | undefined;
    for (const name in value) {
      if (known.has(name)) continue;
      copy = pick(value, names);
      break;
    }
    for (const [name, strip] of nested) {
      const before = value[name];
      const after = before === undefined ? undefined : strip(before);
      if (after !== before) (copy ??= pick(value, names))[name] = after;
    }
    for (const [name, fallback] of defaults) {
      if (value[name] === undefined) (copy ??= pick(value, names))[name] = fallback;
    }
    return copy ?? value;
  };
}

/** A plain copy of the known own fields: what was called `__proto__` or `constructor` stays behind. */
function pick(value: Fields, names: readonly string[]): Fields {
  const copy: Fields = {};
  for (const name of names) {
    if (Object.hasOwn(value, name)) copy[name] = value[name];
  }
  return copy;
}

function arrayStripper(items: TSchema): Strip | undefined {
  const strip = stripperOf(items);
  if (!strip) return undefined;
  return (value) => {
    if (!Array.isArray(value)) return value;
    const before: readonly unknown[] = value;
    const after = before.map(strip);
    return after.some((item, index) => item !== before[index]) ? after : before;
  };
}

/** Records keep every key that matches one of their patterns. */
function recordStripper(patterns: Record<string, TSchema>): Strip {
  const rules = Object.entries(patterns).map(([pattern, schema]) => ({
    pattern: new RegExp(pattern, "u"),
    strip: stripperOf(schema),
  }));
  return (value) => {
    if (!isFields(value)) return value;
    let changed = false;
    const kept: Fields = {};
    for (const key of Object.keys(value)) {
      const rule = key === "__proto__" ? undefined : rules.find(({ pattern }) => pattern.test(key));
      if (!rule) {
        changed = true;
        continue;
      }
      const after = rule.strip ? rule.strip(value[key]) : value[key];
      if (after !== value[key]) changed = true;
      kept[key] = after;
    }
    return changed ? kept : value;
  };
}
