/** Indexed fields: which there are, and the keys that a document has in them. */
import type { CollectionDefinition, Document, IndexDefinition, Scalar } from "./collection";
import { DocumentFault, isObject, isScalar, segmentsOf } from "./values";

/**
 * The value of an indexed field, null when it is missing.
 * @throws DocumentFault when it is no scalar (an index holds one key per document), or null in a sparse index, where
 * stores disagree
 */
export function indexedValue(document: object, path: string, sparse: boolean): Scalar {
  let value: unknown = document;
  for (const segment of segmentsOf(path)) {
    if (Array.isArray(value)) throw new DocumentFault(`indexed field ${path} is in an array`);
    if (!isObject(value) || !Object.hasOwn(value, segment)) return null;
    value = value[segment];
  }
  if (!isScalar(value)) throw new DocumentFault(`indexed field ${path} is no scalar`);
  if (sparse && value === null) throw new DocumentFault(`field ${path} of a sparse index is null`);
  return value;
}

/** Throws when a definition is not one the port describes. */
export function validateDefinition(definition: CollectionDefinition): void {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(definition.name)) throw new Error(`bad collection name ${definition.name}`);
  for (const index of definition.indexes) {
    const paths = Object.keys(index.fields);
    paths.forEach(segmentsOf);
    if (paths.length === 0 || (index.sparse && paths.length > 1))
      throw new Error(`an index of ${definition.name} has the wrong number of fields`);
  }
}

/** One index of a store in memory: finds documents by the values of its first fields. */
export class MemoryIndex<T extends Document> {
  readonly paths: readonly string[];
  private readonly byPrefix = new Map<string, Set<T>>();

  constructor(private readonly definition: IndexDefinition) {
    this.paths = Object.keys(definition.fields);
  }

  /** The keys of a document for one field, two fields, and so on; none when a sparse index leaves it out. */
  keys(document: T): string[] {
    const keys: string[] = [];
    let key = "";
    for (const path of this.paths) {
      const value = indexedValue(document, path, this.definition.sparse === true);
      if (value === null && this.definition.sparse) return [];
      key += part(value);
      keys.push(key);
    }
    return keys;
  }

  /** Would a document with these keys meet another one than `replaced` in a unique index? */
  conflicts(keys: readonly string[], replaced: T | undefined): boolean {
    if (!this.definition.unique || keys.length === 0) return false;
    for (const other of this.byPrefix.get(keys[keys.length - 1] ?? "") ?? []) if (other !== replaced) return true;
    return false;
  }

  add(keys: readonly string[], document: T): void {
    for (const key of keys) {
      const found = this.byPrefix.get(key);
      if (found) found.add(document);
      else this.byPrefix.set(key, new Set([document]));
    }
  }

  remove(document: T): void {
    for (const key of this.keys(document)) {
      const found = this.byPrefix.get(key);
      found?.delete(document);
      if (found?.size === 0) this.byPrefix.delete(key);
    }
  }

  /**
   * The documents whose first fields have these values; undefined when the index cannot tell.
   * @param values of the index's first fields, as far as they are known
   */
  lookup(values: readonly Scalar[]): ReadonlySet<T> | undefined {
    if (values.length === 0 || (this.definition.sparse && values[0] === null)) return undefined;
    return this.byPrefix.get(values.map(part).join("")) ?? new Set();
  }
}

/** A part of a key. Its length stands before a string, so that no two lists of values give one key. */
function part(value: Scalar): string {
  if (typeof value === "string") return `s${value.length}:${value}`;
  return `${value === 0 ? 0 : value};`;
}
