import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy";
import { until } from "../../support/wait";

describe("TCP proxy", () => {
  let echo: Server;
  let proxy: TcpProxy;
  const clients: Socket[] = [];
  const open = (): { socket: Socket; read: () => string } => {
    const socket = connect(proxy.port, proxy.host);
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("error", () => undefined);
    clients.push(socket);
    return { socket, read: () => text };
  };

  beforeEach(async () => {
    echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    proxy = await startTcpProxy({ host: "127.0.0.1", port: (echo.address() as AddressInfo).port });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await proxy.close();
    await new Promise((resolve) => echo.close(resolve));
  });

  it("passes bytes on, and ends with its client", async () => {
    const { socket, read } = open();
    socket.write("hello");
    await until("the echo", () => read() === "hello");
    socket.destroy();
    await until("no connection", () => proxy.connections === 0);
  });

  it("cuts what is open and refuses what is new until it resumes", async () => {
    const first = open();
    first.socket.write("a");
    await until("the echo", () => first.read() === "a");
    proxy.cut();
    await until("cut", () => first.socket.closed);
    const second = open();
    await until("refused", () => second.socket.closed);
    proxy.resume();
    const third = open();
    third.socket.write("b");
    await until("the echo", () => third.read() === "b");
  });

  it("holds everything back while frozen, and then lets it through in order", async () => {
    const { socket, read } = open();
    socket.write("a");
    await until("the echo", () => read() === "a");
    proxy.freeze();
    socket.write("b");
    await new Promise((resolve) => socket.write("c", resolve));
    expect(read()).toBe("a");
    proxy.resume();
    await until("the echo", () => read() === "abc");
  });

  it("delays what passes", async () => {
    const { socket, read } = open();
    proxy.delay(50);
    const start = performance.now();
    socket.write("a");
    await until("the echo", () => read() === "a");
    expect(performance.now() - start).toBeGreaterThanOrEqual(99);
  });

  it("names the address that leads through it", () => {
    const { port } = echo.address() as AddressInfo;
    expect(proxy.through(`redis://user@127.0.0.1:${port}/0`)).toBe(`redis://user@127.0.0.1:${proxy.port}/0`);
  });
});
