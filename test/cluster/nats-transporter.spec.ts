import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, ServiceBroker } from "moleculer";
import { connect } from "nats";
import { readConfig } from "../../lib/config";
import { type NatsTransporter, natsTransporter } from "../../lib/nats-transporter";
import { transporterIsUp } from "../../lib/transporter";
import { NatsServer } from "../support/servers";
import { until } from "../support/wait";

/** More than the server takes in one message: 1 MB by default. */
const LARGE = "x".repeat(3_500_000);

describe("the NATS transporter", () => {
  const stops: Array<() => Promise<unknown>> = [];
  let seen: string[] = [];

  const startNats = async (options: ConstructorParameters<typeof NatsServer>[0] = {}): Promise<NatsServer> => {
    const nats = new NatsServer(options);
    stops.unshift(() => nats.stop());
    await nats.start();
    return nats;
  };

  const startBroker = async (nodeID: string, env: Record<string, string>): Promise<ServiceBroker> => {
    const transporter = natsTransporter(readConfig(env));
    const broker = new ServiceBroker({ nodeID, logger: false, transporter, heartbeatInterval: 1, heartbeatTimeout: 3 });
    broker.createService({
      name: nodeID,
      actions: { echo: (ctx: Context<{ text: string }>) => ({ text: ctx.params.text }) },
      events: { "test.told": (ctx: Context<{ text: string }>) => void seen.push(ctx.params.text) },
    });
    stops.unshift(() => broker.stop());
    await broker.start();
    return broker;
  };

  const pair = async (env: Record<string, string>): Promise<[ServiceBroker, ServiceBroker]> => {
    const [a, b] = await Promise.all([startBroker("a", env), startBroker("b", env)]);
    await Promise.all([a.waitForServices("b"), b.waitForServices("a")]);
    return [a, b];
  };

  // A request may get lost when the other side is not back yet: then the next one is tried soon.
  const echo = (broker: ServiceBroker, text: string): Promise<{ text: string }> =>
    broker.call("b.echo", { text }, { timeout: 2_000 });

  beforeEach(() => (seen = []));
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  it("carries calls and broadcasts larger than the server's limit", async () => {
    const nats = await startNats();
    const [a] = await pair({ NATS_URL: nats.url });
    expect((await echo(a, LARGE)).text).toBe(LARGE);
    await a.broadcast("test.told", { text: LARGE });
    await until("both were told", () => seen.length === 2);
    expect(seen.every((text) => text === LARGE)).toBe(true);
  });

  it("never gives parts of two lives of a node the same name", async () => {
    const nats = await startNats();
    const spy = await connect({ servers: nats.url });
    stops.unshift(() => spy.close());
    const names: string[] = [];
    spy.subscribe(">", {
      callback: (_error, { headers }) => void names.push(headers?.get("Parley-Part").split(" ")[2] ?? ""),
    });
    await startBroker("b", { NATS_URL: nats.url });
    for (let life = 1; life <= 2; life++) {
      const broker = await startBroker("a", { NATS_URL: nats.url });
      await broker.waitForServices("b");
      await broker.broadcast("test.told", { text: LARGE });
      await broker.stop();
    }
    await until("both packets have passed", () => new Set(names.filter((name) => name !== "")).size === 2);
  });

  it("refuses a request at once while NATS is away, and works again when it is back", async () => {
    const nats = await startNats();
    const [a, b] = await pair({ NATS_URL: nats.url });
    await nats.kill("SIGKILL");
    await until("both noticed", () => !transporterIsUp(a) && !transporterIsUp(b));
    const start = Date.now();
    await expect(echo(a, "x")).rejects.toMatchObject({ type: expect.stringMatching(/^SERVICE_NOT_/) as unknown });
    expect(Date.now() - start).toBeLessThan(1_000);
    await nats.start();
    const again = await until("calls get through", () => echo(a, "y").catch(() => undefined), 15_000);
    expect(again.text).toBe("y");
  });

  it("hears at once of a node it sends to whose connection is gone, and of no other", async () => {
    const nats = await startNats();
    const [a, b] = await pair({ NATS_URL: nats.url });
    const unreached: string[] = [];
    a.localBus.on("$transporter.unreached", ({ nodeID }: { nodeID: string }) => unreached.push(nodeID));
    expect([(await echo(a, "x")).text, unreached]).toEqual(["x", []]);
    // As when its process ends: without a word to the others.
    await (b.transit?.tx as NatsTransporter).client?.close();
    const tells = async (send: () => Promise<unknown>): Promise<void> => {
      const before = unreached.length;
      // The server may hear of the end after what was sent then.
      const told = (): boolean => unreached.length > before;
      await until("it is told", () => send().then(told, told));
    };
    await tells(() => a.call("b.echo", { text: "y" }, { timeout: 100 }));
    await tells(() => a.ping("b", 100));
    expect(new Set(unreached)).toEqual(new Set(["b"]));
  });

  it("sends nothing late that was refused while NATS was away", async () => {
    const nats = await startNats();
    const [a, b] = await pair({ NATS_URL: nats.url });
    await nats.kill("SIGKILL");
    await until("both noticed", () => !transporterIsUp(a) && !transporterIsUp(b));
    await a.broadcast("test.told", { text: "late" });
    await nats.start();
    await until("calls get through", () => echo(a, "y").catch(() => undefined), 15_000);
    await a.broadcast("test.told", { text: "now" });
    await until("both were told", () => seen.filter((text) => text === "now").length === 2);
    // Its own node heard it without NATS.
    expect(seen.filter((text) => text === "late")).toHaveLength(1);
  });

  it("stops without NATS", async () => {
    const nats = await startNats();
    const broker = await startBroker("a", { NATS_URL: nats.url });
    await nats.kill("SIGKILL");
    await broker.stop();
    expect(transporterIsUp(broker)).toBe(false);
  });

  it("notices a server that stands still", async () => {
    const nats = await startNats();
    const broker = await startBroker("a", { NATS_URL: nats.url });
    await nats.suspend();
    await until("it noticed", () => !transporterIsUp(broker), 10_000);
    nats.resume();
    await until("it is back", () => transporterIsUp(broker), 10_000);
  });

  it("shows user and password from the address", async () => {
    const client = { user: "parley", pass: "a b:c" };
    const nats = await startNats({ args: ["--user", client.user, "--pass", client.pass], client });
    const address = nats.url.replace("nats://", "nats://parley:a%20b%3Ac@");
    const broker = await startBroker("a", { NATS_URL: address });
    expect(transporterIsUp(broker)).toBe(true);
  });

  it("speaks TLS with certificates of both sides", async () => {
    const folder = mkdtempSync(join(tmpdir(), "parley-tls-"));
    stops.push(() => Promise.resolve(rmSync(folder, { recursive: true })));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"],
        ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
      ],
      { stdio: "ignore" },
    );
    const tls = { caFile: cert, certFile: cert, keyFile: key };
    const args = ["--tls", "--tlscert", cert, "--tlskey", key, "--tlscacert", cert, "--tlsverify"];
    const nats = await startNats({ args, client: { tls } });
    const address = nats.url.replace("nats://", "tls://");
    const broker = await startBroker("a", { NATS_URL: address, NATS_CA: cert, NATS_CERT: cert, NATS_KEY: key });
    expect(transporterIsUp(broker)).toBe(true);
  });
});
