import type { LoggerConfig } from "moleculer";
import { type DestinationStream, type LoggerOptions, stdSerializers } from "pino";
import type { Config } from "./config";

/**
 * Moleculer logs `(text, details)`; pino wants `(details, text)`, and an error under `err`. Details in a text, which
 * pino would leave out, are put behind the other text.
 */
const pinoOptions: LoggerOptions = {
  serializers: { error: stdSerializers.err },
  hooks: {
    logMethod(args: unknown[], method) {
      const [text, details] = args;
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

/** JSON lines through pino, to `destination` or the standard output; undefined when nothing is to be logged. */
export function loggerConfig(level: Config["LOG_LEVEL"], destination?: DestinationStream): LoggerConfig | undefined {
  if (level === "silent") return undefined;
  // How the broker comes up is of no interest to who runs it.
  const own = level === "info" ? { BROKER: "warn", REGISTRY: "warn", "**": level } : level;
  return { type: "Pino", options: { level: own, pino: { options: pinoOptions, destination } } } as LoggerConfig;
}
