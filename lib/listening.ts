import type { Server } from "node:http";

/** Resolves when the server listens. Rejects with the system's error, EADDRINUSE when the port is taken. */
export function listenOn(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Takes no more connections and cuts the ones that are left; resolves when the port is free. Twice is as once. */
export async function closeNow(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
