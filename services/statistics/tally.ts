import { bisect } from "../../lib/bisect";
import { Quantiles } from "../../lib/quantiles";
import type { Result } from "../../lib/contract";
import type { FactsDocument } from "./facts.store";
import type { Period } from "./periods";
import type { Ended, Segment } from "./session-facts";
import type { sessions } from "./statistics.contract";

export interface Question {
  /** In order and without gaps. */
  readonly periods: readonly Period[];
  readonly topic?: string;
  readonly agentId?: string;
  /** One row for each of them, beside the periods. */
  readonly per?: "topic" | "agent";
  /** Wall-clock milliseconds: nothing is counted as open later than now. */
  readonly now: number;
}

export type StatisticsRow = Result<typeof sessions>["rows"][number];

/** Times on the wall and in opening hours. */
class Spread {
  readonly wall = new Quantiles();
  readonly open = new Quantiles();

  add(wallMs: number, openMs: number): void {
    this.wall.add(Math.max(0, wallMs));
    this.open.add(openMs);
  }

  view(): StatisticsRow["wait"] {
    return { count: this.wall.count, wall: timesOf(this.wall), openingHours: timesOf(this.open) };
  }
}

function timesOf(times: Quantiles): StatisticsRow["wait"]["wall"] {
  const [median, p90] = [times.at(0.5), times.at(0.9)];
  if (median === undefined || p90 === undefined) return {};
  return { medianMs: Math.round(median), p90Ms: Math.round(p90), totalMs: Math.round(times.total) };
}

const COUNTS = [
  "opened",
  "reopened",
  "assigned",
  "active",
  "open",
  "closed",
  "abandoned",
  "expired",
  "noShow",
  "returned",
  "bounced",
  "transferred",
] as const;
type Count = (typeof COUNTS)[number];

class Row {
  readonly counts = Object.fromEntries(COUNTS.map((count) => [count, 0])) as Record<Count, number>;
  readonly messages = { customer: 0, staff: 0 };
  readonly firstResponse = new Spread();
  readonly wait = new Spread();
  readonly handle = new Spread();
  private readonly scores = { count: 0, total: 0 };

  rated(score: number): void {
    this.scores.count++;
    this.scores.total += score;
  }

  view({ from, to }: Period, key: object): StatisticsRow {
    const { count, total } = this.scores;
    return {
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      ...key,
      ...this.counts,
      messages: { ...this.messages },
      firstResponse: this.firstResponse.view(),
      wait: this.wait.view(),
      handle: this.handle.view(),
      rating: { count, ...(count > 0 && { average: Math.round((total / count) * 100) / 100 }) },
    };
  }
}

/** Whose time something is: a topic, and an agent unless nobody had the session. */
interface Owner {
  readonly topic: string;
  readonly agentId?: string;
}

/** What has ended in one way or another counts as that, and the last three as closed too. */
const ENDS: Partial<Record<Ended, Count>> = {
  returned: "returned",
  bounced: "bounced",
  transferred: "transferred",
  expired: "expired",
  "no-show": "noShow",
};
const CLOSED: ReadonlySet<Ended | undefined> = new Set<Ended>(["closed", "expired", "no-show"]);

/**
 * Adds up facts of sessions by period, and by topic or agent. Whatever takes time counts in the period in which it ends;
 * in rows of agents a wait is told of whom the session was given to. Memory grows with the rows, not with the sessions.
 */
export class Tally {
  private readonly rows = new Map<string, { readonly key: object; readonly periods: Map<number, Row> }>();
  /** Rows so far. */
  size = 0;

  constructor(private readonly question: Question) {
    if (question.per === undefined) for (const index of question.periods.keys()) this.rowOf({ topic: "" }, index);
  }

  add({ facts, measures }: FactsDocument): void {
    const { openedAt, firstResponse, rating } = facts;
    const standing = { active: new Set<Row>(), open: new Set<Row>() };
    for (const [index, segment] of facts.segments.entries())
      this.addSegment(segment, measures.segmentsMs[index] ?? 0, standing);
    for (const row of standing.active) row.counts.active++;
    for (const row of standing.open) row.counts.open++;
    if (firstResponse)
      this.at(firstResponse.at, firstResponse)?.firstResponse.add(
        firstResponse.at - openedAt,
        measures.responseMs ?? 0,
      );
    if (rating) this.at(rating.at, rating)?.rated(rating.score);
  }

  view(): StatisticsRow[] {
    const { periods } = this.question;
    const rows = [...this.rows.values()].flatMap((group) =>
      [...group.periods].map(([index, row]) => ({ index, row, key: group.key })),
    );
    const order = (key: object): string => JSON.stringify(key);
    rows.sort((a, b) => a.index - b.index || (order(a.key) < order(b.key) ? -1 : 1));
    return rows.flatMap(({ index, row, key }) => {
      const period = periods[index];
      return period ? [row.view(period, key)] : [];
    });
  }

  private addSegment(segment: Segment, openMs: number, standing: { active: Set<Row>; open: Set<Row> }): void {
    const { from, to, began } = segment;
    const begun = this.at(from, segment);
    if (began === "opened" || began === "imported") count(begun, "opened");
    if (began === "reopened") count(begun, "reopened");
    if (segment.agentId !== undefined && began !== "imported") count(begun, "assigned");
    if (to !== undefined) this.addEnd(segment, to, openMs);
    this.addStanding(segment, standing);
  }

  private addEnd(segment: Segment, to: number, openMs: number): void {
    const { from, ended, agentId, said, began, takenBy } = segment;
    const row = this.at(to, segment);
    if (row) {
      row.messages.customer += said.customer;
      row.messages.staff += said.staff;
    }
    const way = ended && ENDS[ended];
    if (way) count(row, way);
    if (CLOSED.has(ended)) count(row, "closed");
    if (agentId !== undefined) {
      if (began !== "imported") row?.handle.add(to - from, openMs);
    } else if (takenBy !== undefined) {
      this.at(to, { topic: segment.topic, agentId: takenBy })?.wait.add(to - from, openMs);
    } else if (CLOSED.has(ended) && began !== "imported") count(row, "abandoned");
  }

  /** In which periods it was open at some moment, and at the end of which. */
  private addStanding(segment: Segment, { active, open }: { active: Set<Row>; open: Set<Row> }): void {
    const { periods, now } = this.question;
    const { from, to = Infinity } = segment;
    for (let index = this.first(from); index < periods.length; index++) {
      const period = periods[index];
      if (!period || period.from >= Math.min(to, now)) return;
      const row = this.matches(segment) ? this.rowOf(segment, index) : undefined;
      if (!row) continue;
      active.add(row);
      if (to > period.to) open.add(row);
    }
  }

  /** The row of what happened at an instant; undefined when it is not asked for. */
  private at(at: number, owner: Owner): Row | undefined {
    if (!this.matches(owner)) return undefined;
    const index = this.first(at);
    const period = this.question.periods[index];
    return period && at >= period.from ? this.rowOf(owner, index) : undefined;
  }

  private matches({ topic, agentId }: Owner): boolean {
    const { question } = this;
    if (question.topic !== undefined && question.topic !== topic) return false;
    if (question.per === "agent" && agentId === undefined) return false;
    return question.agentId === undefined || question.agentId === agentId;
  }

  /** The first period that ends after an instant; their number when there is none. */
  private first(at: number): number {
    return bisect(this.question.periods, ({ to }) => to <= at);
  }

  private rowOf({ topic, agentId = "" }: Owner, index: number): Row {
    const { per } = this.question;
    const name = per === "topic" ? topic : per === "agent" ? agentId : "";
    let group = this.rows.get(name);
    if (!group) {
      const key = per === "topic" ? { topic } : per === "agent" ? { agentId } : {};
      this.rows.set(name, (group = { key, periods: new Map<number, Row>() }));
    }
    let row = group.periods.get(index);
    if (!row) {
      group.periods.set(index, (row = new Row()));
      this.size++;
    }
    return row;
  }
}

const count = (row: Row | undefined, what: Count): void => {
  if (row) row.counts[what]++;
};
