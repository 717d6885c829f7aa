import { connect, ErrorCode, type NatsConnection, type NatsError } from "nats";
import { type Config, ConfigError } from "../config";
import { natsAddresses, natsOptions } from "../nats-connection";
import { type Check, fail, type Finding, ok, warn } from "./finding";
import { isLoopback, timed, unreachable } from "./reach";

const PORT = 4_222;
const CONNECT_MS = 3_000;
/** What the broker sends in one piece by default. */
const PAYLOAD_BYTES = 1_048_576;
const TLS: string = ErrorCode.Tls;
const REFUSED: ReadonlySet<string> = new Set([
  ErrorCode.AuthorizationViolation,
  ErrorCode.AuthenticationExpired,
  ErrorCode.BadAuthentication,
  ErrorCode.PermissionsViolation,
]);

/** Is NATS there, does it let us in, and does it answer? */
export const natsCheck = (config: Config): Check => ({
  name: "nats",
  async run() {
    if (config.NATS_URL === undefined) return [ok("NATS_URL is not set: this is one process")];
    const addresses = natsAddresses(config.NATS_URL);
    const findings: Finding[] = [];
    for (const address of addresses) {
      const reason = await unreachable(address.hostname, Number(address.port || PORT));
      if (reason) findings.push(fail(reason, "Start NATS there, or correct NATS_URL."));
    }
    if (findings.length < addresses.length) findings.push(...(await greet(config, addresses)));
    return findings;
  },
});

async function greet(config: Config, addresses: readonly URL[]): Promise<Finding[]> {
  let connection: NatsConnection;
  try {
    connection = await connect({
      ...natsOptions(config),
      reconnect: false,
      maxReconnectAttempts: 0,
      timeout: CONNECT_MS,
    });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => fail(problem, "Correct it."));
    return [explain(error as NatsError)];
  }
  try {
    const { ms } = await timed(() => connection.rtt());
    const { version = "?", max_payload: payload = PAYLOAD_BYTES, tls_required: tls } = connection.info ?? {};
    const findings = [ok(`NATS ${version} answers in ${ms} ms`)];
    if (payload < PAYLOAD_BYTES)
      findings.push(
        warn(`its max_payload is ${payload} bytes: large flushes travel in many parts`, "Raise it to 1 MB."),
      );
    if (!tls && addresses.some(({ hostname }) => !isLoopback(hostname)))
      findings.push(warn("the connection is not encrypted", "Use tls:// in NATS_URL, unless the network is trusted."));
    return findings;
  } finally {
    await connection.close();
  }
}

function explain({ code, message }: NatsError): Finding {
  if (REFUSED.has(code))
    return fail("NATS does not let us in", "Correct user and password in NATS_URL, or the file in NATS_CREDENTIALS.");
  if (code === TLS || /certificate|tls|ssl/i.test(message))
    return fail(`the TLS handshake with NATS failed: ${message}`, "Correct NATS_CA, NATS_CERT and NATS_KEY.");
  return fail(`NATS was reached, but gave no greeting: ${code || message}`, "See what listens there.");
}
