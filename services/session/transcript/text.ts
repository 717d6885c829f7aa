import type { Entry } from "./entries";
import { type Format, type Head, linesOf, oneLine, remarksOn, utc } from "./format";

const INDENT = "    ";

/**
 * Plain text. Only an entry begins a line with `[`: whatever else was written is indented, so that nobody can write
 * another's lines.
 */
export const TEXT: Format = {
  begin({ session, customer, agent }: Head): string {
    const lines = [
      `Session ${oneLine(session.id)}, ${session.status}`,
      `Topic: ${oneLine(session.topic)}`,
      ...(session.subject === undefined ? [] : [`Subject: ${oneLine(session.subject)}`]),
      `Customer: ${oneLine(customer)}`,
      ...(agent === undefined ? [] : [`Agent: ${oneLine(agent)}`]),
      "",
    ];
    return `${lines.join("\n")}\n`;
  },

  entry(entry: Entry): string {
    const { at, seq, role, name } = entry;
    const place = `[${utc(at)} #${seq}] ${role} ${oneLine(name)}`;
    if (entry.kind === "event") return `${place} * ${oneLine(entry.text)}\n`;
    const remarks = remarksOn(entry);
    const content = [
      ...(entry.text === undefined ? [] : linesOf(entry.text)),
      ...(entry.attachments ?? []).map(({ url, name: file }) => `Attachment: ${oneLine(file ?? "")} <${oneLine(url)}>`),
    ];
    const head = remarks.length > 0 ? `${place} (${remarks.join(", ")}):` : `${place}:`;
    return `${[head, ...content.map((line) => INDENT + line)].join("\n")}\n`;
  },

  end: () => "",
};
