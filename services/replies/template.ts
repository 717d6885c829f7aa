/** What a canned reply may name between `{{` and `}}`, and what each stands for. */
export const VARIABLES = {
  "customer.name": "the customer's name",
  "customer.firstName": "the customer's name up to the first space",
  "agent.name": "the name of the agent who uses the reply",
  "agent.firstName": "that name up to the first space",
  "session.id": "the session's id",
  "session.topic": "the session's topic",
  "session.subject": "the session's subject",
  "session.urgency": "the urgency that the customer asked for",
} as const;

export type Variable = keyof typeof VARIABLES;
export type Values = Readonly<Partial<Record<Variable, string>>>;

/** Text, or a variable with what stands in for it when it has no value. */
type Part = string | { readonly variable: Variable; readonly fallback: string };

export type Template = readonly Part[];

/** What is wrong with a template, for whoever wrote it. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** A template has no more places than this for variables: values are longer than their names. */
export const MAX_PLACES = 50;
const VALUE_LENGTH = 200;
const NAMED_LENGTH = 40;

/** An escaped opening, a variable, an opening that nothing closes. */
const TOKENS = /\\\{\{|\{\{([^{}\r\n]*)\}\}|\{\{/g;
const CONTROL = /[^\P{Cc}\t\n]/u;

/**
 * Reads the text of a reply: plain text with `{{variable}}` or `{{variable|what stands in}}`; `\{{` is a plain `{{`.
 * @throws TemplateError that names every unknown variable
 */
export function parseTemplate(text: string): Template {
  if (CONTROL.test(text)) throw new TemplateError("has control characters");
  const parts: Part[] = [];
  const unknown = new Set<string>();
  let end = 0;
  for (const match of text.matchAll(TOKENS)) {
    parts.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[0] === "\\{{") parts.push("{{");
    else if (match[1] === undefined) throw new TemplateError("has {{ without }} in the same line; write \\{{ for a {{");
    else parts.push(place(match[1], unknown));
  }
  parts.push(text.slice(end));
  if (unknown.size > 0) throw new TemplateError(complaint([...unknown]));
  const places = parts.filter((part) => typeof part !== "string").length;
  if (places > MAX_PLACES) throw new TemplateError(`has more than ${MAX_PLACES} variables`);
  return parts;
}

/** The text for these values. A value is taken as it is: what looks like a variable in it is none, and it is one line. */
export function render(template: Template, values: Values): string {
  return template
    .map((part) => (typeof part === "string" ? part : valueOf(part.variable, values) || part.fallback))
    .join("");
}

/** The first word of a name. */
export const firstName = (name: string): string => name.trim().split(/\s+/u, 1)[0] ?? "";

function place(inside: string, unknown: Set<string>): Part {
  const bar = inside.indexOf("|");
  const name = (bar < 0 ? inside : inside.slice(0, bar)).trim();
  if (!isVariable(name)) {
    unknown.add(name.slice(0, NAMED_LENGTH));
    return "";
  }
  return { variable: name, fallback: bar < 0 ? "" : inside.slice(bar + 1).trim() };
}

const isVariable = (name: string): name is Variable => Object.hasOwn(VARIABLES, name);

function complaint(unknown: readonly string[]): string {
  const named = unknown.slice(0, MAX_PLACES).map((name) => `{{${name}}}`);
  return `unknown variables: ${named.join(", ")}; known are ${Object.keys(VARIABLES).join(", ")}`;
}

const valueOf = (variable: Variable, values: Values): string =>
  (values[variable] ?? "")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim()
    .slice(0, VALUE_LENGTH)
    .toWellFormed();
