import type { TSchema } from "@sinclair/typebox";
import Ajv, { type ErrorObject, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { ParleyError } from "./errors";
import { type Strip, stripperOf } from "./strip";

/** What is wrong with one field. `problem` speaks of the schema only and never repeats what was sent. */
export interface FieldProblem {
  /** Dotted path; empty for the whole request. */
  readonly field: string;
  readonly problem: string;
}

/**
 * Returns the value with unknown fields removed and defaults filled in; the very same object when nothing had to
 * change, never a changed one. Types are taken as they are, nothing is coerced. A missing value counts as `{}`.
 * @throws ParleyError VALIDATION with `data.fields`
 */
export type Validator = (value: unknown) => Record<string, unknown>;

/** Values of the settings that a schema names in `x-limit`, which replace its `maxLength`. */
export type Limits = Readonly<Record<string, number>>;

/** Schema keywords of our own: the name of the setting that bounds a text. */
export const LIMIT_KEYWORD = "x-limit";

const ajv = new Ajv({ strict: true, strictRequired: false, ownProperties: true });
addFormats(ajv, { mode: "fast", formats: ["date-time", "uri"] });
ajv.addVocabulary([LIMIT_KEYWORD]);

/** Compiles the validator of an object schema. Costs milliseconds: do it once. */
export function validatorOf(schema: TSchema, limits: Limits = {}): Validator {
  const effective = withLimits(schema, limits);
  const strip: Strip = stripperOf(effective) ?? ((value) => value);
  const isValid = ajv.compile(effective);
  let problemsOf: ((value: unknown) => FieldProblem[]) | undefined;
  return (value) => {
    const stripped = strip(value ?? {});
    if (isValid(stripped)) return stripped as Record<string, unknown>;
    problemsOf ??= problemFinder(effective);
    throw new ParleyError("VALIDATION", { fields: problemsOf(stripped) });
  };
}

/** A copy without TypeBox's symbols and with the limits put in. */
function withLimits(schema: TSchema, limits: Limits): TSchema {
  return JSON.parse(JSON.stringify(schema), (_key, node: unknown) => {
    const name = (node as Record<string, unknown> | null)?.[LIMIT_KEYWORD];
    const limit = typeof name === "string" ? limits[name] : undefined;
    return limit === undefined ? node : { ...(node as object), maxLength: limit };
  }) as TSchema;
}

/**
 * Finds at most one problem of each top-level field: enough to correct a form, and bounded whatever was sent (Ajv's
 * own `allErrors` is not).
 */
function problemFinder(schema: TSchema): (value: unknown) => FieldProblem[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, TSchema>);
  const required = new Set((schema.required ?? []) as string[]);
  const names = namesIn(schema);
  const checks = properties.map(([name, property]) => ({ name, isValid: ajv.compile(property) }));
  const whole = ajv.compile(schema);
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return first(whole, value, "", names);
    const found = checks.flatMap(({ name, isValid }) => {
      const field = (value as Record<string, unknown>)[name];
      if (field === undefined) return required.has(name) ? [{ field: name, problem: "is required" }] : [];
      return first(isValid, field, name, names);
    });
    return found.length > 0 ? found : first(whole, value, "", names);
  };
}

function first(isValid: ValidateFunction, value: unknown, at: string, names: ReadonlySet<string>): FieldProblem[] {
  if (isValid(value)) return [];
  const error = isValid.errors?.[0];
  return error ? [describe(error, at, names)] : [];
}

function describe(error: ErrorObject, at: string, names: ReadonlySet<string>): FieldProblem {
  // Keys of a record are the client's words, not the schema's.
  const segments = error.instancePath.split("/").slice(1);
  const path = [...(at ? [at] : []), ...segments.map((name) => (/^\d+$/.test(name) || names.has(name) ? name : "*"))];
  if (error.keyword === "required") {
    return { field: [...path, String(error.params.missingProperty)].join("."), problem: "is required" };
  }
  const allowed = error.keyword === "enum" ? `: ${(error.params.allowedValues as unknown[]).join(", ")}` : "";
  return { field: path.join("."), problem: `${error.message ?? "is not valid"}${allowed}` };
}

function namesIn(schema: TSchema): Set<string> {
  const names = new Set<string>();
  JSON.stringify(schema, (key, node: unknown) => {
    if (key === "properties") for (const name of Object.keys(node as object)) names.add(name);
    return node;
  });
  return names;
}
