/** How a checked link is; with `fail` something does not work. */
export type Level = "ok" | "warn" | "fail";

export interface Finding {
  readonly level: Level;
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
}

export const ok = (text: string): Finding => ({ level: "ok", text });
export const warn = (text: string, advice: string): Finding => ({ level: "warn", text, advice });
export const fail = (text: string, advice: string): Finding => ({ level: "fail", text, advice });

export interface Check {
  /** The link's name, in front of each of its lines. */
  readonly name: string;
  /** Looks at the link. What it rejects with counts as a failure. */
  run(): Promise<readonly Finding[]>;
}
