import type { Socket } from "socket.io-client";
import { get, heard, type Login, outcome, type SocketNode, startSocketNode } from "../support/socket-node";
import { until } from "../support/wait";

interface Counts {
  readonly topic: string;
  readonly waiting: number;
  readonly assigned: number;
  readonly closing: number;
  readonly waitingSince?: string;
  readonly agents?: number;
}
interface Frame {
  readonly seq: number;
  readonly prevSeq: number;
  readonly agents?: number;
  readonly topics: readonly Counts[];
}

const command = () => ({ commandId: crypto.randomUUID() });

describe("the live counters of supervisors", () => {
  let node: SocketNode;
  let sue: Login;
  let agent: Socket;
  let supervisor: Socket;

  beforeAll(async () => {
    node = await startSocketNode();
    sue = await node.user("supervisor");
    agent = await node.connect(await node.user("agent"));
    supervisor = await node.connect(sue);
    await get(agent, "agent.availability", { availability: "online" });
  }, 60_000);

  afterAll(() => node.stop());

  const opened = async (topic: string): Promise<{ id: string; socket: Socket }> => {
    const socket = await node.connect(await node.guest());
    return { id: (await get<{ id: string }>(socket, "session.open", { ...command(), topic })).id, socket };
  };

  /** What a client makes of the answer and the frames. */
  function follow(socket: Socket) {
    const frames = heard<Frame>(socket, "counters");
    const topics = new Map<string, Counts>();
    let applied = 0;
    return {
      frames,
      async subscribe() {
        const snapshot = await get<Frame>(socket, "desk.counters", { subscribe: true });
        for (const counts of snapshot.topics) topics.set(counts.topic, counts);
        return snapshot;
      },
      of(topic: string) {
        for (; applied < frames.length; applied++)
          for (const counts of frames[applied]?.topics ?? []) topics.set(counts.topic, counts);
        return topics.get(topic);
      },
    };
  }

  it("begin with what there is and follow every change", async () => {
    const first = await opened("loan");
    const desk = follow(supervisor);
    await desk.subscribe();
    expect(desk.of("loan")).toMatchObject({ waiting: 1, assigned: 0, closing: 0, agents: 1 });
    const since = desk.of("loan")?.waitingSince;

    await opened("loan");
    await until("the second is counted", () => desk.of("loan")?.waiting === 2);
    expect(desk.of("loan")?.waitingSince).toBe(since);
    await get(agent, "session.claim", { ...command(), sessionId: first.id });
    await until("the claim is counted", () => desk.of("loan")?.assigned === 1);
    expect(desk.of("loan")).toMatchObject({ waiting: 1 });
    expect(desk.of("loan")?.waitingSince).not.toBe(since);
    await get(first.socket, "session.close", { ...command(), sessionId: first.id });
    await until("the end is counted", () => desk.of("loan")?.assigned === 0);
    expect(desk.frames.map(({ prevSeq }) => prevSeq).slice(1)).toEqual(desk.frames.map(({ seq }) => seq).slice(0, -1));
  });

  it("are gathered: many changes are few frames, each with the topics that changed alone", async () => {
    const desk = follow(supervisor);
    await desk.subscribe();
    await Promise.all(Array.from({ length: 40 }, () => opened("payment")));
    await until("all are counted", () => desk.of("payment")?.waiting === 40);
    const frames = desk.frames.filter(({ topics }) => topics.some(({ topic }) => topic === "payment"));
    expect(frames.length).toBeLessThan(10);
    expect(new Set(frames.flatMap(({ topics }) => topics.map(({ topic }) => topic)))).toEqual(new Set(["payment"]));
  });

  it("are for supervisors, for as long as they are", async () => {
    expect(await outcome(agent, "desk.counters", { subscribe: true })).toBe("FORBIDDEN");
    const eve = await node.user("supervisor");
    const socket = await node.connect(eve);
    const [lost, kept] = [follow(socket), follow(supervisor)];
    await Promise.all([lost.subscribe(), kept.subscribe()]);
    await node.setRoles(eve.id, "agent");
    await until("it is refused", async () => (await outcome(socket, "desk.counters", { subscribe: true })) !== "ok");
    const before = lost.frames.length;
    await opened("other");
    await until("the other sees it", () => kept.of("other")?.waiting === 1);
    await get(socket, "conversation.list", {});
    expect(lost.frames).toHaveLength(before);
  });

  it("are no longer sent to who has had enough", async () => {
    const [stopped, kept] = [await node.connect(sue), follow(supervisor)];
    const frames = heard<Frame>(stopped, "counters");
    for (const subscribe of [true, false]) await get(stopped, "desk.counters", { subscribe });
    await kept.subscribe();
    const topic = crypto.randomUUID();
    await opened(topic);
    await until("the other sees it", () => kept.of(topic)?.waiting === 1);
    await get(stopped, "conversation.list", {});
    expect(frames).toEqual([]);
  });
});
