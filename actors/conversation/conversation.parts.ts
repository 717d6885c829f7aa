import { jsonBytesAtMost } from "../../lib/json-size";
import type { EventPage } from "./conversation.store";
import { sizeOf, type StoredEvent } from "./conversation.events";

/** A broadcast carries at most so much of a flush, by the estimate of `sizeOf`. */
const PART_BYTES = 512_000;
/** An answer carries at most so many bytes of JSON: brokers refuse a message above one megabyte. */
export const ANSWER_BYTES = 768_000;

/** Events in broadcasts of bounded size; one, even if there are none. */
export function partsOf(events: readonly StoredEvent[]): Array<readonly StoredEvent[]> {
  let bytes = 0;
  const parts: StoredEvent[][] = [[]];
  for (const event of events) {
    const size = sizeOf(event);
    if (bytes > 0 && bytes + size > PART_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    bytes += size;
    parts.at(-1)?.push(event);
  }
  return parts;
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value)) + 1;

/** The number of leading values that fit into one answer; at least one, if there is one. */
export function fitting(values: readonly unknown[]): number {
  // Nearly every answer is far below: only the others are serialised to be measured.
  if (jsonBytesAtMost(values) <= ANSWER_BYTES) return values.length;
  let left = ANSWER_BYTES;
  for (const [at, value] of values.entries()) {
    left -= bytesOf(value);
    if (left < 0) return Math.max(at, 1);
  }
  return values.length;
}

/** Pages cut so that they fit into one answer together; at least one event is in it, if there is one. */
export function fittingPages(pages: readonly EventPage[]): EventPage[] {
  let left = fitting(pages.flatMap(({ events }) => events));
  return pages.map(({ events, more }) => {
    const count = Math.min(events.length, left);
    left -= count;
    return { events: events.slice(0, count), more: more || count < events.length };
  });
}
