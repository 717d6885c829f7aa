import type { Kv } from "./kv";

/** Opens the key-value store at this address; every key gets the prefix. */
export function openRedisKv(options: { readonly url: string; readonly prefix: string }): Kv {
  throw new Error(`not supported yet: ${Object.keys(options).join()}`);
}
