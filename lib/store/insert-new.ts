import { type Collection, type Document, DuplicateKeyError } from "./collection";

/**
 * Inserts a document; false when something that is unique in it is taken. Of several who insert the same one true is
 * answered to no more than one.
 */
export async function insertNew<T extends Document>(
  collection: Pick<Collection<T>, "insertMany">,
  document: T,
): Promise<boolean> {
  try {
    await collection.insertMany([document]);
    return true;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return false;
    throw error;
  }
}
