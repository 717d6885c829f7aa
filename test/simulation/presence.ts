import { presenceOf } from "../../services/presence/presence.engine";
import { PresenceStore } from "../../services/presence/presence.store";
import type { IoNode } from "./io-node";
import type { SimKv } from "./sim-kv";

/**
 * Who is shown as connected.
 *
 * P  in the end everybody is shown as they are, and the others were told: nobody who is gone, everybody who is there
 */
export class PresenceTruth {
  constructor(
    private readonly kv: SimKv,
    private readonly userIds: readonly string[],
    private readonly ios: () => readonly IoNode[],
  ) {}

  /** Somebody who is not shown as they are. */
  async wrong(): Promise<string | undefined> {
    const there = new Set(this.ios().flatMap((io) => io.users()));
    const store = new PresenceStore(this.kv.now);
    const now = await store.now();
    for (const userId of this.userIds) {
      const record = await store.read(userId);
      const { status } = presenceOf(record, now);
      if (status !== (record.shown ?? "offline")) return `nobody was told that ${userId} is ${status}`;
      if ((status === "online") !== there.has(userId))
        return `${userId} is shown as ${status}, and is ${there.has(userId) ? "there" : "gone"}`;
    }
    return undefined;
  }
}
