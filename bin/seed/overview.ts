import { KEYWORDS, REPLIES, TOPICS } from "./desk";
import { emailOf, PEOPLE, type Person, WHO } from "./people";
import type { Seeded } from "./seeder";

/** What there is, in lines of 80 columns at most. */
export function overview({ sessions, people }: Seeded): string {
  const nameOf = new Map(WHO.flatMap((who) => (people.has(who) ? [[people.get(who)?.user.id, PEOPLE[who].name]] : [])));
  const persons = WHO.map((who) => {
    const { name, role, skills, capacity, tier }: Person = PEOPLE[who];
    return [emailOf(who), name, role, skills ? `${skills.join(" ")} (${capacity ?? 0})` : `tier ${tier ?? "none"}`];
  });
  const told = sessions.map((session) => [
    session.topic,
    session.status,
    session.subject ?? "-",
    session.rating ? `rated ${session.rating.score}` : (nameOf.get(session.agentId) ?? ""),
  ]);
  return [
    table(["Login", "Name", "Role", "Skills (capacity), or tier"], persons),
    table(["Topic", "Session", "Subject", "Agent or rating"], told),
    `${TOPICS.length} topics, ${KEYWORDS.length} keyword rules, ${REPLIES.length} canned replies`,
  ].join("\n\n");
}

const GAP = "  ";

function table(titles: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const widths = titles.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  return [titles, ...rows]
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join(GAP)
        .trimEnd(),
    )
    .join("\n");
}
