import { stripVTControlCharacters } from "node:util";

/** What moleculer-repl hands to a command for drawing (packages `table` and `kleur`). */
export interface DrawingTools {
  table(rows: string[][], config: object): string;
  getBorderCharacters(name: string): unknown;
  kleur: { bold(text: string): string };
}

export interface Column {
  title: string;
  align?: "left" | "right";
  /**
   * Gives way when the terminal is too narrow: `cut` loses its end, `id` its beginning (ids of one moment begin alike),
   * `wrap` takes more lines.
   */
  overflow?: "cut" | "id" | "wrap";
}

const GAP = 2;
const NARROWEST = 6;
/** Enough of something cut to recognise it: only when nothing else gives way is it cut further. */
const RECOGNISABLE = 12;

/**
 * What somebody else typed, made safe for a terminal: without escape sequences, control characters and the invisible
 * ones that turn or hide text, on one line.
 */
export const clean = (text: string): string => stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}]+/gu, " ");

/** Column widths that fit into `width`: cut columns give way before wrapped ones, the widest of them first. */
export function fit(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): number[] {
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const total = () => widths.reduce((sum, each) => sum + each + GAP, -GAP);
  while (total() > width) {
    const widest = columns
      .flatMap(({ overflow }, at) => {
        const own = widths[at] ?? 0;
        return overflow && own > NARROWEST ? [{ at, own, first: overflow !== "wrap" && own > RECOGNISABLE }] : [];
      })
      .sort((a, b) => Number(b.first) - Number(a.first) || b.own - a.own)[0];
    if (widest === undefined) break;
    widths[widest.at] = widest.own - 1;
  }
  return widths;
}

function shorten(text: string, { overflow }: Column, width: number): string {
  if (text.length <= width || overflow === undefined || overflow === "wrap") return text;
  return overflow === "id" ? `…${text.slice(1 - width)}` : `${text.slice(0, width - 1)}…`;
}

/** Draws rows under bold titles, `width` characters wide at most unless columns that may not give way need more. */
export function drawTable(
  tools: DrawingTools,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = process.stdout.columns || 80,
): string {
  const cells = rows.map((row) => row.map(clean));
  const widths = fit(columns, cells, width);
  const shown = cells.map((row) => columns.map((column, at) => shorten(row[at] ?? "", column, widths[at] ?? 0)));
  const drawn = tools.table([columns.map(({ title }) => tools.kleur.bold(title)), ...shown], {
    border: tools.getBorderCharacters("void"),
    drawHorizontalLine: () => false,
    columns: columns.map(({ align }, at) => ({
      width: widths[at],
      alignment: align ?? "left",
      paddingLeft: 0,
      paddingRight: at === columns.length - 1 ? 0 : GAP,
      wrapWord: true,
    })),
  });
  return drawn.replace(/ +$/gm, "").trimEnd();
}
