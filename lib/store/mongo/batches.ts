/** A server takes 100,000 operations in one command and, since they are fields of it, 16 MB. */
const MAX_OPERATIONS = 1_000;
const MAX_BYTES = 12 * 1024 * 1024;

/** An operation with the index it has in the caller's list and an estimate of its bytes. */
export interface Placed {
  readonly place: number;
  readonly size: number;
}

/** The items in their order, cut into as few commands as their number, at most `most` in one, and size allow. */
export function* batchesOf<T extends Placed>(
  items: readonly T[],
  most = MAX_OPERATIONS,
): Generator<readonly T[], void, void> {
  let from = 0;
  let bytes = 0;
  for (const [index, { size }] of items.entries()) {
    const full = index - from >= most || bytes + size > MAX_BYTES;
    if (full && index > from) {
      yield items.slice(from, index);
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < items.length) yield from === 0 ? items : items.slice(from);
}

export const placesOf = (items: readonly Placed[]): number[] => items.map(({ place }) => place);
