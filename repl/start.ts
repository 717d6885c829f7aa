import { homedir } from "node:os";
import { join } from "node:path";
import { REPLServer } from "node:repl";
import type { ServiceBroker } from "moleculer";
import itsMetrics from "moleculer-repl/src/commands/metrics";
import itsNodes from "moleculer-repl/src/commands/nodes";
import { commands } from ".";

/** Commander, as moleculer-repl uses it. */
interface Program {
  readonly commands: readonly Program[];
  name(): string;
  usage(): string;
  configureHelp(help: { commandUsage(command: Program): string }): unknown;
  showHelpAfterError(text: string): unknown;
  exitOverride(onError: (error: Error) => never): unknown;
}

const HISTORY = join(homedir(), ".parley_repl_history");

/** Runs something that opens a console with a history of its own choice, and gives it ours. Without one it works, too. */
function withHistory<T>(open: () => T): T {
  const { setupHistory } = REPLServer.prototype;
  REPLServer.prototype.setupHistory = function (this: REPLServer) {
    Reflect.apply(setupHistory, this, [HISTORY, () => undefined]);
  };
  try {
    return open();
  } finally {
    REPLServer.prototype.setupHistory = setupHistory;
  }
}

/** Of what was typed wrong moleculer-repl would print all help there is, and log a stack after commander's line. */
function tellOnce(program: Program): void {
  program.showHelpAfterError("(help lists the commands)");
  for (const each of [program, ...program.commands]) {
    each.exitOverride((error) => {
      throw Object.assign(error, { code: "commander.help" });
    });
    // The program has no name that anybody types.
    each.configureHelp({ commandUsage: (command) => `${command.name()} ${command.usage()}` });
  }
}

/** Opens the operator's console on a broker. `onExit` is called when it is left; it stops the broker. */
export function startRepl(broker: ServiceBroker, onExit: () => void): void {
  // Ours tells what a node does not reach, in 80 columns. A command of the same name would be skipped.
  let program: Program | undefined;
  // It knows of the framework's own metrics only, which are off: each node has ours at /metrics.
  itsMetrics.register = () => undefined;
  itsNodes.register = (its) => void (program = its as Program);
  // Moleculer's types say positional arguments; moleculer-repl passes them by name.
  const customCommands = commands as unknown as ServiceBroker.ReplCustomCommand[];
  Object.assign(broker.options, { replOptions: { customCommands, delimiter: "parley $" } });
  const repl = withHistory(() => broker.repl()) as unknown as NodeJS.EventEmitter;
  if (program) tellOnce(program);
  // Moleculer's own handler would leave out the drain.
  repl.removeAllListeners("exit");
  repl.on("exit", onExit);
}
