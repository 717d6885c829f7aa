/** Indexes are built by the operator's own command, never by a node that starts: here they are compared and built. */
import type { CollectionDefinition, IndexDefinition } from "../collection";
import { failureOf } from "./replies";
import type { MongoModel } from "./connection";

/** The store is not as its collections are defined. */
export class StoreNotMigratedError extends Error {
  override readonly name = "StoreNotMigratedError";
  /** @param differences one line each */
  constructor(readonly differences: readonly string[]) {
    super(`the document store is not as this version needs it: ${differences.join("; ")}. Run: npm run migrate`);
  }
}

export interface IndexState {
  readonly missing: readonly IndexDefinition[];
  /** What no building can mend, one line each. */
  readonly conflicts: readonly string[];
}

interface Listed {
  readonly name: string;
  readonly key: Readonly<Record<string, number>>;
  readonly unique?: boolean;
  readonly sparse?: boolean;
  readonly [option: string]: unknown;
}

const NAMESPACE_NOT_FOUND = 26;
/** Options under which an index no longer holds every document of the field, or compares otherwise. */
const FOREIGN_OPTIONS = ["partialFilterExpression", "expireAfterSeconds", "collation", "hidden"];

/**
 * What a collection's indexes differ in from their definition. An index of the operator's own is left alone unless it
 * is unique: then it would refuse documents.
 * @param tellsSparse whether this server's listing says which indexes are sparse
 * @throws MongoFailure when the server does not answer
 */
export async function indexState(
  model: MongoModel,
  definition: CollectionDefinition,
  tellsSparse: boolean,
): Promise<IndexState> {
  const listed = await listIndexes(model);
  const missing: IndexDefinition[] = [];
  const conflicts: string[] = [];
  const known = new Set<Listed>();
  for (const index of definition.indexes) {
    const found = listed.find(({ key }) => keysOf(key) === keysOf(index.fields));
    if (!found) missing.push(index);
    else if (!isLike(found, index, tellsSparse)) conflicts.push(describe(definition, index, "has other options"));
    if (found) known.add(found);
  }
  for (const index of listed)
    if (index.unique && !known.has(index) && index.name !== "_id_")
      conflicts.push(`${definition.name} has a unique index that is not its own (${index.name})`);
  return { missing, conflicts };
}

/** The state told as the error that it is; undefined when there is nothing to tell. */
export function notMigrated(
  definition: CollectionDefinition,
  { missing, conflicts }: IndexState,
): StoreNotMigratedError | undefined {
  const lines = missing.map((index) => describe(definition, index, "is missing"));
  return lines.length + conflicts.length === 0 ? undefined : new StoreNotMigratedError([...lines, ...conflicts]);
}

/** One line about an index. */
export function describe({ name }: CollectionDefinition, index: IndexDefinition, what: string): string {
  const kind = `${index.unique ? "unique " : ""}${index.sparse ? "sparse " : ""}`;
  return `${kind}index ${name}(${Object.keys(index.fields).join(", ")}) ${what}`;
}

async function listIndexes(model: MongoModel): Promise<Listed[]> {
  try {
    return (await model.collection.listIndexes().toArray()) as unknown as Listed[];
  } catch (error) {
    if ((error as { code?: unknown }).code === NAMESPACE_NOT_FOUND) return [];
    throw failureOf(error);
  }
}

const keysOf = (fields: Readonly<Record<string, number>>): string => JSON.stringify(Object.entries(fields));

function isLike(listed: Listed, index: IndexDefinition, tellsSparse: boolean): boolean {
  if (FOREIGN_OPTIONS.some((option) => listed[option] !== undefined && listed[option] !== false)) return false;
  if (tellsSparse && (listed.sparse ?? false) !== (index.sparse ?? false)) return false;
  return (listed.unique ?? false) === (index.unique ?? false);
}
