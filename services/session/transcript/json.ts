import type { Entry } from "./entries";
import type { Format, Head } from "./format";

/** `{ session, customer, agent?, entries: [...] }`, one entry a line. */
export const JSON_FORMAT: Format = {
  begin: ({ session, customer, agent }: Head): string =>
    `${JSON.stringify({ session, customer, ...(agent !== undefined && { agent }) }).slice(0, -1)},"entries":[\n`,
  entry: (entry: Entry): string => `${entry.seq === 1 ? "" : ",\n"}${JSON.stringify(entry)}`,
  end: () => "\n]}\n",
};
