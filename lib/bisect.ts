/** Of items in order, how many come before a place: those for which `isBefore` holds, which are the first. */
export function bisect<T>(ordered: readonly T[], isBefore: (item: T) => boolean): number {
  let [low, high] = [0, ordered.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(ordered[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
