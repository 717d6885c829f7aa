import type { Contract } from "../../lib/contract";
import * as message from "../../services/message/message.contract";
import * as room from "../../services/room/room.contract";
import * as session from "../../services/session/session.contract";
import type { Socket } from "socket.io-client";
import { readLog } from "../support/history";
import { openSocket, type Outcome, overRest, overSocket } from "../support/invoke";
import { startServer, type TestServer, type TestUser } from "../support/server";

type Fields = Readonly<Record<string, unknown>>;

/** A command and what of its first answer every repeat must give again. */
interface Case {
  readonly contract: Contract;
  readonly user: TestUser;
  readonly params: Fields;
  readonly same: (data: Fields) => unknown;
  first?: Fields;
}

const fresh = (): { commandId: string } => ({ commandId: crypto.randomUUID() });
const whole = (data: Fields): unknown => data;
const identity = ({ id, conversationId, kind, customerId, openedAt, createdAt }: Fields): unknown => ({
  id,
  conversationId,
  kind,
  customerId,
  openedAt,
  createdAt,
});
const closing = ({ id, status, closedAt, closeReason }: Fields): unknown => ({ id, status, closedAt, closeReason });

const success = (outcome: Outcome): Fields => {
  if (outcome.ok) return outcome.data as Fields;
  throw new Error(`refused: ${JSON.stringify(outcome.error)}`);
};
const refusal = (outcome: Outcome): string => (outcome.ok ? "accepted" : outcome.error.type);

describe("a commandId", () => {
  let server: TestServer;
  let alice: TestUser;
  let bob: TestUser;
  let agents: TestUser[];
  let direct: string;
  const sockets: Socket[] = [];
  const cases = new Map<string, Case>();

  const open = async (user: TestUser): Promise<Socket> => {
    const socket = await openSocket(server.url, user.token);
    sockets.push(socket);
    return socket;
  };
  const call = (contract: Contract, params: Fields, user: TestUser) =>
    overRest(server.url, contract, params, user.token);
  const logOf = (conversationId: unknown, user: TestUser) => readLog(server, String(conversationId), user);

  beforeAll(async () => {
    server = await startServer();
    [alice, bob] = (await server.users(2)) as [TestUser, TestUser];
    agents = await server.users(2, ["agent"]);
    const create = { ...fresh(), kind: "direct", members: [bob.id] };
    direct = success(await call(room.create, create, alice))["id"] as string;
    const toClose = success(await call(session.open, fresh(), bob));
    const group = { ...fresh(), kind: "group", title: "Team", members: [bob.id] };
    const openings = { ...fresh(), topic: "billing", subject: "A bill", text: "Too high" };
    const made: Record<string, Case> = {
      send: {
        contract: message.send,
        user: alice,
        params: { conversationId: direct, ...fresh(), text: "Hi" },
        same: whole,
      },
      open: { contract: session.open, user: alice, params: openings, same: identity },
      create: { contract: room.create, user: alice, params: group, same: identity },
      close: {
        contract: session.close,
        user: bob,
        params: { sessionId: toClose["id"], ...fresh(), reason: "done" },
        same: closing,
      },
    };
    for (const [name, item] of Object.entries(made)) cases.set(name, item);
  }, 60_000);

  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await server.stop();
  }, 30_000);

  const get = (name: string): Case => {
    const item = cases.get(name);
    if (!item) throw new Error(`no case ${name}`);
    return item;
  };
  const conversationOf = ({ params, first = {} }: Case): unknown =>
    params["conversationId"] ?? first["conversationId"] ?? first["id"] ?? params["sessionId"];

  const NAMES = ["send", "open", "create", "close"];

  it.each(NAMES)("of %s gives its first result again: same socket, other socket, REST", async (name) => {
    const item = get(name);
    const { contract, params, user, same } = item;
    const [socket, other] = [await open(user), await open(user)];
    item.first = success(await overSocket(socket, contract, params));
    const log = await logOf(conversationOf(item), user);

    const repeats = [
      await overSocket(socket, contract, params),
      await overSocket(other, contract, params),
      await overRest(server.url, contract, params, user.token),
    ];

    for (const repeat of repeats) expect(same(success(repeat))).toEqual(same(item.first));
    expect(await logOf(conversationOf(item), user)).toEqual(log);
  });

  it.each(NAMES)("of %s is refused as COMMAND_REUSED with another body", async (name) => {
    const { contract, params, user } = get(name);
    const other = {
      send: { text: "Bye" },
      open: { subject: "Other" },
      create: { title: "Other" },
      close: { reason: "x" },
    };
    const changed = { ...params, ...other[name as keyof typeof other] };
    const log = await logOf(conversationOf(get(name)), user);

    expect(refusal(await overRest(server.url, contract, changed, user.token))).toBe("COMMAND_REUSED");
    expect(refusal(await overSocket(await open(user), contract, changed))).toBe("COMMAND_REUSED");

    expect(await logOf(conversationOf(get(name)), user)).toEqual(log);
  });

  it("is refused as COMMAND_REUSED with another action on the same conversation", async () => {
    const { params, first, user } = get("send");
    const edit = { conversationId: direct, commandId: params["commandId"], seq: first?.["seq"], text: "Hi" };
    expect(refusal(await call(message.edit, edit, user))).toBe("COMMAND_REUSED");
  });

  it("of another user is that user's own command", async () => {
    const { params, first } = get("send");
    const answer = success(await call(message.send, params, bob));
    expect(answer["seq"]).not.toBe(first?.["seq"]);

    const opened = success(await call(session.open, get("open").params, bob));
    expect(opened["id"]).not.toBe(get("open").first?.["id"]);
    expect(opened["customerId"]).toBe(bob.id);
  });

  it("of a refused command leaves nothing behind and may be tried again", async () => {
    const customer = await server.guest();
    const [winner, loser] = agents as [TestUser, TestUser];
    const opened = success(await call(session.open, fresh(), customer));
    const onSession = { sessionId: opened["id"] };
    success(await call(session.claim, { ...onSession, ...fresh() }, winner));
    const claim = { ...onSession, ...fresh() };
    const log = await logOf(opened["conversationId"], customer);

    expect(refusal(await call(session.claim, claim, loser))).toBe("SESSION_TAKEN");
    expect(await logOf(opened["conversationId"], customer)).toEqual(log);

    success(await call(session.giveBack, { ...onSession, ...fresh() }, winner));
    expect(success(await call(session.claim, claim, loser))).toMatchObject({ status: "assigned", agentId: loser.id });
  });

  it("sent many times at once makes one event", async () => {
    const command = { conversationId: direct, ...fresh(), text: "Once" };
    const socket = await open(alice);
    const sending = Array.from({ length: 20 }, (_, at) =>
      at % 2 === 0 ? overSocket(socket, message.send, command) : call(message.send, command, alice),
    );
    const answers = (await Promise.all(sending)).map(success);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const log = await logOf(direct, alice);
    expect(log.filter(({ commandId }) => commandId === command.commandId)).toHaveLength(1);
  });

  it("may come as Idempotency-Key", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    const send = () => server.rest("POST", `/conversations/${direct}/messages`, alice.token, { text: "Key" }, key);
    const first = (await send()).expect<Fields>(201);
    expect((await send()).expect<Fields>(201)).toEqual(first);
  });

  it("gives its first result again after the server was killed and started anew", async () => {
    const logs = new Map<string, unknown>();
    for (const name of NAMES) logs.set(name, await logOf(conversationOf(get(name)), get(name).user));
    await server.kill("SIGKILL");
    await server.start();

    for (const name of NAMES) {
      const { contract, params, user, same, first = {} } = get(name);
      expect(same(success(await call(contract, params, user)))).toEqual(same(first));
      expect(same(success(await overSocket(await open(user), contract, params)))).toEqual(same(first));
      expect(await logOf(conversationOf(get(name)), user)).toEqual(logs.get(name));
    }
  }, 60_000);
});
