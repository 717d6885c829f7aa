import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceSchema } from "moleculer";
import { createNode, type Node } from "../../lib/node";
import { MemoryStore } from "../../lib/store/memory";
import { rest, type TokenPair } from "./rest";

export interface GatewayNode {
  readonly node: Node;
  readonly store: MemoryStore;
  readonly url: string;
  /** The access token of a new guest. */
  readonly token: string;
  /** Every line that was logged. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

/** Starts the real gateway with the real auth and users services, the given ones, and a store in memory. */
export async function startGateway(
  services: readonly ServiceSchema[],
  env: Readonly<Record<string, string>> = {},
): Promise<GatewayNode> {
  const folder = await mkdtemp(join(tmpdir(), "parley-gateway-"));
  const store = new MemoryStore();
  const log: string[] = [];
  const node = await createNode({
    env: {
      PORT: "0",
      DATA_DIR: folder,
      SERVICES: "gateway,auth,users",
      ADMIN_EMAIL: "root@example.org",
      ADMIN_PASSWORD: "administrator",
      DRAIN_SECONDS: "5",
      LIMIT_REQUESTS_PER_MINUTE: "100000",
      LOG_LEVEL: "debug",
      ...env,
    },
    logDestination: { write: (line) => void log.push(line) },
    store,
    services,
  });
  await node.start();
  const url = node.url ?? "";
  const guest = (await rest(url, "POST", "/auth/guest", undefined, {})).expect<TokenPair>(201);
  const stop = async () => {
    await node.stop();
    await rm(folder, { recursive: true });
  };
  return { node, store, url, token: guest.accessToken, log, stop };
}
