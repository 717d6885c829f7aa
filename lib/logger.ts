import { createRequire } from "node:module";
import type { LoggerConfig } from "moleculer";
import { type DestinationStream, levels, type LoggerOptions, stdSerializers } from "pino";
import type * as pinoPretty from "pino-pretty";
import type { Config } from "./config";

/** What Moleculer says of each service that comes and goes. */
const COMING_UP =
  /^(?:Waiting for service\(s\) |Service\(s\) '|Service '[^']+' (?:started|stopped)\.|Socket\.IO Websocket Gateway )/;

/**
 * Moleculer logs `(text, details)`; pino wants `(details, text)`, and an error under `err`. Details in a text, which
 * pino would leave out, are put behind the other text.
 */
const pinoOptions: LoggerOptions = {
  serializers: { error: stdSerializers.err },
  hooks: {
    logMethod(args: unknown[], method, level) {
      const [text, details] = args;
      // How the services come up is of no interest to who runs them.
      if (level === levels.values["info"] && typeof text === "string" && COMING_UP.test(text)) {
        if (this.isLevelEnabled("debug")) this.debug(text);
        return;
      }
      if (typeof text === "string" && typeof details === "string") {
        return method.apply(this, [`${text} ${details}`]);
      }
      if (typeof text !== "string" || typeof details !== "object" || details === null) {
        return method.apply(this, args as Parameters<typeof method>);
      }
      return method.apply(this, [details instanceof Error ? { err: details } : details, text]);
    },
  },
};

/** Log lines through pino, to `destination` or, as JSON, the standard output; undefined when nothing is to be logged. */
export function loggerConfig(level: Config["LOG_LEVEL"], destination?: DestinationStream): LoggerConfig | undefined {
  if (level === "silent") return undefined;
  const own = level === "info" ? { BROKER: "warn", REGISTRY: "warn", "**": level } : level;
  return { type: "Pino", options: { level: own, pino: { options: pinoOptions, destination } } } as LoggerConfig;
}

/** Is this a format for people, in this process? */
export const isForPeople = (format: Config["LOG_FORMAT"]): boolean =>
  format === "text" || (format === "auto" && process.stdout.isTTY);

/** Where lines for people go: one line each to the standard output, coloured on a terminal. */
export function textDestination(): DestinationStream {
  // Not loaded where nobody reads along.
  const { prettyFactory } = createRequire(__filename)("pino-pretty") as typeof pinoPretty;
  const toText = prettyFactory({
    translateTime: "SYS:HH:MM:ss",
    ignore: "pid,hostname,nodeID,ns,svc,ver,mod",
    singleLine: true,
  });
  return { write: (line) => void process.stdout.write(toText(line)) };
}
