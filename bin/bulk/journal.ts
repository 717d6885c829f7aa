import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";

/**
 * Which conversations of a file are imported, so that an import goes on where it was stopped. It only saves time: what is
 * imported again stores nothing again.
 */
export class Journal {
  private readonly done: Set<string>;

  private constructor(
    private readonly path: string,
    done: readonly string[],
  ) {
    this.done = new Set(done);
  }

  /** The journal beside a file; an empty one when the file is another by now, or goes to another server. */
  static open(file: string, target: string): Journal {
    const path = `${file}.imported`;
    const { size, mtimeMs } = statSync(file);
    const head = JSON.stringify({ target, size, mtimeMs });
    const [first, ...lines] = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
    if (first === head) return new Journal(path, lines.slice(0, -1).flatMap(parse));
    writeFileSync(path, `${head}\n`);
    return new Journal(path, []);
  }

  has(conversation: string): boolean {
    return this.done.has(conversation);
  }

  add(conversation: string): void {
    this.done.add(conversation);
    appendFileSync(this.path, `${JSON.stringify(conversation)}\n`);
  }
}

/** A line that was cut off by the end of the process is none. */
function parse(line: string): string[] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "string" ? [value] : [];
  } catch {
    return [];
  }
}
