import { parseArgs, type ParseArgsConfig } from "node:util";
import type { ErrorType, WireError } from "../lib/errors";
import { messageOf } from "../lib/message-of";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<Known extends Options> = ReturnType<typeof parseArgs<{ options: Known }>>["values"];

const HELP = { help: { type: "boolean", short: "h" } } as const;

/**
 * The options that a command was started with. Prints `usage` and ends the process when asked to by `--help`, with exit
 * code 0, or when something else was given, with 2.
 * @param operand  the option that a word without a name stands for; without it there may be none
 */
export function readOptions<Known extends Options>(
  usage: string,
  options: Known,
  operand?: keyof Known & string,
): Values<Known> {
  try {
    const all: Options = { ...options, ...HELP };
    const { values, positionals } = parseArgs({ options: all, allowPositionals: operand !== undefined });
    const [word, ...more] = positionals;
    if (more.length > 0) throw new TypeError(`Unexpected argument '${more.join(" ")}'`);
    if (operand !== undefined && word !== undefined) Object.assign(values, { [operand]: word });
    if (values["help"] !== true) return values as Values<Known>;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message.split(". ", 1)[0]}.\n${usage}`);
    process.exit(2);
  }
}

/** What a command cannot go on with, in words for the person who runs it. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  constructor(
    message: string,
    /** What the server refused with. */
    readonly error?: WireError,
  ) {
    super(message);
  }

  get type(): ErrorType | undefined {
    return this.error?.type;
  }
}

/** Runs a command to its end: with the exit code that it answers or 0; or with 1, and the reason as `tell` has it. */
export function runCommand(main: () => Promise<number | void>, tell = failed): void {
  main().then(
    (code) => process.exit(code ?? 0),
    (error: unknown) => {
      process.stderr.write(`${tell(error)}\n`);
      process.exit(1);
    },
  );
}

const failed = (error: unknown): string => `FAILED: ${messageOf(error)}`;

/** Below a progress bar: what can be put right in words, and with its stack what nobody expected. */
export function belowBar(error: unknown): string {
  if (error instanceof CommandFailure) return `\n${error.message}`;
  return `\n${error instanceof Error ? (error.stack ?? "") : String(error)}`;
}
