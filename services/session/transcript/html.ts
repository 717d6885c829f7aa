import type { Entry, MessageEntry } from "./entries";
import { type Format, type Head, linesOf, oneLine, remarksOn, utc } from "./format";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it may stand in HTML, also in a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.toWellFormed().replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");

const line = (text: string): string => escapeHtml(oneLine(text));
const name = (text: string): string => `<bdi>${line(text)}</bdi>`;

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
article { margin: 1rem 0; border-left: 3px solid #9aa5b1; padding-left: .75rem; }
article.agent { border-color: #2f6fde; }
article.internal { border-color: #c9a227; background: #fff8dc; color: #333; }
header, p.event { color: #67717b; font-size: .875rem; }
p { margin: .25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
`;

/** A page that needs nothing else and runs nothing; every word of a user in it is escaped. */
export const HTML: Format = {
  begin: ({ session, customer, agent }: Head): string =>
    `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Session ${line(session.id)}</title>
<style>${STYLE}</style></head>
<body>
<h1>${line(session.subject ?? session.topic)}</h1>
<p>Session ${line(session.id)}, ${line(session.status)}. Topic ${line(session.topic)}. Customer ${name(customer)}.${
      agent === undefined ? "" : ` Agent ${name(agent)}.`
    }</p>
`,

  entry(entry: Entry): string {
    const time = `<time datetime="${escapeHtml(entry.at)}">${utc(entry.at)}</time>`;
    const who = `${entry.role} ${name(entry.name)}`;
    if (entry.kind === "event") return `<p class="event">${time} ${who}: ${line(entry.text)}</p>\n`;
    const remarks = remarksOn(entry).map((remark) => `, ${line(remark)}`);
    const kind = entry.internal ? `${entry.role} internal` : entry.role;
    return `<article class="${kind}" id="m${entry.seq}"><header>${time} ${who}${remarks.join("")}</header>${content(entry)}</article>\n`;
  },

  end: () => "</body>\n</html>\n",
};

function content({ text, attachments = [] }: MessageEntry): string {
  const said = text === undefined ? "" : `<p dir="auto">${escapeHtml(linesOf(text).join("\n"))}</p>`;
  return said + attachments.map(attachment).join("");
}

/** A link only to the web, whatever was stored. */
function attachment({ url, name: file }: NonNullable<MessageEntry["attachments"]>[number]): string {
  const label = line(file ?? url);
  if (!/^https?:\/\//i.test(url)) return `<p>${label}</p>`;
  return `<p><a href="${escapeHtml(url)}" rel="noopener noreferrer nofollow">${label}</a></p>`;
}
