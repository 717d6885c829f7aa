import type { Kv } from "../../../lib/kv/kv";
import { MemoryKv } from "../../../lib/kv/memory";
import { addressKey, AttemptLimit, emailKey } from "../../../services/auth/limits";
import { VirtualClock } from "../../support/virtual-clock";

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

describe("a limit over several nodes", () => {
  const start = (kv: Pick<Kv, "increment">, clock = new VirtualClock()) => {
    const node = () => new AttemptLimit(3, { shared: { kv, clock, name: "login" } });
    return { nodes: [node(), node()] as const, clock };
  };
  const outcome = (limit: AttemptLimit): Promise<string> =>
    limit.attempt("ip:1").then(
      () => "ok",
      (error: { type: string; data: { retryInMs: number } }) => `${error.type} ${error.data.retryInMs > 0}`,
    );

  test("counts the attempts at all of them", async () => {
    const clock = new VirtualClock();
    const { nodes } = start(new MemoryKv({ clock }), clock);
    const outcomes = [];
    for (let n = 0; n < 5; n++) outcomes.push(await outcome(nodes[n % 2 === 0 ? 0 : 1]));
    expect(outcomes).toEqual(["ok", "ok", "ok", "RATE_LIMITED true", "RATE_LIMITED true"]);
    await expect(nodes[1].attempt("ip:2")).resolves.toBeUndefined();
  });

  test("is kept by each node alone when the key-value store fails, with what it has counted", async () => {
    const clock = new VirtualClock();
    const kv = new MemoryKv({ clock });
    let down = false;
    let asked = 0;
    const increment: Kv["increment"] = (...args) => {
      asked++;
      return down ? Promise.reject(new Error("no connection")) : kv.increment(...args);
    };
    const { nodes } = start({ increment }, clock);
    await nodes[0].attempt("ip:1");
    down = true;
    expect([await outcome(nodes[0]), await outcome(nodes[0])]).toEqual(["ok", "ok"]);
    expect(await outcome(nodes[0])).toBe("RATE_LIMITED true");
    expect(asked).toBe(2);
    await clock.advance(1_000);
    down = false;
    await nodes[0].attempt("ip:2");
    expect(asked).toBe(3);
  });

  test("does not keep anybody waiting for a key-value store that does not answer", async () => {
    const { nodes, clock } = start({ increment: () => new Promise(() => undefined) });
    const first = outcome(nodes[0]);
    await clock.advance(100);
    expect(await first).toBe("ok");
    expect(await outcome(nodes[0])).toBe("ok");
  });
});
