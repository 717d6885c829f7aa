import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { TestUser } from "../support/api";
import { build } from "../support/build";
import { ParleyClient } from "../support/client";
import { TestCluster } from "../support/cluster";
import { until } from "../support/wait";

const WIDTH = 80;

/** `npm run repl` in a cluster, typed at by a test. */
class Console {
  private text = "";

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.on("data", (data: Buffer) => (this.text += data.toString()));
    child.stderr?.on("data", (data: Buffer) => (this.text += data.toString()));
  }

  static async open(cluster: TestCluster): Promise<Console> {
    const script = join(await build(), "bin/repl.js");
    const child = spawn(process.execPath, [script], { env: { ...cluster.environment, LOG_LEVEL: "error" } });
    const opened = new Console(child);
    await opened.prompt();
    return opened;
  }

  /** Types a line and answers all that is printed until the next prompt. */
  async run(line: string): Promise<string> {
    this.text = "";
    this.child.stdin?.write(`${line}\n`);
    const printed = await this.prompt();
    expect(printed.split("\n").filter((each) => each.length > WIDTH)).toEqual([]);
    return printed;
  }

  /** Leaves it as an operator does. */
  async quit(): Promise<number | null> {
    this.child.stdin?.write("quit\n");
    await until("the console ends", () => this.child.exitCode !== null || this.child.signalCode !== null);
    return this.child.exitCode;
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }

  private async prompt(): Promise<string> {
    const printed = () => stripVTControlCharacters(this.text);
    await until("the prompt", () => /(^|\n)parley \$ $/.test(printed())).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.text}`);
    });
    return printed();
  }
}

describe("the operator's console in a cluster", () => {
  let cluster: TestCluster;
  let terminal: Console;
  let client: ParleyClient;
  let [user, other]: TestUser[] = [];
  let conversationId: string;

  beforeAll(async () => {
    cluster = await TestCluster.start({ gateway: 1, io: 1, core: 2 });
    [user, other] = (await cluster.users(2)) as [TestUser, TestUser];
    client = await ParleyClient.open({ url: cluster.url, user: user.id, token: user.token });
    const command = { commandId: "group", kind: "group", members: [other.id] };
    ({ id: conversationId } = await client.command<{ id: string }>("conversation.create", command));
    await client.send(conversationId, "a secret");
    terminal = await Console.open(cluster);
  });
  afterAll(async () => {
    client.close();
    terminal.kill();
    await cluster.stop();
  });

  it("lists the nodes, and not itself", async () => {
    const text = await terminal.run("nodes");
    for (const id of ["core-1", "core-2", "gateway-1", "io-1"])
      expect(text).toMatch(new RegExp(`^${id} +${id.slice(0, -2)} +ready +${cluster.node(id).pid} .*MB$`, "m"));
    expect(text).not.toContain("repl-");
  });

  it("shows where a conversation lives, moves it, and what is sent goes on arriving", async () => {
    const before = await terminal.run(`homes ${conversationId}`);
    const [, home = ""] = /^ +1 +(\S+)/m.exec(before) ?? [];
    const target = home === "core-1" ? "core-2" : "core-1";
    expect(await terminal.run(`move ${conversationId} ${target}`)).toContain(`Moved from ${home} to ${target}.`);
    await client.send(conversationId, "after the move");
    // A node that is too busy to answer is passed over for a moment.
    const isThere = (shown: string): boolean => new RegExp(`^home +${target}, active in memory$`, "m").test(shown);
    let text = "";
    await until("it is there", async () => isThere((text = await terminal.run(`conversation ${conversationId}`))));
    expect(text).toMatch(/14 characters/);
    expect(text).not.toContain("a secret");
  });

  it("names the nodes there are when asked for another, and says how a command is written", async () => {
    const answer = await terminal.run(`move ${conversationId} core-9`);
    expect(answer).toContain("There is no other core node core-9. There are: core-1, core-2.");
    expect(await terminal.run("help move")).toContain("Usage: move [options] <id> [node]");
    expect(await terminal.run("metrics")).toContain("unknown command 'metrics'");
  });

  it("tells who is connected and why, and ends a user's logins", async () => {
    const id = user?.id ?? "";
    expect(await terminal.run("who")).toMatch(new RegExp(`^${id} +online +connected +1$`, "m"));
    expect(await terminal.run(`who ${id}`)).toMatch(/^\S+ +io-1 +\d+ s$/m);
    expect(await terminal.run(`kick ${id}`)).toContain("Ended 1 login of");
    await until("the socket is closed", () => !client.socket.connected);
    (await cluster.rest("GET", "/me", user?.token)).expect(401);
  });

  it("drains a node of the cluster", async () => {
    expect(await terminal.run("drain core-1 --yes")).toContain("core-1 drains");
    expect(await terminal.run("nodes")).toMatch(/^core-1 +core +draining/m);
    const body = { commandId: "later", text: "still served" };
    (await cluster.rest("POST", `/conversations/${conversationId}/messages`, other?.token, body)).expect(201);
  });

  it("leaves when told to", async () => {
    expect(await terminal.quit()).toBe(0);
  });
});
