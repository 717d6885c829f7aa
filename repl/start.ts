import type { ServiceBroker } from "moleculer";
import itsNodes from "moleculer-repl/src/commands/nodes";
import { commands } from ".";

/** Commander, as moleculer-repl uses it. */
interface Program {
  readonly commands: readonly Program[];
  showHelpAfterError(text: string): unknown;
  exitOverride(onError: (error: Error) => never): unknown;
}

/** Of what was typed wrong moleculer-repl would print all help there is, and log a stack after commander's line. */
function tellOnce(program: Program): void {
  program.showHelpAfterError("(help lists the commands)");
  for (const each of [program, ...program.commands])
    each.exitOverride((error) => {
      throw Object.assign(error, { code: "commander.help" });
    });
}

/** Opens the operator's console on a broker. `onExit` is called when it is left; it stops the broker. */
export function startRepl(broker: ServiceBroker, onExit: () => void): void {
  // Ours tells what a node does not reach, in 80 columns. A command of the same name would be skipped.
  let program: Program | undefined;
  itsNodes.register = (its) => void (program = its as Program);
  // Moleculer's types say positional arguments; moleculer-repl passes them by name.
  const customCommands = commands as unknown as ServiceBroker.ReplCustomCommand[];
  Object.assign(broker.options, { replOptions: { customCommands, delimiter: "parley $" } });
  const repl = broker.repl() as unknown as NodeJS.EventEmitter;
  if (program) tellOnce(program);
  // Moleculer's own handler would leave out the drain.
  repl.removeAllListeners("exit");
  repl.on("exit", onExit);
}
