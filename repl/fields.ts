/** Fields whose words are not what people wrote. Of any other text only the size is shown, until somebody asks. */
const PLAIN = new Set(["id", "kind", "status", "topic", "urgency", "by", "from", "createdBy", "emoji", "standing"]);
const isPlain = (name: string): boolean => PLAIN.has(name) || name.endsWith("Id") || name === "members";
const isTime = (name: string): boolean => name === "at" || name.endsWith("At");

type Scalar = string | number | boolean | null;
const isScalar = (value: unknown): value is Scalar => typeof value !== "object" || value === null;

const showScalar = (name: string, value: Scalar, texts: boolean): string => {
  if (typeof value === "number" && isTime(name)) return new Date(value).toISOString();
  if (typeof value === "string" && !texts && !isPlain(name)) return `(${value.length} characters)`;
  return String(value);
};

function showList(name: string, values: readonly unknown[], texts: boolean): string {
  if (!texts && !isPlain(name)) return `(${values.length})`;
  return values.every(isScalar) ? values.join(" ") : JSON.stringify(values);
}

/**
 * All fields of an object as path and value, those of nested objects too. Without `texts`, what people wrote is shown
 * as its size.
 */
export function fieldsOf(data: object, texts: boolean, prefix = ""): Array<[path: string, value: string]> {
  return Object.entries(data).flatMap(([name, value]: [string, unknown]): Array<[string, string]> => {
    const path = prefix + name;
    if (value === undefined) return [];
    if (Array.isArray(value)) return [[path, showList(name, value, texts)]];
    if (typeof value === "object" && value !== null) return fieldsOf(value, texts, `${path}.`);
    return isScalar(value) ? [[path, showScalar(name, value, texts)]] : [];
  });
}
