import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { engineSid, tagIn, taggedIds, tagOf } from "../../../lib/front-door/affinity";
import { FrontDoor, type Route } from "../../../lib/front-door/front-door";
import { until } from "../../support/wait";

const ROUTES: readonly Route[] = [
  { prefix: "/socket.io/", group: "io", silenceMs: 5_000, affinity: engineSid },
  { prefix: "/", group: "gateway", silenceMs: 5_000 },
];

/** A process behind the front door that says who it is. */
class Backend {
  ready = true;
  readonly asked: IncomingMessage[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly id: string,
    readonly group: string,
    readonly server: Server,
  ) {
    server.on("connection", (socket) => this.sockets.add(socket));
  }

  static async start(group: string, id: string, handle?: RequestListener): Promise<Backend> {
    const server = createServer();
    const backend = new Backend(id, group, server);
    server.on("request", (request, response) => {
      if (request.url === "/health/ready") {
        response.writeHead(backend.ready ? 200 : 503).end();
        return;
      }
      backend.asked.push(request);
      if (handle) handle(request, response);
      else response.end(id);
    });
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      backend.asked.push(request);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.on("error", () => undefined);
      const echo = (data: Buffer) => data.length > 0 && socket.write(`${id}:${data.toString()}`);
      echo(head);
      socket.on("data", echo);
      socket.on("end", () => socket.end());
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    return backend;
  }

  get target() {
    return { id: this.id, group: this.group, host: "127.0.0.1", port: (this.server.address() as AddressInfo).port };
  }

  /** As a killed process: every connection is cut, and nobody listens. */
  async die(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.resetAndDestroy();
    await closed;
  }
}

describe("the front door", () => {
  let door: FrontDoor;
  const backends: Backend[] = [];
  const start = async (group: string, id: string, handle?: RequestListener): Promise<Backend> => {
    const backend = await Backend.start(group, id, handle);
    backends.push(backend);
    door.add(backend.target);
    return backend;
  };
  const openDoor = async (): Promise<FrontDoor> => {
    const opened = new FrontDoor({ host: "127.0.0.1", port: 0, maxConnections: 1_000, routes: ROUTES });
    await opened.listen();
    return opened;
  };
  const ask = async (path: string, init?: RequestInit): Promise<string> => (await fetch(door.url + path, init)).text();
  const error = async (response: Response): Promise<unknown> => ((await response.json()) as { error: unknown }).error;

  beforeEach(async () => {
    door = await openDoor();
  });
  afterEach(async () => {
    await door.close();
    await Promise.all(backends.splice(0).map((backend) => backend.die()));
  });

  it("leads socket paths to io nodes and the rest to gateways", async () => {
    await start("io", "io-1");
    await start("gateway", "gateway-1");
    expect(await ask("/socket.io/?EIO=4&transport=polling")).toBe("io-1");
    expect(await ask("/v1/me")).toBe("gateway-1");
    expect(await ask("/")).toBe("gateway-1");
  });

  it("shares requests between targets", async () => {
    await start("gateway", "gateway-1");
    await start("gateway", "gateway-2");
    const answers = [await ask("/a"), await ask("/b"), await ask("/c"), await ask("/d")];
    expect(answers.filter((answer) => answer === "gateway-1")).toHaveLength(2);
  });

  it("leads a long-polling client to the node that its connection's id names, also after a restart", async () => {
    const nodes = ["io-1", "io-2", "io-3"];
    for (const id of nodes) await start("io", id);
    for (const restarted of [false, true]) {
      if (restarted) {
        await door.close();
        door = await openDoor();
        for (const { target } of backends) door.add(target);
      }
      for (const id of nodes) {
        const sid = taggedIds(id)();
        expect(await ask(`/socket.io/?EIO=4&transport=polling&sid=${sid}`)).toBe(id);
      }
    }
  });

  it("leads the requests of an id that names nobody to one node all the same", async () => {
    for (const id of ["io-1", "io-2", "io-3"]) await start("io", id);
    const path = `/socket.io/?EIO=4&sid=${taggedIds("gone")()}`;
    const answers = new Set([await ask(path), await ask(path), await ask(path), await ask(path)]);
    expect(answers.size).toBe(1);
  });

  it("joins an upgraded connection to a node, and ends one side with the other", async () => {
    const backend = await start("io", "io-1");
    const client = connect(Number(new URL(door.url).port), "127.0.0.1");
    let got = "";
    client.on("data", (data) => (got += data.toString()));
    const ended = new Promise((resolve) => client.once("close", resolve));
    client.write("GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
    await until("the echo", () => got.endsWith("io-1:early"));
    expect(got).toContain("101 Switching Protocols");
    client.write("late");
    await until("the second echo", () => got.endsWith("io-1:late"));
    expect(backend.asked[0]?.headers).toMatchObject({ host: "h", "x-forwarded-for": "127.0.0.1" });
    await backend.die();
    await ended;
  });

  it("tells an upgrade that reaches nobody so, in a typed error", async () => {
    const client = connect(Number(new URL(door.url).port), "127.0.0.1");
    let got = "";
    client.on("data", (data) => (got += data.toString()));
    client.write("GET /socket.io/ HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await new Promise((resolve) => client.once("close", resolve));
    expect(got).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(got).toContain('"type":"UNAVAILABLE"');
  });

  it("appends the caller's address to what the caller says of itself", async () => {
    const backend = await start("gateway", "gateway-1");
    await ask("/a");
    await ask("/b", { headers: { "x-forwarded-for": "1.2.3.4" } });
    expect(backend.asked.map(({ headers }) => headers["x-forwarded-for"])).toEqual(["127.0.0.1", "1.2.3.4, 127.0.0.1"]);
  });

  it("passes method, path, body, status and headers through, and none that concern one connection", async () => {
    const backend = await start("gateway", "gateway-1", (request, response) => {
      response.writeHead(207, { "Set-Cookie": ["a=1", "b=2"], "X-Own": "yes", "Keep-Alive": "timeout=7" });
      request.pipe(response);
    });
    const sent = "x".repeat(300_000);
    const answer = await fetch(`${door.url}/v1/a?b=c%20d`, { method: "PUT", body: sent, headers: { "X-Mine": "1" } });
    expect(answer.status).toBe(207);
    expect(await answer.text()).toBe(sent);
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect([answer.headers.get("x-own"), answer.headers.get("keep-alive")]).not.toContain("timeout=7");
    const [request] = backend.asked;
    expect([request?.method, request?.url, request?.headers["x-mine"]]).toEqual(["PUT", "/v1/a?b=c%20d", "1"]);
  });

  it("passes an answer on while it is being written", async () => {
    let finish: () => void = () => undefined;
    await start("gateway", "gateway-1", (_, response: ServerResponse) => {
      response.write("first");
      finish = () => response.end("second");
    });
    const reader = (await fetch(`${door.url}/stream`)).body?.getReader();
    const read = async () => Buffer.from((await reader?.read())?.value ?? []).toString();
    expect(await read()).toBe("first");
    finish();
    expect(await read()).toBe("second");
  });

  it("gives a request that reached nobody to the next target", async () => {
    const dead = await start("gateway", "gateway-1");
    await start("gateway", "gateway-2");
    await dead.die();
    for (let n = 0; n < 4; n++) expect(await ask("/v1/a", { method: "POST", body: "b" })).toBe("gateway-2");
  });

  it("repeats what changes nothing when its target dies, and says of a write that its outcome is unknown", async () => {
    const hold = () => undefined;
    const dying = await start("gateway", "gateway-1", hold);
    const read = fetch(`${door.url}/read`);
    await until("it has the read", () => dying.asked.length === 1);
    await start("gateway", "gateway-2");
    door.remove("gateway-2");
    const write = fetch(`${door.url}/write`, { method: "POST", body: "{}" });
    await until("it has both", () => dying.asked.length === 2);
    const other = backends.at(-1);
    if (other) door.add(other.target);
    await dying.die();
    expect(await (await read).text()).toBe("gateway-2");
    const answer = await write;
    expect(answer.status).toBe(502);
    expect(await error(answer)).toMatchObject({ type: "UNKNOWN_OUTCOME", retryable: true });
    expect(other?.asked.map(({ url }) => url)).toEqual(["/read"]);
  });

  it("answers with a typed error when nobody is there", async () => {
    const answer = await fetch(`${door.url}/v1/me`);
    expect(answer.status).toBe(502);
    expect(await error(answer)).toMatchObject({ type: "UNAVAILABLE", retryable: true });
  });

  it("gives a target that is not ready nothing new, and takes it back when it is", async () => {
    const tired = await start("gateway", "gateway-1");
    await start("gateway", "gateway-2");
    tired.ready = false;
    await until("the check", () => door.healthy.join() === "gateway-2");
    expect([await ask("/a"), await ask("/b")]).toEqual(["gateway-2", "gateway-2"]);
    tired.ready = true;
    await until("the next check", () => door.healthy.length === 2);
  });

  it("lets a target that is not ready explain itself when there is no other", async () => {
    const tired = await start("gateway", "gateway-1");
    tired.ready = false;
    await until("the check", () => door.healthy.length === 0);
    expect(await ask("/a")).toBe("gateway-1");
  });

  it("lets a removed target finish what it serves", async () => {
    let finish: () => void = () => undefined;
    const leaving = await start("gateway", "gateway-1", (_, response) => (finish = () => void response.end("done")));
    const answer = ask("/slow");
    await until("it is asked", () => leaving.asked.length === 1);
    door.remove("gateway-1");
    await start("gateway", "gateway-2");
    expect(await ask("/a")).toBe("gateway-2");
    finish();
    expect(await answer).toBe("done");
  });

  it("gives a request up when its client has left", async () => {
    let abandoned = false;
    const backend = await start("gateway", "gateway-1", (_, response) => {
      response.once("close", () => (abandoned = true));
    });
    const leaving = new AbortController();
    const answer = ask("/slow", { signal: leaving.signal }).catch(() => "left");
    await until("it is asked", () => backend.asked.length === 1);
    leaving.abort();
    expect(await answer).toBe("left");
    await until("the target is told", () => abandoned);
  });
});

describe("the id of a connection", () => {
  it("names its node without telling its name, and is never the same", () => {
    const make = taggedIds("parley-io-1.internal");
    const [one, two] = [make(), make()];
    expect(one).not.toBe(two);
    expect(tagIn(one)).toBe(tagOf("parley-io-1.internal"));
    expect(one).toMatch(/^[\w-]{20}\.[A-Za-z0-9]{8}$/);
  });

  it("is read from the query only", () => {
    expect(engineSid({ url: "/socket.io/?EIO=4&sid=a.b&t=1" })).toBe("a.b");
    expect(engineSid({ url: "/socket.io/?EIO=4" })).toBeUndefined();
    expect(engineSid({ url: "/socket.io/" })).toBeUndefined();
  });
});
