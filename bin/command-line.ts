import { parseArgs, type ParseArgsConfig } from "node:util";

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
