import { type OpeningHours, openMillisBetween } from "../topics/opening-hours";
import { type FactsDocument, type Measures, SPANS_MS } from "./facts.store";
import type { SessionFacts } from "./session-facts";

/** The opening hours of a topic; always open when undefined. */
export type HoursOf = (topic: string) => OpeningHours | undefined;

/** The document of facts through `seq`, by the opening hours there are now. Pure. */
export function documentOf(conversationId: string, seq: number, facts: SessionFacts, hoursOf: HoursOf): FactsDocument {
  return {
    _id: conversationId,
    seq,
    openedAt: facts.openedAt,
    span: spanOf(facts),
    facts,
    measures: measuresOf(facts, hoursOf),
  };
}

function measuresOf({ openedAt, firstResponse, segments }: SessionFacts, hoursOf: HoursOf): Measures {
  const responseMs = firstResponse && openMillisBetween(hoursOf(firstResponse.topic), openedAt, firstResponse.at);
  return {
    ...(responseMs !== undefined && { responseMs }),
    segmentsMs: segments.map(({ topic, from, to = from }) => openMillisBetween(hoursOf(topic), from, to)),
  };
}

/** Which of `SPANS_MS` the facts fit into. */
function spanOf({ openedAt, segments, rating, firstResponse }: SessionFacts): number {
  const ends = segments.map(({ to = Infinity }) => to);
  const lengthMs = Math.max(...ends, rating?.at ?? 0, firstResponse?.at ?? 0) - openedAt;
  const span = SPANS_MS.findIndex((ms) => lengthMs < ms);
  return span < 0 ? SPANS_MS.length - 1 : span;
}
