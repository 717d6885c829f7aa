import { rendezvous } from "../../../lib/actor/rendezvous";
import { Attempts, LostNodeError } from "../../../lib/actor/attempts";
import { Peers } from "../../../lib/actor/peers";
import { type Failure, type Repeats, Router } from "../../../lib/actor/router";
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
/** An attempt gets no more time than this, as long as none was given up for it. */
const ATTEMPT_MS = 3_000;
/** Between two looks at what is under way. */
const LOOK_MS = 100;
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
  readonly peers = new Peers({
    clock: this.clock,
    ping: (node) => {
      this.pings.push(node);
      return Promise.resolve(!this.dead.has(node));
    },
  });
  /** This node reaches no other one. */
  cutOff = false;
  readonly router = new Router({
    clock: this.clock,
    random: new SeededRandom("router"),
    peers: this.peers,
    attempts: new Attempts(this.clock, this.peers),
    nodes: () => this.homes,
    classify: (error) =>
      error instanceof Failed ? error.failure : error instanceof LostNodeError ? "no answer" : "answered",
    cutOff: () => this.cutOff,
  });

  /** The nodes asked, in order. */
  get asked(): string[] {
    return this.attempts.map(({ node }) => node);
  }

  /** Calls with a deadline `ms` from now; `answer` is what came of it so far, an error by its type. */
  call(id: string, ms = 10_000, repeats: Repeats = "command"): { answer: unknown } {
    return this.follow(this.router.call(id, this.clock.now() + ms, this.attempt, repeats));
  }

  /** Calls whoever offers the action, with ten seconds. */
  any(repeats: Repeats): { answer: unknown } {
    return this.follow(this.router.any(this.clock.now() + 10_000, this.attempt, repeats));
  }

  private readonly attempt = (node: string, timeoutMs: number): Promise<string> => {
    this.attempts.push({ node, timeoutMs });
    return this.at(node);
  };

  private follow(outcome: Promise<string>): { answer: unknown } {
    const call: { answer: unknown } = { answer: "pending" };
    void outcome.then(
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

const others = ({ homes }: RouterRig, but: string): string[] => homes.filter((node) => node !== but);

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

  it("is told neither UNAVAILABLE nor TOO_BUSY, which speak of the last attempt alone", async () => {
    for (const type of ["UNAVAILABLE", "TOO_BUSY"] as const) {
      const rig = new RouterRig();
      rig.fail("no answer", new ParleyError(type));
      const call = rig.call("a");
      await rig.clock.advance(PAUSE_MS);
      expect(call.answer).toBe("UNKNOWN_OUTCOME");
      expect(rig.attempts).toHaveLength(2);
    }
  });

  it("is refused only when its first attempt can be decided no more, and by what is true then", async () => {
    const rig = new RouterRig();
    rig.fail("no answer", new ParleyError("SESSION_TAKEN"), new ParleyError("SESSION_CLOSED"));
    const call = rig.call("a");
    await rig.clock.advance(ATTEMPT_MS - 1);
    expect([call.answer, rig.attempts.length]).toEqual(["pending", 2]);
    await rig.clock.advance(1 + PAUSE_MS);
    expect(call.answer).toBe("SESSION_CLOSED");
  });

  it("is UNKNOWN_OUTCOME when another node gave no answer: what that one decided may still be written", async () => {
    const rig = new RouterRig();
    const home = homeOf("a", rig.homes);
    rig.dead.add(home);
    rig.at = (node) => Promise.reject(node === home ? new Failed("no answer") : new ParleyError("SESSION_TAKEN"));
    const call = rig.call("a");
    rig.homes = rig.homes.filter((node) => node !== home);
    await rig.clock.advance(ATTEMPT_MS - 1);
    expect(call.answer).toBe("pending");
    await rig.clock.advance(1 + PAUSE_MS);
    expect(call.answer).toBe("UNKNOWN_OUTCOME");
  });

  it("is UNKNOWN_OUTCOME when that is not before the deadline; a read is told at once", async () => {
    for (const [repeats, answer] of [
      ["command", "UNKNOWN_OUTCOME"],
      ["read", "FORBIDDEN"],
    ] as const) {
      const rig = new RouterRig();
      rig.fail("no answer", new ParleyError("FORBIDDEN"));
      const call = rig.call("a", 1_000, repeats);
      await rig.clock.advance(PAUSE_MS);
      expect(call.answer).toBe(repeats === "read" ? answer : "pending");
      await rig.clock.advance(1_000);
      expect(call.answer).toBe(answer);
    }
  });

  it("has twice the time after an attempt that was given up for its own", async () => {
    const rig = new RouterRig();
    const takesMs = 5_000;
    rig.at = async (node) => {
      const { timeoutMs = 0 } = rig.attempts.at(-1) ?? {};
      await new Promise<void>((resolve) => rig.clock.setTimeout(resolve, Math.min(takesMs, timeoutMs)));
      if (timeoutMs < takesMs) throw new Failed("no answer");
      return `from ${node}`;
    };
    const call = rig.call("a");
    await rig.clock.advance(ATTEMPT_MS + PAUSE_MS + takesMs);
    expect(call.answer).toBe(`from ${homeOf("a", rig.homes)}`);
    expect(rig.attempts.map(({ timeoutMs }) => timeoutMs)).toEqual([ATTEMPT_MS, 2 * ATTEMPT_MS]);
  });

  it("is asked again when only the time of its attempt was up", async () => {
    for (const type of ["UNAVAILABLE", "UNKNOWN_OUTCOME"] as const) {
      const rig = new RouterRig();
      rig.at = async (node) => {
        if (rig.attempts.length > 1) return `from ${node}`;
        await new Promise<void>((resolve) => rig.clock.setTimeout(resolve, ATTEMPT_MS));
        throw new ParleyError(type);
      };
      const call = rig.call("a");
      await rig.clock.advance(ATTEMPT_MS + PAUSE_MS);
      expect(call.answer).toBe(`from ${homeOf("a", rig.homes)}`);
    }
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
    await rig.clock.advance(LOOK_MS);
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
      next: homeOf("a", others(rig, home)),
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

describe("a node that lets a caller wait", () => {
  /** The constants of the watch: after so long a node is pinged, and again. */
  const PATIENCE_MS = 300;

  /** A rig in which an attempt at the home of `a` is never answered, and the node answers no ping either. */
  async function stalled({ dead = true, homes = ["n1", "n2", "n3"] } = {}) {
    const rig = new RouterRig();
    rig.homes = homes;
    const home = homeOf("a", homes);
    if (dead) rig.dead.add(home);
    rig.silence(home);
    const call = rig.call("a");
    await rig.clock.advance(PATIENCE_MS - 1);
    return { rig, home, call };
  }

  it("is pinged, and when it is dead the call goes to the next home at once", async () => {
    const { rig, home, call } = await stalled();
    expect([rig.pings, call.answer]).toEqual([[], "pending"]);
    await rig.clock.advance(LOOK_MS);
    const next = homeOf("a", others(rig, home));
    expect([rig.pings, call.answer]).toEqual([[home], `from ${next}`]);
  });

  it("keeps the call while it answers pings", async () => {
    const { rig, home, call } = await stalled({ dead: false });
    await rig.clock.advance(2_000);
    expect(rig.asked).toEqual([home]);
    expect(rig.pings).toEqual([home, home]);
    expect(call.answer).toBe("pending");
  });

  it("is pinged once for all that wait for it", async () => {
    const { rig, home } = await stalled({ dead: false });
    for (let i = 0; i < 10; i++) rig.call("a");
    await rig.clock.advance(600);
    expect(rig.pings).toEqual([home, home]);
  });

  it("may have run the call: what is not surely run is UNKNOWN_OUTCOME, and UNAVAILABLE for a read", async () => {
    for (const [repeats, answer] of [
      ["command", "UNKNOWN_OUTCOME"],
      ["read", "UNAVAILABLE"],
    ] as const) {
      const rig = new RouterRig();
      rig.homes = ["n1"];
      rig.dead.add("n1");
      rig.silence("n1");
      const call = rig.call("a", 1_000, repeats);
      await rig.clock.advance(1_000 + PAUSE_MS);
      expect(call.answer).toBe(answer);
    }
  });
});

describe("a node that is not the home any more", () => {
  it("is passed over without a ping and without a pause", async () => {
    const rig = new RouterRig();
    const home = homeOf("a", rig.homes);
    const next = homeOf("a", others(rig, home));
    rig.fail("moved");
    const call = rig.call("a");
    await settle();
    expect(rig.asked).toEqual([home, next]);
    expect([rig.pings, call.answer]).toEqual([[], `from ${next}`]);
  });

  it("is asked again after a while when there is no other one", async () => {
    const rig = new RouterRig();
    rig.homes = ["n1"];
    rig.fail("moved");
    const call = rig.call("a");
    await settle();
    expect([rig.asked, call.answer]).toEqual([["n1"], "pending"]);
    await rig.clock.advance(500 + PAUSE_MS);
    expect(call.answer).toBe("from n1");
  });
});

describe("what nodes say of themselves", () => {
  const ids = Array.from({ length: 50 }, (_, at) => `actor-${at}`);

  it("decides who may be a home: those that drain or have no store are none", () => {
    for (const state of ["draining", "storeless"] as const) {
      const rig = new RouterRig();
      rig.peers.heard("n2", state);
      expect(ids.map((id) => rig.router.home(id))).toEqual(ids.map((id) => rendezvous(id, ["n1", "n3"])));
      rig.peers.heard("n2", "serving");
      expect(ids.map((id) => rig.router.home(id))).toEqual(ids.map((id) => rendezvous(id, rig.homes)));
    }
  });

  it("moves nobody when all of them say the same", () => {
    const rig = new RouterRig();
    for (const node of rig.homes) rig.peers.heard(node, "storeless");
    expect(ids.map((id) => rig.router.home(id))).toEqual(ids.map((id) => rendezvous(id, rig.homes)));
  });

  it("is forgotten when they leave", () => {
    const rig = new RouterRig();
    rig.peers.heard("n2", "draining");
    rig.peers.gone("n2");
    expect(rig.peers.stateOf("n2")).toBe("serving");
  });

  it("frees callers that wait for a node whose store is gone", async () => {
    const rig = new RouterRig();
    const home = homeOf("a", rig.homes);
    const next = homeOf("a", others(rig, home));
    rig.silence(home);
    const call = rig.call("a");
    await settle();
    rig.peers.heard(home, "storeless");
    await settle();
    expect([rig.asked, call.answer]).toEqual([[home, next], `from ${next}`]);
  });
});

describe("a node that was killed and is back at once", () => {
  it("frees whoever waits for what its earlier life was asked", async () => {
    const rig = new RouterRig();
    const home = homeOf("a", rig.homes);
    rig.silence(home);
    const call = rig.call("a");
    await settle();
    rig.at = (node) => Promise.resolve(`from ${node}`);
    rig.peers.restarted(home);
    await rig.clock.advance(PAUSE_MS);
    expect([rig.asked, rig.pings, call.answer]).toEqual([[home, home], [], `from ${home}`]);
  });
});

describe("a node that nothing reaches", () => {
  /** The constant of the peers: it is passed over for this long. */
  const UNREACHED_MS = 1_000;

  it("frees whoever waits for it, without a ping, and is passed over for a while", async () => {
    const rig = new RouterRig();
    const home = homeOf("a", rig.homes);
    const next = homeOf("a", others(rig, home));
    rig.silence(home);
    const call = rig.call("a");
    await settle();
    rig.peers.unreached(home);
    await settle();
    expect([rig.asked, rig.pings, call.answer]).toEqual([[home, next], [], `from ${next}`]);
    await rig.clock.advance(UNREACHED_MS - 1);
    expect(rig.router.home("a")).toBe(next);
    await rig.clock.advance(1);
    expect(rig.router.home("a")).toBe(home);
  });
});

describe("an actor that is pinned to a node", () => {
  it("is at home there for a while, as long as the node serves", async () => {
    const rig = new RouterRig();
    const away = homeOf("a", others(rig, homeOf("a", rig.homes)));
    rig.peers.pin("a", away, 1_000);
    expect(rig.router.home("a")).toBe(away);
    rig.peers.heard(away, "draining");
    expect(rig.router.home("a")).not.toBe(away);
    rig.peers.heard(away, "serving");
    await rig.clock.advance(1_000);
    expect(rig.router.home("a")).toBe(homeOf("a", rig.homes));
  });
});

describe("a node that reaches no other one", () => {
  it("lets nobody wait", async () => {
    const rig = new RouterRig();
    rig.homes = [];
    const call = rig.call("a");
    await rig.clock.advance(PAUSE_MS);
    expect(call.answer).toBe("pending");
    rig.cutOff = true;
    await rig.clock.advance(PAUSE_MS);
    expect(call.answer).toBe("UNAVAILABLE");
  });
});

describe("a call to whoever offers the action", () => {
  it("goes to one that serves, and when that is not there to another one", async () => {
    const rig = new RouterRig();
    rig.peers.heard("n1", "draining");
    rig.fail("not run");
    const call = rig.any("read");
    await rig.clock.advance(PAUSE_MS);
    expect(call.answer).toMatch(/^from n[23]$/);
    expect(rig.asked).not.toContain("n1");
  });

  it("is repeated when its answer was lost and it may be", async () => {
    const rig = new RouterRig();
    rig.fail("no answer");
    const call = rig.any("read");
    await rig.clock.advance(PAUSE_MS);
    expect(rig.asked).toHaveLength(2);
    expect(call.answer).toMatch(/^from/);
  });

  it("fails with what happened when it may not", async () => {
    const rig = new RouterRig();
    rig.fail("no answer");
    const call = rig.any("never");
    await settle();
    expect(call.answer).toBeInstanceOf(Failed);
    expect(rig.asked).toHaveLength(1);
  });
});
