import type { CollectionDefinition } from "../../lib/store/collection";

export const LOG: CollectionDefinition = {
  name: "log",
  indexes: [{ fields: { stream: 1, seq: 1 }, unique: true }],
};
