import { boolean, integer, list, oneOf, readSettings, reserved, secret, string, type Values } from "./settings";

export { ConfigError } from "./settings";

const MANY = 1_000_000;
const KILOBYTE = 1_024;
const MEGABYTE = KILOBYTE * KILOBYTE;

const server = (help: string) => ({ group: "Server", help });
const cluster = (help: string) => ({ group: "Cluster", help });
const accounts = (help: string) => ({ group: "Accounts", help });
const observing = (help: string) => ({ group: "Observing", help });
const sizes = (help: string) => ({ group: "Sizes", help });
const durations = (help: string) => ({ group: "Durations", help });
const limit = (value: number, help: string, max = MANY) =>
  integer({ group: "Limits", help, default: value, min: 1, max });

const isOrigin = (text: string): boolean => {
  if (text === "*") return true;
  return URL.canParse(text) && new URL(text).origin === text.toLowerCase();
};

/** The one table of settings, by the name they have in the environment. */
export const SETTINGS = {
  PORT: integer({ ...server("Port of REST and sockets; 0 takes a free one."), default: 3000, min: 0, max: 65_535 }),
  HOST: string({ ...server("Address to listen on; 0.0.0.0 for every interface."), default: "127.0.0.1" }),
  DATA_DIR: string({ ...server("Folder of the database, the keys and the first password."), default: "data" }),
  ALLOWED_ORIGINS: list({
    ...server("Web origins whose pages may call this server; empty means its own origin only."),
    allowed: "a comma list of origins like https://example.org, or *",
    item: isOrigin,
  }),
  TRUST_PROXY_HOPS: integer({
    ...server("Number of own proxies in front; so many entries of X-Forwarded-For are believed, from the right."),
    default: 0,
    min: 0,
    max: 10,
  }),
  LOG_LEVEL: oneOf({
    ...server("Least severe level that is logged."),
    default: "info",
    values: ["silent", "fatal", "error", "warn", "info", "debug", "trace"],
  }),
  LOG_FORMAT: oneOf({
    ...server("Lines of JSON, or text for people; auto is text on a terminal and JSON elsewhere."),
    default: "auto",
    values: ["auto", "json", "text"],
  }),
  ACCESS_LOG: boolean({ ...server("Log method, route, status and time of each REST request."), default: false }),

  SERVICES: list({
    ...cluster("Services that this process runs; empty means all."),
    allowed: "a comma list of service names",
    item: (text) => /^[a-z][a-z0-9-]*$/.test(text),
  }),
  NODE_ID: string({
    ...cluster("Name of this process in the cluster; made from host name and process id when empty."),
    default: undefined,
    allowed: "1 to 64 letters, digits, dots, hyphens or underscores",
    pattern: /^[\w.-]{1,64}$/,
  }),
  NAMESPACE: string({
    ...cluster("Processes of one NATS server see each other when this is the same; also the prefix of keys in Redis."),
    default: "parley",
    allowed: "1 to 32 letters, digits, hyphens or underscores",
    pattern: /^[\w-]{1,32}$/,
  }),
  NATS_URL: secret({
    ...cluster("NATS server that joins several processes; needs MONGODB_URI, REDIS_URL and AUTH_KEYS too."),
    allowed: "a comma list of addresses like nats://user:password@host:4222 (tls:// for TLS)",
    pattern: /^(nats|tls):\/\/[^\s,]+(\s*,\s*(nats|tls):\/\/[^\s,]+)*$/,
  }),
  NATS_CREDENTIALS: string({ ...cluster("File with NATS credentials (JWT and seed)."), default: undefined }),
  NATS_CA: string({ ...cluster("File with the certificate authority of the NATS server."), default: undefined }),
  NATS_CERT: string({ ...cluster("File with this process's certificate for NATS."), default: undefined }),
  NATS_KEY: string({ ...cluster("File with the private key of NATS_CERT."), default: undefined }),
  MONGODB_URI: secret({
    ...cluster("MongoDB that replaces the SQLite file; prepare it with `npm run migrate`."),
    allowed: "an address like mongodb://user:password@host/database",
    pattern: /^mongodb(\+srv)?:\/\/\S+$/,
  }),
  REDIS_URL: secret({
    ...cluster("Redis that replaces the memory of one process."),
    allowed: "an address like redis://user:password@host:6379/0 (rediss:// for TLS)",
    pattern: /^rediss?:\/\/\S+$/,
  }),
  DIALECTS: reserved(cluster("Foreign protocols to serve.")),

  AUTH_KEYS: secret({
    ...accounts("Keys that sign access tokens; the first signs, all verify. Made and kept in DATA_DIR when empty."),
    allowed: "a comma list of <key id>:<base64 of at least 32 bytes>",
    pattern: /^[\w-]{1,32}:[A-Za-z0-9+/_=-]{43,}(\s*,\s*[\w-]{1,32}:[A-Za-z0-9+/_=-]{43,})*$/,
  }),
  ADMIN_EMAIL: string({
    ...accounts("E-mail of the first administrator."),
    default: undefined,
    allowed: "an e-mail address",
    pattern: /^[^\s@]+@[^\s@]+$/,
  }),
  ADMIN_PASSWORD: secret({
    ...accounts("Password of the first administrator; drawn and printed once when empty."),
    allowed: "8 to 256 characters",
    pattern: /^.{8,256}$/,
  }),

  TRACING_URL: string({
    ...observing("Where traces go, in Zipkin's JSON format; nothing is traced when empty."),
    default: undefined,
    allowed: "an address like http://jaeger:9411/api/v2/spans",
    pattern: /^https?:\/\/[^\s@]+$/,
  }),
  TRACING_PERCENT: integer({ ...observing("How many of a hundred calls are traced."), default: 10, min: 1, max: 100 }),

  TEXT_LENGTH: integer({ ...sizes("Most characters of a text."), default: 8_000, min: 1, max: 32_000 }),
  PACKET_BYTES: integer({ ...sizes("Largest socket packet."), default: 64 * KILOBYTE, min: KILOBYTE, max: MEGABYTE }),
  BODY_BYTES: integer({ ...sizes("Largest REST body."), default: 64 * KILOBYTE, min: KILOBYTE, max: MEGABYTE }),
  SOCKET_BUFFER_BYTES: integer({
    ...sizes("Bytes that may wait for a slow reader before its socket is closed."),
    default: MEGABYTE,
    min: 64 * KILOBYTE,
    max: 256 * MEGABYTE,
  }),

  ACCESS_TOKEN_SECONDS: integer({ ...durations("Life of an access token."), default: 900, min: 1, max: 86_400 }),
  REFRESH_TOKEN_SECONDS: integer({
    ...durations("Life of a refresh token."),
    default: 2_592_000,
    min: 60,
    max: 31_536_000,
  }),
  REQUEST_TIMEOUT_MS: integer({
    ...durations("Time after which nobody waits for an answer any more."),
    default: 10_000,
    min: 100,
    max: 120_000,
  }),
  DRAIN_SECONDS: integer({
    ...durations("Time for a stopping process to finish what is in flight and send its sockets away."),
    default: 10,
    min: 0,
    max: 600,
  }),

  AGENT_AWAY_MS: integer({
    ...durations("Time without a sign of life after which an agent who is online counts as away; 0 for never."),
    default: 600_000,
    min: 0,
    max: 86_400_000,
  }),
  AGENT_GRACE_MS: integer({
    ...durations("Time after losing the last connection in which an agent is as before; offline afterwards."),
    default: 60_000,
    min: 0,
    max: 3_600_000,
  }),

  LIMIT_PACKETS_PER_SECOND: limit(50, "Packets of one socket."),
  LIMIT_USER_PACKETS_PER_SECOND: limit(100, "Packets of one user, over all sockets of a process."),
  LIMIT_REQUESTS_PER_MINUTE: limit(600, "REST requests of one address."),
  LIMIT_LOGINS_PER_MINUTE: limit(10, "Login attempts of one address, and for one e-mail."),
  LIMIT_SIGNUPS_PER_MINUTE: limit(10, "Sign-ups of one address."),
  LIMIT_GUESTS_PER_MINUTE: limit(30, "New guests of one address."),
  LIMIT_PASSWORD_QUEUE: limit(100, "Passwords waiting to be hashed."),
  LIMIT_SOCKETS: limit(20_000, "Sockets of one process."),
  LIMIT_SOCKETS_PER_USER: limit(20, "Sockets of one user, at one process."),
  LIMIT_CONNECTIONS: limit(25_000, "TCP connections of one process."),
  LIMIT_MEMBERS: limit(10_000, "Members of one group."),
  LIMIT_REPLIES: limit(500, "Canned replies that all share, and again of each agent."),
  LIMIT_ACTIVATIONS: limit(10_000, "Activations kept in memory."),
  LIMIT_MAILBOX: limit(10_000, "Commands waiting at one activation."),
};

export type Config = Values<typeof SETTINGS>;

/**
 * Reads the configuration, frozen. Each setting has the name that it has in the environment.
 * @throws ConfigError naming every setting that is malformed
 */
export const readConfig = (env: Readonly<Record<string, string | undefined>>): Config => readSettings(SETTINGS, env);

const SHARED = ["NATS_URL", "MONGODB_URI", "REDIS_URL", "AUTH_KEYS"] as const;

/**
 * What is missing for this process to be one of several; empty when nothing is, or when it is alone: it runs every
 * service and joins no NATS.
 */
export function missingForCluster(config: Config): readonly string[] {
  if (config.NATS_URL === undefined && config.SERVICES.length === 0) return [];
  return SHARED.filter((name) => config[name] === undefined).map(
    (name) => `${name}: missing; a process that is one of several needs it (npm run servers starts what it names)`,
  );
}
