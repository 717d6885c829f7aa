import { spawn } from "node:child_process";
import { join } from "node:path";
import { Supervisor } from "../../../lib/cluster/supervisor";
import { isAlive } from "../../support/processes";
import { until } from "../../support/wait";

const READY = "console.log('ready');";
const FOR_EVER = "setInterval(() => undefined, 1000);";

describe("a supervisor", () => {
  const running: Supervisor[] = [];
  afterEach(() => Promise.all(running.splice(0).map((supervisor) => supervisor.stop())));

  /** Supervises a script. */
  const supervise = (script: string, { restart = true, stopMs = 5_000 } = {}) => {
    const seen = { lines: [] as string[], said: [] as string[], pids: [] as number[], ready: 0, down: 0 };
    const supervisor = new Supervisor({
      id: "core-1",
      restart,
      stopMs,
      launch: () => ({
        command: [process.execPath, "-e", script],
        cwd: __dirname,
        env: { OWN: "own" },
        isReady: (line) => line === "ready",
        onLine: (line) => seen.lines.push(line),
        onStart: (pid) => seen.pids.push(pid),
      }),
      onReady: () => seen.ready++,
      onDown: () => seen.down++,
      say: (line) => seen.said.push(line),
    });
    running.push(supervisor);
    return { supervisor, seen };
  };

  it("is ready when the process says so, and passes its lines on", async () => {
    const { supervisor, seen } = supervise(`console.log(process.env.OWN); console.error("oops"); ${READY} ${FOR_EVER}`);
    await supervisor.start();
    expect(seen.ready).toBe(1);
    await until("its lines", () => seen.lines.length === 3);
    expect(seen.lines.sort()).toEqual(["oops", "own", "ready"]);
  });

  it("starts a process again that was killed, and says so", async () => {
    const { supervisor, seen } = supervise(READY + FOR_EVER);
    await supervisor.start();
    process.kill(seen.pids[0] ?? 0, "SIGKILL");
    await until("it is back", () => seen.ready === 2);
    expect([seen.down, seen.said]).toEqual([1, ["core-1 ended with SIGKILL, starts again in 500 ms"]]);
  });

  it("waits longer each time", async () => {
    const { supervisor, seen } = supervise(`${READY} setTimeout(() => process.exit(3), 10);`);
    await supervisor.start();
    await until("it ended twice", () => seen.said.length === 2);
    expect(seen.said).toEqual([
      "core-1 ended with 3, starts again in 500 ms",
      "core-1 ended with 3, starts again in 1000 ms",
    ]);
  });

  it("does not start one again that never was ready: its settings are wrong", async () => {
    const { supervisor, seen } = supervise("process.exit(1)");
    await expect(supervisor.start()).rejects.toThrow("core-1 ended with 1");
    expect(seen.pids).toHaveLength(1);
  });

  it("does not start one again when told not to", async () => {
    const { supervisor, seen } = supervise(READY + FOR_EVER, { restart: false });
    await supervisor.start();
    process.kill(seen.pids[0] ?? 0, "SIGKILL");
    await until("it is noticed", () => seen.said.length === 1);
    expect(seen.said).toEqual(["core-1 ended with SIGKILL"]);
  });

  it("lets a process end in order, and does not start it again", async () => {
    const { supervisor, seen } = supervise(
      `process.on("SIGTERM", () => { console.log("bye"); process.exit(0); }); ${READY} ${FOR_EVER}`,
    );
    await supervisor.start();
    await supervisor.stop();
    expect(seen.lines).toEqual(["ready", "bye"]);
    expect([seen.pids.length, seen.said, seen.down]).toEqual([1, [], 1]);
  });

  it("kills a process that does not end in time", async () => {
    const { supervisor, seen } = supervise(`process.on("SIGTERM", () => undefined); ${READY} ${FOR_EVER}`, {
      stopMs: 50,
    });
    await supervisor.start();
    await supervisor.stop();
    expect(seen.said).toEqual(["core-1 did not end in 50 ms and is killed"]);
    expect(isAlive(seen.pids[0] ?? 0)).toBe(false);
  });
});

describe("a guard", () => {
  it("ends the processes that are left when their parent is killed, and no other", async () => {
    // The parent starts three, forgets one of them, prints their ids and is killed.
    const parent = spawn(process.execPath, ["--require", "tsx/cjs", join(__dirname, "guarded.child.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    parent.stdout.on("data", (data: Buffer) => (text += data.toString()));
    const pids = (await until("its children", () => text.includes("\n") && text)).trim().split(" ").map(Number);
    const [first = 0, forgotten = 0, third = 0] = pids;
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    parent.kill("SIGKILL");
    await until("they have ended", () => !isAlive(first) && !isAlive(third));
    expect(isAlive(forgotten)).toBe(true);
    process.kill(forgotten, "SIGKILL");
  }, 30_000);
});
