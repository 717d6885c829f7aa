import "./setup";

/** After the last spec of the run. */
export default async function teardown(): Promise<void> {
  await globalThis.stopSharedServers?.();
}
