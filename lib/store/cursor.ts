import type { Filter } from "./collection";

/** The cursor behind a document of a list that is sorted by a number, then by `_id`. */
export const cursorAt = (number: number, id: string): string => `${number}/${id}`;

/**
 * The filter of what follows a cursor in a list sorted by `path`, then by `_id`, both ascending or both descending; of
 * everything without a cursor, and with what is none. Its first condition is what an index can be entered with.
 */
export function following(path: string, direction: "ascending" | "descending", cursor: string | undefined): Filter {
  const slash = cursor?.indexOf("/") ?? -1;
  const number = Number(cursor?.slice(0, slash));
  if (cursor === undefined || slash < 0 || !Number.isFinite(number)) return {};
  const id = cursor.slice(slash + 1);
  return direction === "ascending"
    ? { [path]: { $gte: number }, $or: [{ [path]: { $gt: number } }, { _id: { $gt: id } }] }
    : { [path]: { $lte: number }, $or: [{ [path]: { $lt: number } }, { _id: { $lt: id } }] };
}
