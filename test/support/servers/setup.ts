import { startShared } from "./shared";

declare global {
  var stopSharedServers: (() => Promise<void>) | undefined;
}

/** Before the first spec that needs servers; fails the run when they cannot be had. */
export default async function setup(): Promise<void> {
  globalThis.stopSharedServers = await startShared();
}
