import { PresenceReporter } from "../../../services/io/presence-reporter";
import { RENEW_MS, type Report } from "../../../services/presence/presence.internal";
import { settle, VirtualClock } from "../../support/virtual-clock";

type Socket = Parameters<PresenceReporter["connected"]>[0];

describe("presence reporter of an io node", () => {
  let clock: VirtualClock;
  let reports: Report[];
  let open: Map<string, Socket>;
  let answer: () => Promise<unknown>;
  let reporter: PresenceReporter;
  const socket = (id: string): Socket => ({ id, data: { user: { id: `user of ${id}` } } }) as Socket;
  const connect = (id: string): void => {
    open.set(id, socket(id));
    reporter.connected(socket(id));
  };
  const disconnect = (id: string): void => {
    open.delete(id);
    reporter.disconnected(socket(id));
  };
  const ids = (report?: Report) => ({
    opened: report?.opened.map(({ id }) => id),
    closed: report?.closed.map(({ id }) => id),
  });

  beforeEach(() => {
    clock = new VirtualClock();
    reports = [];
    open = new Map();
    answer = () => Promise.resolve();
    reporter = new PresenceReporter({
      clock,
      node: "io-1",
      connections: { all: () => open.values(), get: (id: string) => open.get(id) } as never,
      report: (report) => {
        reports.push(report);
        return answer();
      },
      failed: () => undefined,
      worked: () => undefined,
    });
    reporter.start();
  });
  afterEach(() => reporter.stop());

  it("reports a socket at once, and those that come meanwhile together", async () => {
    let release = (): void => undefined;
    answer = () => new Promise<void>((resolve) => (release = resolve));
    connect("a");
    connect("b");
    connect("c");
    disconnect("b");
    expect(reports.map(ids)).toEqual([{ opened: ["a"], closed: [] }]);
    release();
    await settle();
    expect(ids(reports[1])).toEqual({ opened: ["c"], closed: ["b"] });
  });

  it("never says that a socket is open after it has said that it is closed", async () => {
    let release = (): void => undefined;
    answer = () => new Promise<void>((resolve) => (release = resolve));
    connect("a");
    release();
    await settle();
    reporter.renewAll();
    disconnect("a");
    release();
    await settle();
    release();
    await settle();
    expect(ids(reports.at(-1))).toEqual({ opened: [], closed: ["a"] });
    expect(reports).toHaveLength(3);
  });

  it("renews all that is open, in pages, before their leases end", async () => {
    for (let n = 0; n < 1_200; n++) open.set(`s${n}`, socket(`s${n}`));
    await clock.advance(RENEW_MS);
    expect(reports.map(({ opened }) => opened.length)).toEqual([500, 500, 200]);
    await clock.advance(RENEW_MS);
    expect(reports).toHaveLength(6);
  });

  it("repeats a report that was lost, without sockets that have closed since", async () => {
    answer = () => Promise.reject(new Error("no presence service"));
    connect("a");
    connect("b");
    await settle();
    disconnect("a");
    answer = () => Promise.resolve();
    await clock.advance(1_500);
    const last = reports.at(-1);
    expect(ids(last)).toEqual({ opened: ["b"], closed: ["a"] });
    await clock.advance(5_000);
    expect(reports.at(-1)).toBe(last);
  });

  it("renews at once after its process was suspended", async () => {
    open.set("a", socket("a"));
    await clock.advance(1_500);
    jump(clock, 40_000);
    await clock.advance(1_000);
    expect(reports.map(ids)).toEqual([{ opened: ["a"], closed: [] }]);
  });

  it("goes on renewing when the clock is set back", async () => {
    open.set("a", socket("a"));
    jump(clock, -3_600_000);
    for (let n = 0; n < 3; n++) await clock.advance(RENEW_MS);
    expect(reports.length).toBeGreaterThanOrEqual(3);
  });
});

/** What the clock says changes; its timers run as if it did not. */
function jump(clock: VirtualClock, ms: number): void {
  const now = clock.now.bind(clock);
  clock.now = () => now() + ms;
}
