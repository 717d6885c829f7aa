/** A command that moleculer-repl brings; it registers itself. */
declare module "moleculer-repl/src/commands/metrics" {
  const command: { register(program: unknown, broker: unknown): void };
  export default command;
}

/** Likewise. */
declare module "moleculer-repl/src/commands/nodes" {
  const command: { register(program: unknown, broker: unknown): void };
  export default command;
}
