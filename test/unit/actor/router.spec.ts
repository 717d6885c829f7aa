import { rendezvous } from "../../../lib/actor/rendezvous";
import { type Failure, Router } from "../../../lib/actor/router";
import { isParleyError, ParleyError } from "../../../lib/errors";
import { SeededRandom, settle, VirtualClock } from "../../support/virtual-clock";

/** How an attempt failed, as routing sees it; `error` is what was thrown. */
class Failed extends Error {
  constructor(readonly failure: Failure) {
    super(failure);
  }
}

/** The constant of the router: a node that failed a ping is passed over for this long. */
const LOST_MS = 3_000;
/** The longest pause between two attempts. */
const PAUSE_MS = 500;

class RouterRig {
  readonly clock = new VirtualClock();
  homes: string[] = ["n1", "n2", "n3"];
  /** Nodes that answer no ping. */
  readonly dead = new Set<string>();
  readonly attempts: Array<{ node: string; timeoutMs: number }> = [];
  readonly pings: string[] = [];
  /** What becomes of an attempt at a node; the default is an answer. */
  at: (node: string) => Promise<string> = (node) => Promise.resolve(`from ${node}`);
  readonly router = new Router({
    clock: this.clock,
    random: new SeededRandom("router"),
    homes: () => this.homes,
    classify: (error) => (error instanceof Failed ? error.failure : "answered"),
    ping: (node) => {
      this.pings.push(node);
      return Promise.resolve(!this.dead.has(node));
    },
  });

  /** The nodes asked, in order. */
  get asked(): string[] {
    return this.attempts.map(({ node }) => node);
  }

  /** Calls with a deadline `ms` from now; `answer` is what came of it so far, an error by its type. */
  call(id: string, ms = 10_000): { answer: unknown } {
    const call: { answer: unknown } = { answer: "pending" };
    const attempt = (node: string, timeoutMs: number): Promise<string> => {
      this.attempts.push({ node, timeoutMs });
      return this.at(node);
    };
    void this.router.call(id, this.clock.now() + ms, attempt).then(
      (answer) => (call.answer = answer),
      (error: unknown) => (call.answer = isParleyError(error) ? error.type : error),
    );
    return call;
  }

  /** Each attempt fails in turn as said, in no time; those after the last are answered. */
  fail(...failures: Array<Failure | Error>): void {
    this.at = (node) => {
      const failure = failures.shift();
      if (failure === undefined) return Promise.resolve(`from ${node}`);
      return Promise.reject(failure instanceof Error ? failure : new Failed(failure));
    };
  }

  /** An attempt at `node` gets no answer and ends at its time-out; at others it is answered. */
  silence(node: string): void {
    this.at = async (asked) => {
      if (asked !== node) return `from ${asked}`;
      const { timeoutMs = 0 } = this.attempts.at(-1) ?? {};
      await new Promise<void>((resolve) => this.clock.setTimeout(resolve, timeoutMs));
      throw new Failed("no answer");
    };
  }
}

const homeOf = (id: string, nodes: readonly string[]): string => {
  const home = rendezvous(id, nodes);
  if (home === undefined) throw new Error("no nodes");
  return home;
};

describe("the home of an actor", () => {
  it("is its rendezvous over the nodes that may be homes now", () => {
    const rig = new RouterRig();
    const ids = Array.from({ length: 100 }, (_, at) => `actor-${at}`);
    expect(ids.map((id) => rig.router.home(id))).toEqual(ids.map((id) => rendezvous(id, ["n1", "n2", "n3"])));
    rig.homes = ["n1", "n3"];
    expect(ids.map((id) => rig.router.home(id))).toEqual(ids.map((id) => rendezvous(id, ["n1", "n3"])));
    rig.homes = [];
    expect(rig.router.home("a")).toBeUndefined();
  });

  it("is where a call goes, with no more time than its deadline leaves", async () => {
    const rig = new RouterRig();
    const home = homeOf("a", rig.homes);
    const call = rig.call("a", 700);
    await settle();
    expect(call.answer).toBe(`from ${home}`);
    expect(rig.attempts).toEqual([{ node: home, timeoutMs: 700 }]);
  });

  it("is waited for while there is none", async () => {
    const rig = new RouterRig();
    rig.homes = [];
    const call = rig.call("a");
    await rig.clock.advance(2_000);
    expect([call.answer, rig.asked]).toEqual(["pending", []]);
    rig.homes = ["n2"];
    await rig.clock.advance(PAUSE_MS);
    expect(call.answer).toBe("from n2");
  });
});

describe("a call that was not run", () => {
  it("is sent again, to the home as it is by then, and to no other", async () => {
    const rig = new RouterRig();
    const first = homeOf("a", rig.homes);
    const left = rig.homes.filter((node) => node !== first);
    rig.at = (node) => {
      if (node !== first) return Promise.resolve(`from ${node}`);
      if (rig.attempts.length === 2) rig.homes = left;
      return Promise.reject(new Failed("not run"));
    };
    const call = rig.call("a");
    await rig.clock.advance(PAUSE_MS);
    const second = homeOf("a", left);
    expect(rig.asked).toEqual([first, first, second]);
    expect(call.answer).toBe(`from ${second}`);
    expect(rig.pings).toEqual([]);
  });

  it("is UNAVAILABLE at the deadline", async () => {
    const rig = new RouterRig();
    rig.at = () => Promise.reject(new Failed("not run"));
    const call = rig.call("a", 2_000);
    await rig.clock.advance(1_999);
    expect(call.answer).toBe("pending");
    await rig.clock.advance(PAUSE_MS);
    expect(call.answer).toBe("UNAVAILABLE");
    expect(rig.attempts.filter(({ timeoutMs }) => timeoutMs <= 0)).toEqual([]);
  });
});

describe("a call that got no answer", () => {
  it("is sent to the same home again while that answers pings", async () => {
    const rig = new RouterRig();
    const home = homeOf("a", rig.homes);
    rig.fail("no answer", "no answer", "no answer");
    const call = rig.call("a");
    await rig.clock.advance(2 * PAUSE_MS);
    expect(rig.asked).toEqual([home, home, home, home]);
    expect(rig.pings).toEqual([home, home, home]);
    expect(call.answer).toBe(`from ${home}`);
    expect(rig.router.home("a")).toBe(home);
  });

  it("does not wait for its first attempt until the deadline", async () => {
    const rig = new RouterRig();
    const home = homeOf("a", rig.homes);
    rig.silence(home);
    const call = rig.call("a", 10_000);
    await rig.clock.advance(9_000);
    expect(call.answer).toBe("pending");
    expect(rig.asked.length).toBeGreaterThan(1);
    expect(new Set(rig.asked)).toEqual(new Set([home]));
  });

  it("is UNKNOWN_OUTCOME at the deadline", async () => {
    const rig = new RouterRig();
    rig.silence(homeOf("a", rig.homes));
    const call = rig.call("a", 1_000);
    await rig.clock.advance(999);
    expect(call.answer).toBe("pending");
    await rig.clock.advance(1 + PAUSE_MS);
    expect(call.answer).toBe("UNKNOWN_OUTCOME");
  });

  it("stays UNKNOWN_OUTCOME when what followed was surely not run", async () => {
    const rig = new RouterRig();
    let attempts = 0;
    rig.at = () => Promise.reject(new Failed(attempts++ === 0 ? "no answer" : "not run"));
    const call = rig.call("a", 1_000);
    await rig.clock.advance(1_000 + PAUSE_MS);
    expect(call.answer).toBe("UNKNOWN_OUTCOME");
  });

  it("is not told UNAVAILABLE, which speaks of the last attempt alone", async () => {
    const rig = new RouterRig();
    rig.fail("no answer", new ParleyError("UNAVAILABLE"));
    const call = rig.call("a");
    await rig.clock.advance(PAUSE_MS);
    expect(call.answer).toBe("UNKNOWN_OUTCOME");
    expect(rig.attempts).toHaveLength(2);
  });

  it("is told any other error as it is", async () => {
    const rig = new RouterRig();
    rig.fail("no answer", new ParleyError("FORBIDDEN"));
    const call = rig.call("a");
    await rig.clock.advance(PAUSE_MS);
    expect(call.answer).toBe("FORBIDDEN");
  });
});

describe("an error that the action answered", () => {
  it("is thrown at once, as it is", async () => {
    const rig = new RouterRig();
    const error = new Error("mine");
    rig.fail(error);
    const call = rig.call("a");
    await settle();
    expect(call.answer).toBe(error);
    expect([rig.asked.length, rig.pings.length, rig.clock.pending]).toEqual([1, 0, 0]);
  });

  it("may say that nothing ran, when no attempt before it got no answer", async () => {
    const rig = new RouterRig();
    rig.fail("not run", new ParleyError("UNAVAILABLE"));
    const call = rig.call("a");
    await rig.clock.advance(PAUSE_MS);
    expect(call.answer).toBe("UNAVAILABLE");
  });
});

describe("a node that fails a ping", () => {
  /** A rig in which the home of `a` has just been found dead. */
  async function lost() {
    const rig = new RouterRig();
    const home = homeOf("a", rig.homes);
    rig.dead.add(home);
    rig.fail("no answer");
    const call = rig.call("a");
    await settle();
    return {
      rig,
      home,
      call,
      next: homeOf(
        "a",
        rig.homes.filter((node) => node !== home),
      ),
    };
  }

  it("is passed over, and others' homes stay where they are", async () => {
    const { rig, home, call, next } = await lost();
    const ids = Array.from({ length: 100 }, (_, at) => `actor-${at}`);
    const rest = rig.homes.filter((node) => node !== home);
    expect(ids.map((id) => rig.router.home(id))).toEqual(ids.map((id) => rendezvous(id, rest)));
    await rig.clock.advance(PAUSE_MS);
    expect(rig.asked).toEqual([home, next]);
    expect(call.answer).toBe(`from ${next}`);
  });

  it("comes back after a while", async () => {
    const { rig, home, next } = await lost();
    await rig.clock.advance(LOST_MS - 1);
    expect(rig.router.home("a")).toBe(next);
    await rig.clock.advance(1);
    expect(rig.router.home("a")).toBe(home);
  });

  it("comes back as soon as it answers one", async () => {
    const { rig, home } = await lost();
    const { homes } = rig;
    rig.homes = [home];
    rig.dead.clear();
    rig.fail("no answer");
    rig.call("a");
    await settle();
    rig.homes = homes;
    expect(rig.pings).toEqual([home, home]);
    expect(rig.router.home("a")).toBe(home);
  });

  it("is asked all the same when all have failed, and when it is the only one", async () => {
    const { rig, home } = await lost();
    rig.homes = [home];
    expect(rig.router.home("a")).toBe(home);
    rig.homes = [home, "n4"];
    rig.dead.add("n4");
    rig.fail("no answer");
    rig.call("a");
    await settle();
    expect(rig.pings).toEqual([home, "n4"]);
    expect(rig.router.home("a")).toBe(homeOf("a", rig.homes));
  });
});
