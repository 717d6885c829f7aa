import { type Collection, type Document, DuplicateKeyError } from "../collection";
import { newness } from "../fault";
import { valueAt } from "../values";
import type { Commands, Statement } from "./commands";
import type { Prepared } from "./documents";
import { withoutId } from "./language";
import { type DocumentError, MongoFailure } from "./replies";

/** Others insert, overwrite and delete meanwhile; each round settles every document that nobody touched in it. */
const MAX_ROUNDS = 20;

/**
 * Overwrites only by a greater number, with two writes that are exclusive by themselves: a replacement on the condition
 * that the stored number is not as great, and an insert where there is nothing. Whatever neither took is looked up, and
 * tried again if it is still older.
 * @returns the failures of single documents
 */
export async function putNewer(
  commands: Commands,
  collection: Pick<Collection<Document>, "find">,
  documents: readonly Prepared[],
  field: string,
): Promise<DocumentError[]> {
  const failures: DocumentError[] = [];
  let waiting = documents;
  let refused: ReadonlySet<number> = new Set();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const replaced = await commands.update(waiting.map((each) => replacement(each, field)));
    failures.push(...replaced.failures);
    if (replaced.matched === waiting.length) return failures;
    const failed = new Set(replaced.failures.map(({ index }) => index));
    const { absent, older } = await lookUp(collection, waiting, field);
    const lasting = absent.filter(({ place }) => refused.has(place));
    failures.push(...lasting.map(({ place }) => new DuplicateKeyError(place)));
    const inserted = await commands.insert(
      absent.filter(({ place }) => !refused.has(place)),
      false,
    );
    const duplicates = inserted.filter((failure) => failure instanceof DuplicateKeyError);
    failures.push(...inserted.filter((failure) => !(failure instanceof DuplicateKeyError)));
    refused = new Set(duplicates.map(({ index }) => index));
    waiting = [...absent.filter(({ place }) => refused.has(place)), ...older.filter(({ place }) => !failed.has(place))];
    if (waiting.length === 0) return failures;
  }
  throw new MongoFailure("documents change too often to be overwritten");
}

function replacement(each: Prepared, field: string): Statement {
  const { document, place, size } = each;
  const number = newness(document, field, place);
  return {
    place,
    size,
    q: { _id: document._id, [field]: { $not: { $gte: number } } },
    u: withoutId(document),
    upsert: false,
  };
}

async function lookUp(
  collection: Pick<Collection<Document>, "find">,
  waiting: readonly Prepared[],
  field: string,
): Promise<{ absent: Prepared[]; older: Prepared[] }> {
  const stored = await collection.find({ _id: { $in: waiting.map(({ document }) => document._id) } });
  const byId = new Map(stored.map((document) => [document._id, document]));
  const absent = waiting.filter(({ document }) => !byId.has(document._id));
  const older = waiting.filter(({ document, place }) => {
    const before = byId.get(document._id);
    const number = before && valueAt(before, field);
    return before && (typeof number !== "number" || number < newness(document, field, place));
  });
  return { absent, older };
}
