import { callerOf } from "../../lib/call";
import type { Topic } from "./topic";

/** Actions of the topics service that only operators call. */
export type TopicsInternal = {
  /** All topics, the archived too, by number and name, and how many keyword rules there are. */
  "topics.inspect": { params: object; result: { topics: Array<Topic & { open: boolean }>; keywords: number } };
};

/** Calls an internal action of the topics service. */
export const callTopics = callerOf<TopicsInternal>();
