import { type Config, ConfigError } from "../../lib/config";
import { loadKeys } from "../../services/auth/keys";

/** What the processes share, with the command that starts all of it on this machine. */
const SHARED = ["NATS_URL", "MONGODB_URI", "REDIS_URL"] as const;

/** Throws a ConfigError naming which of the servers that a cluster needs is not in the settings. */
export function requireServers(config: Config): void {
  const missing = SHARED.filter((name) => config[name] === undefined);
  if (missing.length === 0) return;
  throw new ConfigError([
    ...missing.map((name) => `${name}: missing; the processes of a cluster meet there`),
    "`npm run servers` starts all three on this machine and prints the lines to set.",
  ]);
}

/**
 * What every process of the cluster gets besides its own name, services and port. Keys for access tokens are made when
 * none are set, and kept in DATA_DIR: they outlast the cluster.
 */
export async function sharedEnvironment(config: Config): Promise<Record<string, string>> {
  return {
    AUTH_KEYS: config.AUTH_KEYS ?? (await keptKeys(config.DATA_DIR)),
    HOST: "127.0.0.1",
    // The front door is one more.
    TRUST_PROXY_HOPS: String(config.TRUST_PROXY_HOPS + 1),
  };
}

async function keptKeys(folder: string): Promise<string> {
  const { signer } = await loadKeys({ folder });
  return `${signer.kid}:${signer.secret.export().toString("base64")}`;
}
