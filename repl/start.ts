import type { ServiceBroker } from "moleculer";
import itsNodes from "moleculer-repl/src/commands/nodes";
import { commands } from ".";

/** Opens the operator's console on a broker. `onExit` is called when it is left; it stops the broker. */
export function startRepl(broker: ServiceBroker, onExit: () => void): void {
  // Ours tells what a node does not reach, in 80 columns. A command of the same name would be skipped.
  itsNodes.register = () => undefined;
  // Moleculer's types say positional arguments; moleculer-repl passes them by name.
  const customCommands = commands as unknown as ServiceBroker.ReplCustomCommand[];
  Object.assign(broker.options, { replOptions: { customCommands, delimiter: "parley $" } });
  const repl = broker.repl() as unknown as NodeJS.EventEmitter;
  // Moleculer's own handler would leave out the drain.
  repl.removeAllListeners("exit");
  repl.on("exit", onExit);
}
