/** A node that is gone for so long is lost: one that restarts or reconnects is back before. */
export const NODE_GRACE_MS = 8_000;

/** Tells which nodes have been gone for so long that their connections are. */
export class LostNodes {
  /** By node: since when it is gone, in monotonic milliseconds. */
  private readonly gone = new Map<string, number>();

  constructor(private readonly isGone: (node: string) => boolean) {}

  /** Those of the nodes that are lost. To be asked regularly: a node counts as gone from the first time it is. */
  among(nodes: readonly string[], now: number): string[] {
    for (const node of this.gone.keys()) if (!nodes.includes(node)) this.gone.delete(node);
    return nodes.filter((node) => {
      if (!this.isGone(node)) {
        this.gone.delete(node);
        return false;
      }
      const since = this.gone.get(node) ?? now;
      this.gone.set(node, since);
      return now - since >= NODE_GRACE_MS;
    });
  }
}
