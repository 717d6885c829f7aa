import type { Store } from "../collection";

/** Opens the store at this address. */
export function openMongoStore(options: { readonly uri: string }): Promise<Store> {
  return Promise.reject(new Error(`not supported yet: ${Object.keys(options).join()}`));
}
