import { connect } from "node:net";

const CONNECT_MS = 3_000;

/** Why nobody can be reached there, in words; undefined when somebody accepts connections. */
export function unreachable(host: string, port: number): Promise<string | undefined> {
  const where = `${host}:${port}`;
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const end = (reason?: string) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once("connect", () => end());
    socket.once("timeout", () => end(`${where} does not answer`));
    socket.once("error", (error: NodeJS.ErrnoException) => end(reasonOf(where, error)));
  });
}

function reasonOf(where: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === "ECONNREFUSED") return `nothing listens on ${where}`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `the name in ${where} is not known`;
  return `${where}: ${code ?? message}`;
}

/** Milliseconds that something takes, and what it answers. */
export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; answer: T }> {
  const start = performance.now();
  const answer = await work();
  return { ms: Math.max(1, Math.round(performance.now() - start)), answer };
}

/** Is what is sent there visible to nobody else? */
export const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host);
