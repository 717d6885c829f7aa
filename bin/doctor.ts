import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Config, ConfigError, missingForCluster, readConfig, SETTINGS } from "../lib/config";
import { diagnose } from "../lib/doctor/diagnose";
import { type Check, fail, ok, warn } from "../lib/doctor/finding";
import { keysCheck } from "../lib/doctor/keys-check";
import { natsCheck } from "../lib/doctor/nats-check";
import { type Needed, nodesCheck } from "../lib/doctor/nodes-check";
import { publicCheck } from "../lib/doctor/public-check";
import { redisCheck } from "../lib/doctor/redis-check";
import { storeCheck } from "../lib/doctor/store-check";
import { keyFingerprints } from "../lib/key-fingerprints";
import { observe } from "../lib/observer";
import { COLLECTIONS } from "../services/collections";
import { ROLES } from "../services/roles";
import { addressOf } from "./local-server";
import { messageOf } from "../lib/message-of";

const USAGE = `npm run doctor -- [--url https://chat.example.org]

Checks every link with the settings of this process and says what to do about a broken one.
Exit code 1 when something does not work.
`;

/** A heartbeat of every node, and half of one. */
const SETTLE_MS = 1_500;

const NEEDED: readonly Needed[] = [
  ...ROLES.gateway.map((service): Needed => ({ service, without: "no REST", level: "fail" })),
  ...ROLES.io.map((service): Needed => ({ service, without: "no sockets", level: "fail" })),
  ...ROLES.core.map((service): Needed => ({ service, without: "its actions are unavailable", level: "fail" })),
  ...ROLES.scheduler.map((service): Needed => ({ service, without: "timed work is left undone", level: "warn" })),
];

const HELP = "See docs/configuration.md.";
/** The runner of a local cluster makes keys and hands them on: the doctor, started beside it, has none. */
const KEYS_ELSEWHERE = warn(
  "AUTH_KEYS is not set here",
  "Nodes started one by one need it; npm run cluster makes its own.",
);

function settingsCheck(problems: readonly string[]): Check {
  const set = Object.keys(SETTINGS).filter((name) => (process.env[name] ?? "") !== "").length;
  const findings =
    problems.length === 0
      ? [ok(`${set} of ${Object.keys(SETTINGS).length} are set, the others have their defaults`)]
      : problems.map((problem) => (problem.startsWith("AUTH_KEYS: missing") ? KEYS_ELSEWHERE : fail(problem, HELP)));
  return { name: "settings", run: async () => findings };
}

/** The settings, or what is wrong with them. */
function settings(): { config?: Config; problems: readonly string[] } {
  try {
    const config = readConfig(process.env);
    return { config, problems: missingForCluster(config) };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems };
    throw error;
  }
}

const ownKeys = ({ AUTH_KEYS: keys }: Config): { keys?: string[] } =>
  keys === undefined ? {} : { keys: keyFingerprints(keys) };

function checksOf(config: Config, url: string): Check[] {
  // What the doctor does itself is no finding.
  const join = () => observe({ config: { ...config, LOG_LEVEL: "silent" }, name: "doctor", settleMs: SETTLE_MS });
  return [
    keysCheck(config),
    natsCheck(config),
    redisCheck(config),
    storeCheck(config, COLLECTIONS),
    ...(config.NATS_URL === undefined ? [] : [nodesCheck({ join, needed: NEEDED, ...ownKeys(config) })]),
    publicCheck(config, url),
  ];
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { url: { type: "string" }, help: { type: "boolean", short: "h" } } });
  if (values.help === true || (values.url !== undefined && !/^https?:\/\/[^/]+$/.test(values.url))) {
    process.stdout.write(USAGE);
    return values.help === true ? 0 : 2;
  }
  if (existsSync(".env")) process.loadEnvFile(".env");
  const { config, problems } = settings();
  const checks = [settingsCheck(problems), ...(config ? checksOf(config, values.url ?? addressOf(config)) : [])];
  const worst = await diagnose(checks, (line) => void process.stdout.write(`${line}\n`));
  return worst === "fail" ? 1 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(2);
  },
);
