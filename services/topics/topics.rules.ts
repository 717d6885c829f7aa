import type { Static } from "@sinclair/typebox";
import { ParleyError } from "../../lib/errors";
import type { FieldProblem } from "../../lib/schema";
import { isTimeZone } from "../../lib/time-zone";
import { wordsOf } from "./classifier";
import type { OpeningHours } from "./opening-hours";
import type { TopicDescription } from "./topic";
import type { Keyword } from "./topics.contract";

/**
 * What a description must be beyond its schema. Pure.
 * @throws ParleyError VALIDATION with `data.fields`
 */
export function checkTopic({ hours, rules }: Pick<TopicDescription, "hours" | "rules">): void {
  const problems = hours ? hoursProblems(hours) : [];
  if (rules.noShowMs < rules.closingMs)
    problems.push({ field: "rules.noShowMs", problem: "must not be less than closingMs" });
  if (rules.warnMs !== undefined && rules.expireMs !== undefined && rules.expireMs <= rules.warnMs)
    problems.push({ field: "rules.expireMs", problem: "must be more than warnMs" });
  refuse(problems);
}

/** The same for a keyword rule. @throws ParleyError VALIDATION */
export function checkKeyword({ words, urgency, headStartMs }: Static<typeof Keyword>): void {
  const problems: FieldProblem[] = words.flatMap((phrase, index) =>
    wordsOf(phrase).length === 0 ? [{ field: `words.${index}`, problem: "must have a letter or a digit" }] : [],
  );
  if ((urgency === undefined) === (headStartMs === undefined))
    problems.push({ field: "urgency", problem: "either urgency or headStartMs is required" });
  refuse(problems);
}

function hoursProblems({ timeZone, weekly, holidays }: OpeningHours): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (!isTimeZone(timeZone)) problems.push({ field: "hours.timeZone", problem: "is no time zone" });
  weekly.forEach(({ from, to }, index) => {
    // Of one length, so their order is that of time.
    if (to <= from) problems.push({ field: `hours.weekly.${index}.to`, problem: "must be later than from" });
  });
  holidays.forEach((date, index) => {
    if (!isDate(date)) problems.push({ field: `hours.holidays.${index}`, problem: "is no date" });
  });
  return problems;
}

/** Is it in the calendar? Of a date that is not, JavaScript makes another one or none. */
function isDate(text: string): boolean {
  const at = Date.parse(text);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

function refuse(fields: readonly FieldProblem[]): void {
  if (fields.length > 0) throw new ParleyError("VALIDATION", { fields });
}
