import { addressKey, AttemptLimit, emailKey } from "../../../services/auth/limits";

describe("keys of limits", () => {
  test.each([
    ["192.0.2.1", "ip:192.0.2.1"],
    ["::ffff:192.0.2.1", "ip:192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "ip:2001:db8:1:2"],
    ["2001:0DB8:0001:0002::9", "ip:2001:db8:1:2"],
    ["2001:db8::1", "ip:2001:db8:0:0"],
    ["::1", "ip:0:0:0:0"],
    ["fe80::1%eth0", "ip:fe80:0:0:0"],
    [undefined, "ip:unknown"],
  ])("address %s is %s", (ip, key) => expect(addressKey(ip)).toBe(key));

  test("an e-mail in any spelling is one key, which does not show it", () => {
    expect(emailKey(" ANN@example.org")).toBe(emailKey("ann@example.org"));
    expect(emailKey("ann@example.org")).not.toContain("ann");
  });
});

describe("a limit of attempts", () => {
  test("counts each key by itself and says how long to wait", async () => {
    const limit = new AttemptLimit(2);
    await limit.attempt("a");
    await limit.attempt("a");
    const refusal = (await limit.attempt("a").catch((error: unknown) => error)) as { data: { retryInMs: number } };
    expect(refusal).toMatchObject({ type: "RATE_LIMITED" });
    expect(refusal.data.retryInMs).toBeGreaterThan(0);
    expect(refusal.data.retryInMs).toBeLessThanOrEqual(60_000);
    await expect(limit.attempt("b")).resolves.toBeUndefined();
  });

  test("remembers a bounded number of keys", async () => {
    const limit = new AttemptLimit(1, { maxKeys: 10 });
    await limit.attempt("first");
    for (let n = 0; n < 10; n += 1) await limit.attempt(`other${n}`);
    await expect(limit.attempt("first")).resolves.toBeUndefined();
    await expect(limit.attempt("other9")).rejects.toMatchObject({ type: "RATE_LIMITED" });
  });
});
