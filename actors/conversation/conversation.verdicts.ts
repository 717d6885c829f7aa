import type { Verdict } from "../../lib/actor/ports";
import type { Collection, Document, Filter, FindOptions } from "../../lib/store/collection";
import type { StoredEvent } from "./conversation.events";

/** Branches of one query: a store plans each of them, and refuses too many. */
const BRANCHES = 100;

/** Documents that any of these filters matches, in as many queries at once as their number takes. */
export async function findAny<T extends Document>(
  collection: Collection<T>,
  filters: readonly Filter[],
  options: Pick<FindOptions, "fresh"> = {},
): Promise<T[]> {
  const queries: Array<Promise<T[]>> = [];
  for (let from = 0; from < filters.length; from += BRANCHES)
    queries.push(collection.find({ $or: filters.slice(from, from + BRANCHES) }, options));
  return (await Promise.all(queries)).flat();
}

/**
 * What became of documents after an insert that met a duplicate: `stored` if that very document is there, `fenced` if
 * another one has its seq, command or key, else `absent`: it may still land.
 */
export async function verdictsOf(
  events: Collection<StoredEvent>,
  documents: readonly StoredEvent[],
): Promise<Verdict[]> {
  const stored = new Set((await events.find({ _id: { $in: documents.map(({ _id }) => _id) } })).map(({ _id }) => _id));
  const rivals = await findAny(
    events,
    documents.filter(({ _id }) => !stored.has(_id)).flatMap((document) => claimsOf(document).map(filterOf)),
  );
  const claimed = new Set<string>();
  for (const rival of rivals) {
    stored.add(rival._id);
    for (const claim of claimsOf(rival)) claimed.add(JSON.stringify(claim));
  }
  return documents.map((document) => {
    if (stored.has(document._id)) return "stored";
    return claimsOf(document).some((claim) => claimed.has(JSON.stringify(claim))) ? "fenced" : "absent";
  });
}

/** A document's values in one unique index of the log. */
type Claim = readonly [fields: readonly string[], values: ReadonlyArray<string | number>];

function claimsOf({ conversationId, seq, by, commandId, key }: StoredEvent): Claim[] {
  const claims: Claim[] = [
    [
      ["conversationId", "seq"],
      [conversationId, seq],
    ],
    [
      ["by", "commandId", "conversationId"],
      [by, commandId, conversationId],
    ],
  ];
  return key === undefined ? claims : [...claims, [["key"], [key]]];
}

const filterOf = ([fields, values]: Claim): Filter =>
  Object.fromEntries(fields.map((field, index) => [field, values[index]]));
