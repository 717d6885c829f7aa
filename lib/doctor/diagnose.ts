import { systemClock } from "../actor/ports";
import { inTime } from "../actor/time";
import { messageOf } from "../message-of";
import { type Check, fail, type Finding, type Level } from "./finding";

/** Nothing that works takes longer. */
const LONGEST_MS = 20_000;
const NAME_WIDTH = 10;
const LABELS: Readonly<Record<Level, string>> = { ok: "ok  ", warn: "warn", fail: "FAIL" };
const RANKS: readonly Level[] = ["ok", "warn", "fail"];

/** Runs the checks one after the other and tells each finding in a line. Answers the worst level. */
export async function diagnose(
  checks: readonly Check[],
  say: (line: string) => void,
  longestMs = LONGEST_MS,
): Promise<Level> {
  let worst: Level = "ok";
  for (const check of checks) {
    for (const finding of await findingsOf(check, longestMs)) {
      say(lineOf(check.name, finding));
      if (RANKS.indexOf(finding.level) > RANKS.indexOf(worst)) worst = finding.level;
    }
  }
  return worst;
}

async function findingsOf(check: Check, longestMs: number): Promise<readonly Finding[]> {
  try {
    return await inTime(
      systemClock,
      longestMs,
      () => check.run(),
      () => [fail(`gave no answer in ${longestMs / 1_000} s`, "See whether it is overloaded or stopped.")],
    );
  } catch (error) {
    return [fail(messageOf(error), "This was not expected; the log may say more.")];
  }
}

const lineOf = (name: string, { level, text, advice }: Finding): string =>
  `${LABELS[level]}  ${name.padEnd(NAME_WIDTH)}  ${advice === undefined ? text : `${text.replace(/\.$/, "")}. ${advice}`}`;
