import { appendFileSync, rmSync } from "node:fs";
import { stringify } from "csv-stringify/sync";
import type { Flaw } from "./chunk";

/** What was refused and why, as a CSV file beside the imported one; there is none when nothing was. */
export class Report {
  readonly path: string;
  count = 0;

  constructor(file: string) {
    this.path = `${file}.refused.csv`;
    rmSync(this.path, { force: true });
  }

  readonly tell = ({ line, column, reason }: Flaw): void => {
    const rows = [...(this.count++ === 0 ? [["line", "column", "reason"]] : []), [String(line), column, reason]];
    appendFileSync(this.path, stringify(rows, { escape_formulas: true }));
  };
}
