import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Api, api, type Login } from "../../bin/rest-client";
import { overview } from "../../bin/seed/overview";
import { seedPassword } from "../../bin/seed/password";
import { PEOPLE, WHO } from "../../bin/seed/people";
import { seed } from "../../bin/seed/seeder";
import { SCRIPTS } from "../../bin/seed/sessions";
import type { SessionView as Session } from "../../services/conversation-views";
import type { WireEvent } from "../../services/schemas";
import { ADMIN } from "../support/api";
import { startProgram } from "../support/program";
import { startServer, type TestServer } from "../support/server";

const INTERRUPTED_AFTER = 95;

interface Desk {
  readonly sessions: Session[];
  readonly topics: unknown[];
  readonly agents: ReadonlyArray<{ readonly id: string }>;
  readonly keywords: unknown[];
  readonly replies: unknown[];
}

describe("npm run seed", () => {
  let server: TestServer;
  let admin: Login;
  const direct = (): Api => api(server.url);

  beforeAll(async () => {
    server = await startServer();
    admin = await direct().post<Login>("/auth/login", ADMIN);
  }, 40_000);
  afterAll(() => server.stop(), 30_000);

  const run = (env: Readonly<Record<string, string>> = {}) => {
    const own = { PORT: String(server.port), DATA_DIR: server.dataDir };
    const login = { ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password };
    return startProgram(["bin/seed.ts"], { ...own, ...login, ...env }).ended;
  };

  /** All that an administrator finds. */
  async function desk(): Promise<Desk> {
    const paths = [
      "/sessions?limit=100",
      "/topics?details=true",
      "/agents?limit=100",
      "/keywords",
      "/replies?limit=100",
    ];
    const pages = await Promise.all(paths.map((path) => direct().get<Partial<Desk>>(path, admin.accessToken)));
    const found = Object.assign({}, ...pages) as Desk;
    // Whoever of the staff does something is listed from then on, the administrator of this test too.
    return { ...found, agents: found.agents.filter(({ id }) => id !== admin.user.id) };
  }

  /** The types of the events of a seeded session, as its customer's agent finds them. */
  async function typesOf(name: string): Promise<string[]> {
    const script = SCRIPTS.find((each) => each.name === name);
    const { password } = seedPassword(undefined, server.dataDir);
    const login = { email: `${script?.customer ?? ""}@desk.example.org`, password };
    const { accessToken } = await direct().post<Login>("/auth/login", login);
    const { sessions } = await direct().get<{ sessions: Session[] }>("/sessions", accessToken);
    const id = sessions.find(({ subject }) => subject === script?.subject)?.id;
    const path = `/conversations/sync`;
    const { events } = await direct().post<{ events: WireEvent[] }>(path, { cursors: { [id ?? ""]: 0 } }, accessToken);
    return events.map(({ type }) => type);
  }

  it("goes on where it was interrupted", async () => {
    let requests = 0;
    const failing: Api = Object.fromEntries(
      Object.entries(direct()).map(([name, value]: [string, unknown]) => {
        if (typeof value !== "function") return [name, value];
        const request = (...args: unknown[]): unknown => {
          if (++requests > INTERRUPTED_AFTER) return Promise.reject(new Error("interrupted"));
          return (value as (...given: unknown[]) => unknown)(...args);
        };
        return [name, request];
      }),
    ) as unknown as Api;
    const ports = { admin, ...seedPassword(undefined, server.dataDir), progress: () => undefined };
    await expect(seed({ ...ports, server: failing })).rejects.toThrow("interrupted");
    const before = (await desk()).sessions;
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThan(SCRIPTS.length);
    const { code, output } = await run();
    expect({ code, output }).toMatchObject({ code: 0 });
    expect((await desk()).sessions).toHaveLength(SCRIPTS.length);
  }, 90_000);

  it("makes nothing twice", async () => {
    const before = await desk();
    const { code, output } = await run();
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(await desk()).toEqual(before);
    expect(before.topics).toHaveLength(3);
    const staff = WHO.filter((who) => PEOPLE[who].role !== "customer");
    expect(before.agents).toHaveLength(staff.length);
  }, 60_000);

  it("leaves sessions of every state", async () => {
    const { sessions } = await desk();
    expect(new Set(sessions.map(({ status }) => status))).toEqual(new Set(["unassigned", "assigned", "closed"]));
    expect(sessions.filter(({ rating }) => rating !== undefined)).toHaveLength(3);
    expect(sessions.filter(({ reopenedAt }) => reopenedAt !== undefined)).toHaveLength(1);
    expect(new Set(sessions.map(({ via }) => via))).toEqual(new Set([undefined, "claim", "transfer"]));
    expect(await typesOf("returned")).toContain("session.returned");
    expect(await typesOf("moved")).toContain("session.transferred");
    expect(await typesOf("reopened")).toContain("session.reopened");
  });

  it("leaves alone what an administrator has written since", async () => {
    const { version, ...topic } = await direct().get<{ version: number }>("/topics/other", admin.accessToken);
    const changed = { ...topic, version, name: "Anything" };
    await direct().put("/topics/other", changed, admin.accessToken);
    const waiting = (await desk()).sessions.find(({ subject }) => subject === "Instalments");
    await direct().post(`/sessions/${waiting?.id ?? ""}/close`, {}, admin.accessToken, "close");
    const before = await desk();
    expect(await run()).toMatchObject({ code: 0 });
    expect(await desk()).toEqual(before);
  }, 60_000);

  it("draws the password, and keeps it for its owner only", async () => {
    const file = join(server.dataDir, "seed-password");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8").trim().length).toBeGreaterThanOrEqual(16);
    const { code, output } = await run({ SEED_PASSWORD: "another password" });
    expect(code).toBe(1);
    expect(output).toContain("set SEED_PASSWORD");
  }, 30_000);

  it("prints what there is in 80 columns", async () => {
    const { sessions } = await desk();
    const longest = { ...sessions[0], name: "", topic: "payment", status: "unassigned", agentId: "ines" } as Session;
    const named = sessions.map((session) => ({ ...longest, ...session, name: "" }));
    const people = new Map(WHO.map((who) => [who, { accessToken: "", user: { id: who, name: who, roles: [] } }]));
    const lines = overview({ sessions: named, people }).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.filter((line) => line.includes("@desk.example.org"))).toHaveLength(WHO.length);
  });
});
