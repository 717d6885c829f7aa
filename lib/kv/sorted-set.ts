import { bisect } from "../bisect";
/** Members ordered by score, then by name, as a Redis sorted set. */
export class SortedSet {
  private readonly scores = new Map<string, number>();
  private readonly ordered: { member: string; score: number }[] = [];

  get size(): number {
    return this.ordered.length;
  }

  /** Adds a member or moves it to its new score. */
  add(member: string, score: number): void {
    if (this.scores.get(member) === score) return;
    this.remove(member);
    this.scores.set(member, score);
    this.ordered.splice(this.position(score, member), 0, { member, score });
  }

  remove(member: string): void {
    const score = this.scores.get(member);
    if (score === undefined) return;
    this.scores.delete(member);
    this.ordered.splice(this.position(score, member), 1);
  }

  /** Members with `min <= score <= max`, ascending, no more than `limit`. */
  range(min: number, max: number, limit = Infinity): { member: string; score: number }[] {
    const found: { member: string; score: number }[] = [];
    for (let i = this.position(min, ""); i < this.ordered.length && found.length < limit; i++) {
      const entry = this.ordered[i];
      if (!entry || entry.score > max) break;
      found.push({ ...entry });
    }
    return found;
  }

  /** Where this entry is, or would be. */
  private position(score: number, member: string): number {
    return bisect(this.ordered, (entry) => entry.score < score || (entry.score === score && entry.member < member));
  }
}
