import type { ServiceBroker } from "moleculer";
import { span } from "../lib/span";
import { clean, type Column, drawTable, type DrawingTools } from "./table";

/** What a command works with. */
export interface Session {
  readonly broker: ServiceBroker;
  /** Positional arguments by name. */
  readonly args: Readonly<Record<string, string | undefined>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly now: number;
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): string;
}

export interface Command {
  /** Name and arguments as commander reads them: `<needed>`, `[optional]`. */
  readonly command: string;
  readonly description: string;
  readonly options: ReadonlyArray<{ option: string; description: string }>;
  /** Answers what is printed. */
  run(session: Session): Promise<string>;
}

/** A custom command of moleculer-repl. */
export interface CustomCommand {
  command: string;
  description: string;
  options: Array<{ option: string; description: string }>;
  action(broker: ServiceBroker, params: Record<string, unknown>, tools: DrawingTools): Promise<void>;
}

/** Turns a command into the form moleculer-repl takes. A failure is one line, not a stack. */
export const toCustomCommand = (definition: Command): CustomCommand => ({
  command: definition.command,
  description: definition.description,
  options: [...definition.options],
  async action(broker, { options, rawCommand: _, ...args }, tools) {
    const table: Session["table"] = (columns, rows) => drawTable(tools, columns, rows);
    const session: Session = {
      broker,
      args: Object.fromEntries(Object.entries(args).map(([name, value]) => [name, String(value)])),
      options: typeof options === "object" && options !== null ? { ...options } : {},
      now: Date.now(),
      table,
    };
    console.log(await definition.run(session).catch(explain));
  },
});

function explain(error: unknown): string {
  if (!(error instanceof Error)) return "Failed.";
  const type = "type" in error && typeof error.type === "string" ? `${error.type}: ` : "";
  return clean(`${type}${error.message}`);
}

/** The option every listing has. */
export const LIMIT_OPTION = { option: "-n, --limit <count>", description: "How many at most (20)" };

/** Reads `--limit`: 1 to 100, 20 without one. Throws a RangeError that says so. */
export function limitOf({ options }: Session): number {
  const limit = Number(options.limit ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    throw new RangeError("--limit takes a number from 1 to 100");
  return limit;
}

/** How long ago something was. */
export const ago = (time: string | number, now: number): string => span(Math.max(0, now - new Date(time).getTime()));
