import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "../../../lib/store/memory";
import {
  type Administrator,
  type AdministratorOptions,
  ensureAdministrator,
} from "../../../services/users/administrator";
import { UserStore } from "../../../services/users/users.store";

const hash = async (password: string): Promise<string> => `hash of ${password}`;

describe("the first administrator", () => {
  let folder: string;
  let users: UserStore;
  let drawn = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "parley-admin-"));
    users = new UserStore(new MemoryStore());
  });
  afterEach(() => rm(folder, { recursive: true }));

  const file = (name = "admin-password"): string => join(folder, name);
  const ensure = (options: Partial<AdministratorOptions> = {}): Promise<Administrator> =>
    ensureAdministrator({
      users,
      hash,
      email: undefined,
      password: undefined,
      passwordFile: file(),
      id: `id${(drawn += 1)}`,
      now: 1,
      ...options,
    });

  test("is admin@localhost with a drawn password that only the owner of the file can read", async () => {
    const { email, password, created } = await ensure();
    expect({ email, created }).toEqual({ email: "admin@localhost", created: true });
    expect(await readFile(file(), "utf8")).toBe(`${password}\n`);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const user = await users.byEmail("admin@localhost");
    expect(user).toMatchObject({ roles: ["admin"], passwordHash: `hash of ${password}`, guest: false });
  });

  test("comes from the settings, and then nothing is written or told", async () => {
    const answer = await ensure({ email: "root@example.org", password: "given by hand" });
    expect(answer).toEqual({ email: "root@example.org", created: true });
    expect((await users.byEmail("root@example.org"))?.passwordHash).toBe("hash of given by hand");
    await expect(stat(file())).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("is made once: later starts change nothing", async () => {
    const first = await ensure();
    expect(await ensure()).toEqual({ email: "admin@localhost", created: false });
    expect(await ensure({ email: "root@example.org", password: "given by hand" })).toMatchObject({ created: false });
    expect(await readFile(file(), "utf8")).toBe(`${first.password}\n`);
  });

  test("does not take over an account that has the address", async () => {
    const ann = { _id: "ann", name: "Ann", email: "root@example.org", guest: false, createdAt: 1 };
    await users.create({ ...ann, roles: ["customer"], passwordHash: "hers" });
    expect(await ensure({ email: "Root@example.org", password: "given by hand" })).toMatchObject({ created: false });
    expect(await users.get("ann")).toMatchObject({ roles: ["customer"], passwordHash: "hers" });
  });

  test("of nodes that start together is one, and only its password stays in a file", async () => {
    const names = ["a", "b", "c", "d"];
    const answers = await Promise.all(names.map((name) => ensure({ passwordFile: file(name) })));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    const { passwordHash } = (await users.byEmail("admin@localhost")) ?? {};
    const kept = await Promise.all(names.map((name) => readFile(file(name), "utf8").catch(() => undefined)));
    expect(kept.filter((text) => text !== undefined).map((text) => `hash of ${text?.trim()}`)).toEqual([passwordHash]);
  });

  test("has the password that a crashed start left in the file", async () => {
    await expect(ensure({ hash: () => Promise.reject(new Error("crash")) })).rejects.toThrow("crash");
    const left = (await readFile(file(), "utf8")).trim();
    expect(await ensure()).toEqual({ email: "admin@localhost", password: left, created: true });
  });

  test("does not get a password from a file that a crash left empty", async () => {
    await writeFile(file(), "");
    const { password } = await ensure();
    expect(password?.length).toBeGreaterThanOrEqual(20);
    expect(await readFile(file(), "utf8")).toBe(`${password}\n`);
  });
});
