import { MemoryStore } from "../../../lib/store/memory";
import { RevocationLedger } from "../../../services/auth/revocation-ledger";
import type { Role } from "../../../services/schemas";
import { RoleChanges } from "../../../services/users/roles";
import { UserStore } from "../../../services/users/users.store";

describe("changes of roles on several nodes", () => {
  let users: UserStore;
  let list: RevocationLedger;
  const node = (options: Partial<ConstructorParameters<typeof RoleChanges>[0]> = {}) =>
    new RoleChanges({ users, list, now: () => 1, ...options });
  const user = async (id: string, ...roles: Role[]): Promise<void> =>
    void (await users.create({ _id: id, name: id, roles, guest: false, createdAt: 1 }));
  const rolesOf = async (id: string) => (await users.get(id))?.roles;

  beforeEach(() => {
    const store = new MemoryStore();
    users = new UserStore(store);
    list = new RevocationLedger(store);
  });

  test("leave one administrator when all take the role from each other at once", async () => {
    const ids = ["a", "b", "c", "d"];
    for (const id of ids) await user(id, "admin");
    const outcomes = await Promise.allSettled(
      ids.flatMap((id) => [node().replace(id, ["agent"]), node().replace(id, ["customer"])]),
    );
    expect(await users.hasAdministrator()).toBe(true);
    const left = (await Promise.all(ids.map(rolesOf))).filter((roles) => roles?.includes("admin"));
    expect(left).toHaveLength(1);
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    for (const { reason } of refused) expect(reason).toMatchObject({ type: "FORBIDDEN" });
    expect(refused.length).toBeGreaterThan(0);
  });

  test("count a change whose author ended before the document followed", async () => {
    await user("a", "admin");
    await user("b", "admin");
    const died = new Error("the node ended");
    const dying = node({
      users: {
        get: (id) => users.get(id),
        hasAdministrator: (except) => users.hasAdministrator(except),
        setRoles: () => Promise.reject(died),
      },
    });
    await expect(dying.replace("a", ["agent"])).rejects.toBe(died);
    expect(await rolesOf("a")).toEqual(["admin"]);
    await expect(node().replace("b", ["agent"])).rejects.toMatchObject({ type: "FORBIDDEN" });
    expect(await rolesOf("a")).toEqual(["agent"]);
  });

  test("are not undone by a node that comes late", async () => {
    await user("a", "admin");
    await user("b", "customer");
    const { change: first } = await node().replace("b", ["agent"]);
    await node().replace("b", ["supervisor"]);
    await users.setRoles("b", first.roles, first.number);
    await node().applyAll();
    expect(await rolesOf("b")).toEqual(["supervisor"]);
  });

  test("of nobody are NOT_FOUND and leave no entry", async () => {
    await expect(node().replace("nobody", ["agent"])).rejects.toMatchObject({ type: "NOT_FOUND" });
    expect(await list.last()).toBe(0);
  });
});
