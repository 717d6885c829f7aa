import { Announcer } from "../../../services/presence/announcer";
import { settle } from "../../support/virtual-clock";

describe("announcer of statuses", () => {
  let told: string[];
  let release: Array<() => void>;
  let announcer: Announcer;

  beforeEach(() => {
    told = [];
    release = [];
    announcer = new Announcer((userId, { status }) => {
      told.push(`${userId} ${status}`);
      return new Promise((resolve) => release.push(resolve));
    });
  });
  const finish = async (): Promise<void> => {
    while (release.length > 0) {
      for (const resolve of release.splice(0)) resolve();
      await settle();
    }
  };

  it("tells a user's statuses one after the other, and only the latest of those that wait", async () => {
    for (const status of ["online", "busy", "offline"] as const) announcer.announce("u", { status });
    expect(told).toEqual(["u online"]);
    await finish();
    expect(told).toEqual(["u online", "u offline"]);
  });

  it("has a bounded number under way, and tells everybody in the end", async () => {
    for (let n = 0; n < 100; n++) announcer.announce(`u${n}`, { status: "online" });
    expect(release.length).toBeLessThan(20);
    const idle = announcer.whenIdle();
    await finish();
    await idle;
    expect(told).toHaveLength(100);
  });
});
