import type { Collection, CollectionDefinition, Store } from "../store/collection";

interface JobDocument {
  _id: string;
  /** Wall-clock milliseconds of the begin of the last turn that succeeded. */
  doneAt: number;
}

export const JOBS: CollectionDefinition = { name: "jobs", indexes: [] };

/** When a job's last turn began: what a turn that was missed is known by. */
export interface TurnMemory {
  last(job: string): Promise<number | undefined>;
  /** Never goes back. */
  done(job: string, at: number): Promise<void>;
}

/** Remembers in the store. */
export class StoreTurnMemory implements TurnMemory {
  private readonly jobs: Collection<JobDocument>;

  constructor(store: Store) {
    this.jobs = store.collection<JobDocument>(JOBS);
  }

  async last(job: string): Promise<number | undefined> {
    return (await this.jobs.findOne({ _id: job }))?.doneAt;
  }

  done(job: string, at: number): Promise<void> {
    return this.jobs.putNewer([{ _id: job, doneAt: at }], "doneAt");
  }
}
