import { type Standing, StandingCache } from "../../../services/auth/standing-cache";
import { settle, VirtualClock } from "../../support/virtual-clock";

const AGENT: Standing = { roles: ["agent"], guest: false };
const CUSTOMER: Standing = { roles: ["customer"], guest: false };

describe("the cached standing of users", () => {
  let clock: VirtualClock;
  let reads: Array<{ resolve: (standing: Standing | null) => void; reject: (error: Error) => void }>;
  let cache: StandingCache;

  beforeEach(() => {
    clock = new VirtualClock();
    reads = [];
    cache = new StandingCache(() => new Promise((resolve, reject) => reads.push({ resolve, reject })), clock);
  });

  test("is read once for callers at the same time and those after them", async () => {
    const callers = [cache.get("ann"), cache.get("ann")];
    reads[0]?.resolve(AGENT);
    expect(await Promise.all(callers)).toEqual([AGENT, AGENT]);
    expect(await cache.get("ann")).toBe(AGENT);
    expect(cache.peek("ann")).toBe(AGENT);
    expect(reads).toHaveLength(1);
  });

  test("that changes while it is read is read again", async () => {
    const caller = cache.get("ann");
    cache.drop("ann");
    reads[0]?.resolve(AGENT);
    await settle();
    expect(cache.peek("ann")).toBeUndefined();
    reads[1]?.resolve(CUSTOMER);
    expect(await caller).toBe(CUSTOMER);
  });

  test("is read again after a minute, should the event have been lost", async () => {
    const first = cache.get("ann");
    reads[0]?.resolve(AGENT);
    await first;
    await clock.advance(61_000);
    const second = cache.get("ann");
    reads[1]?.resolve(CUSTOMER);
    expect(await second).toBe(CUSTOMER);
  });

  test("that cannot be read is an error once, not for a minute", async () => {
    const failing = cache.get("ann");
    reads[0]?.reject(new Error("store down"));
    await expect(failing).rejects.toThrow("store down");
    const next = cache.get("ann");
    reads[1]?.resolve(AGENT);
    expect(await next).toBe(AGENT);
  });

  test("of nobody is remembered as null", async () => {
    const caller = cache.get("nobody");
    reads[0]?.resolve(null);
    expect(await caller).toBeNull();
    expect(cache.peek("nobody")).toBeNull();
  });

  test("has the roles of a later change while the user's document is behind, and the document's once it is not", async () => {
    expect(cache.replaceRoles("ann", ["customer"], 7)).toBe(true);
    const first = cache.get("ann");
    reads[0]?.resolve({ ...AGENT, rolesNumber: 6 });
    expect((await first)?.roles).toEqual(["customer"]);
    expect(cache.peek("ann")?.roles).toEqual(["customer"]);
    expect(cache.replaceRoles("ann", ["admin"], 6)).toBe(false);
    cache.drop("ann");
    const second = cache.get("ann");
    reads[1]?.resolve({ roles: ["supervisor"], guest: false, rolesNumber: 8 });
    expect((await second)?.roles).toEqual(["supervisor"]);
  });
});
