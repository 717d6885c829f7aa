import { startShared } from "./shared";

declare global {
  var stopSharedServers: (() => Promise<void>) | undefined;
}

/** Before the first spec that needs servers. */
export default async function setup(): Promise<void> {
  globalThis.stopSharedServers = await startShared();
}
