import { readFileSync } from "node:fs";
import { connect, type ConnectionOptions, credsAuthenticator, type NatsError } from "nats";
import { type Config, ConfigError } from "./config";

/** The addresses in NATS_URL, which are separated by commas. */
export const natsAddresses = (urls: string): URL[] => urls.split(",").map((text) => new URL(text.trim()));

const FILES = ["NATS_CREDENTIALS", "NATS_CA", "NATS_CERT", "NATS_KEY"] as const;

/** The client would say of a missing file that the handshake failed, and not which file it is. */
function requireFiles(config: Config): void {
  const problems = FILES.flatMap((name) => {
    const path = config[name];
    if (path === undefined) return [];
    try {
      readFileSync(path);
      return [];
    } catch (error) {
      return [`${name}: the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
}

/**
 * How to connect: for ever, quickly, and noticing within four seconds that nobody answers any more.
 * @throws ConfigError naming a file that cannot be read
 */
export function natsOptions(config: Config): ConnectionOptions {
  requireFiles(config);
  const addresses = natsAddresses(config.NATS_URL ?? "");
  const { username = "", password = "" } = addresses[0] ?? {};
  const name = decodeURIComponent(username);
  const secured = addresses.some(({ protocol }) => protocol === "tls:") || config.NATS_CA !== undefined;
  return {
    servers: addresses.map(({ host }) => host),
    ...(name !== "" && (password === "" ? { token: name } : { user: name, pass: decodeURIComponent(password) })),
    ...(config.NATS_CREDENTIALS !== undefined && {
      authenticator: credsAuthenticator(readFileSync(config.NATS_CREDENTIALS)),
    }),
    ...(secured && {
      tls: {
        ...(config.NATS_CA !== undefined && { caFile: config.NATS_CA }),
        ...(config.NATS_CERT !== undefined && { certFile: config.NATS_CERT }),
        ...(config.NATS_KEY !== undefined && { keyFile: config.NATS_KEY }),
      },
    }),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 300,
    pingInterval: 2_000,
    maxPingOut: 2,
    timeout: 5_000,
  };
}

/**
 * Resolves when NATS has let us in and we have left again. Rejects with the reason when it does not: the client's code
 * for it, which names neither user nor password.
 */
export async function greetNats(config: Config): Promise<void> {
  const once = { ...natsOptions(config), reconnect: false, maxReconnectAttempts: 0 };
  const connection = await connect(once).catch((error: NatsError) => {
    throw new Error(reasonOf(error));
  });
  await connection.close();
}

const reasonOf = ({ code, message }: NatsError): string =>
  message.includes(code) || !code ? message : `${code} ${message}`;
