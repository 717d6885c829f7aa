import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { readConfig } from "../../../lib/config";
import { publicCheck } from "../../../lib/doctor/public-check";
import { startSocketNode, type SocketNode } from "../../support/socket-node";
import { freePort } from "../../support/server";

const look = async (url: string, env: Record<string, string> = {}): Promise<string[]> =>
  (await publicCheck(readConfig(env), url).run()).map(({ level, text, advice = "" }) => `${level} ${text}. ${advice}`);

/** A server or proxy that is wrong in some way. */
async function withServer(handle: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server: Server = createServer(handle);
  server.on("upgrade", (_request: IncomingMessage, socket: Socket) =>
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
  );
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("the doctor at the public address", () => {
  describe("of a server that works", () => {
    let node: SocketNode;
    beforeAll(async () => {
      node = await startSocketNode();
    });
    afterAll(() => node.stop());

    it("finds nothing", async () => {
      expect(await look(node.url)).toEqual([
        expect.stringMatching(/^ok http:\S+ is ready and answers in/),
        "ok long-polling works, and stays with one node. ",
        "ok the websocket upgrade works. ",
        expect.stringMatching(/^ok pages of http:\S+ may connect, others may not/),
      ]);
    });

    it("finds origins that the server does not know of", async () => {
      const found = await look(node.url, { ALLOWED_ORIGINS: "http://shop.example.org" });
      expect(found).toContainEqual(expect.stringMatching(/^fail pages of http:\/\/shop.example.org may not connect/));
      expect(found).toContainEqual(
        expect.stringMatching(/^warn the origin http:\/\/shop.example.org is not encrypted/),
      );
    });
  });

  it("warns of a server that every page may use, and finds one that lets foreign pages in against its settings", async () => {
    const node = await startSocketNode({ env: { ALLOWED_ORIGINS: "*" } });
    expect(await look(node.url, { ALLOWED_ORIGINS: "*" })).toContainEqual(
      expect.stringMatching(/^warn ALLOWED_ORIGINS/),
    );
    expect(await look(node.url)).toContainEqual(expect.stringMatching(/^fail pages of any origin may connect/));
    await node.stop();
  });

  it("finds that nobody listens", async () => {
    expect(await look(`http://127.0.0.1:${await freePort()}`)).toEqual([
      expect.stringMatching(/^fail nothing listens on 127\.0\.0\.1:\d+\. Start the server/),
    ]);
  });

  it("finds a server that is not ready", () =>
    withServer(
      (_, response) => response.writeHead(503).end('{"parts":{"store":"down"}}'),
      async (url) => {
        expect(await look(url)).toEqual([expect.stringMatching(/^fail .*answers 503: \{"parts":\{"store":"down"/)]);
      },
    ));

  it("finds a proxy without affinity that passes no upgrade", () =>
    withServer(
      (request, response) => {
        if (request.method === "POST") response.writeHead(400).end();
        else response.end(request.url?.includes("transport=polling") ? '0{"sid":"a"}' : "");
      },
      async (url) => {
        const found = await look(url);
        expect(found).toContainEqual(
          expect.stringMatching(/^fail the requests of one long-polling client reach different nodes\. Give the proxy/),
        );
        expect(found).toContainEqual(
          expect.stringMatching(/^fail the websocket upgrade is refused\. Let the proxy pass the Upgrade/),
        );
      },
    ));

  it("finds a proxy that does not know the way to the io nodes", () =>
    withServer(
      (request, response) => response.writeHead(request.url?.startsWith("/socket.io/") ? 404 : 200).end(),
      async (url) => {
        expect(await look(url)).toContainEqual(
          expect.stringMatching(/^fail long-polling answers 404\. Route \/socket/),
        );
      },
    ));
});
