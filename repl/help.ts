import type { CustomCommand } from "./command";
import { drawTable, type DrawingTools } from "./table";

/** A command as commander keeps it. */
interface Known {
  name(): string;
  outputHelp(): void;
}

interface HelpTools extends DrawingTools {
  readonly cmd?: { readonly parent?: { readonly commands: readonly Known[] } | null };
}

const COLUMNS = [{ title: "Command" }, { title: "What it does", overflow: "wrap" }] as const;

/** Commander's own list would put the framework's commands before these, and breaks words at 80 columns. */
export const helpOf = (commands: readonly CustomCommand[]): CustomCommand => ({
  command: "help [command]",
  description: "List the commands, or tell all about one: help sessions",
  options: [],
  action(_broker, { command: asked }, tools) {
    const { cmd } = tools as HelpTools;
    const known = cmd?.parent?.commands ?? [];
    const found = known.find((each) => each.name() === asked);
    if (found) found.outputHelp();
    else console.log(overview(commands, known, tools));
    return Promise.resolve();
  },
});

function overview(commands: readonly CustomCommand[], known: readonly Known[], tools: DrawingTools): string {
  const rows = [...commands.map(({ command, description }) => [command, description]), ["exit", "Leave the console"]];
  const ours = new Set([...rows.map(([command = ""]) => command.split(" ")[0]), "help"]);
  const others = known.map((each) => each.name()).filter((name) => !ours.has(name));
  const more = others.length === 0 ? "" : `\n\nOf the framework, for developers: help <command>\n${wrapped(others)}`;
  return `${drawTable(tools, COLUMNS, rows)}${more}`;
}

const LINE_WIDTH = 78;

/** Words on lines that fit. */
const wrapped = (words: readonly string[]): string =>
  words
    .reduce<string[]>((lines, word) => {
      const last = lines.at(-1);
      const longer = last === undefined ? word : `${last} ${word}`;
      return longer.length > LINE_WIDTH ? [...lines, word] : [...lines.slice(0, -1), longer];
    }, [])
    .map((line) => `  ${line}`)
    .join("\n");
