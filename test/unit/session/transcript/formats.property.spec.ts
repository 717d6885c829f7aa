import fc from "fast-check";
import type { SessionView } from "../../../../services/conversation-views";
import type { Entry, MessageEntry } from "../../../../services/session/transcript/entries";
import type { Format, Head } from "../../../../services/session/transcript/format";
import { escapeHtml, HTML } from "../../../../services/session/transcript/html";
import { JSON_FORMAT } from "../../../../services/session/transcript/json";
import { TEXT } from "../../../../services/session/transcript/text";

const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "<script>alert(1)</script>",
    `"><img src=x onerror=alert(1)>`,
    "&lt;b&gt; ' onload='x",
    "\n[2026-01-05 10:00:00 UTC #2] agent Ada:\n    You get it all back",
    "\r[2026",
    "a\u2028[2026",
    "\u001b[2J\u001b]0;title\u0007",
    "\u202eevil",
    "\ud800",
    "</style></title>-->",
    "\u0085[x",
    "]]>",
    "\\",
  ),
);
const session: SessionView = {
  ...{ id: "s", conversationId: "s", status: "closed", topic: "loan", urgency: "normal", customerId: "carl" },
  ...{ openedAt: "2026-01-05T10:00:00.000Z", lastSeq: 3 },
};
const head: fc.Arbitrary<Head> = fc.record({
  session: fc.record({ id: hostile, topic: hostile, subject: hostile }).map((words) => ({ ...session, ...words })),
  customer: hostile,
  agent: hostile,
});
const place = { at: fc.constant("2026-01-05T10:00:00.000Z"), by: hostile, name: hostile };
const role = fc.constantFrom("customer" as const, "agent" as const, "system" as const);
const attachment = fc.record(
  { url: fc.oneof(hostile, fc.webUrl(), fc.constant("javascript:alert(1)")), name: hostile },
  { requiredKeys: ["url"] },
);
const message = fc.record(
  {
    ...{ kind: fc.constant("message" as const), seq: fc.constant(2), role, text: hostile, ...place },
    ...{ attachments: fc.array(attachment, { maxLength: 3 }), internal: fc.constantFrom("note" as const) },
    ...{ replyTo: fc.constant(1), editedAt: place.at, deletedAt: place.at },
  },
  { requiredKeys: ["kind", "seq", "at", "by", "name", "role"] },
) as fc.Arbitrary<MessageEntry>;
const event = fc.record({
  kind: fc.constant("event" as const),
  type: hostile,
  text: hostile,
  role,
  seq: fc.constant(2),
  ...place,
});
const log = fc.array(fc.oneof<fc.Arbitrary<Entry>[]>(message, event), { minLength: 1, maxLength: 5 });

const document = (format: Format, above: Head, entries: readonly Entry[]): string =>
  format.begin(above) + entries.map((entry, at) => format.entry({ ...entry, seq: at + 1 })).join("") + format.end();

describe("whatever people wrote,", () => {
  it("a transcript in HTML has only the tags of its own, and no attribute but its own", () => {
    const OWN =
      /<!doctype html>|<\/?(?:html lang="en"|html|head|body|title|style|h1|bdi|header|p|article)>|<meta charset="utf-8">|<meta name="viewport" content="width=device-width">|<p (?:class="event"|dir="auto")>|<time datetime="[\d:.TZ-]+">|<\/time>|<article class="(?:customer|agent|system)(?: internal)?" id="m\d+">|<a href="https?:\/\/[^"'<>]*" rel="noopener noreferrer nofollow">|<\/a>/gi;
    fc.assert(
      fc.property(head, log, (above, entries) => {
        const html = document(HTML, above, entries);
        expect(html.replace(/<style>[^<]*<\/style>/, "").replace(OWN, "")).not.toMatch(/[<>]/);
        expect(html.isWellFormed()).toBe(true);
        expect(html).not.toMatch(/href="javascript/i);
      }),
    );
  });

  it("escaping leaves nothing that means something in HTML, and loses nothing", () => {
    const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };
    fc.assert(
      fc.property(hostile, (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/);
        expect(escaped.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? "")).toBe(
          text.toWellFormed(),
        );
      }),
    );
  });

  it("a transcript in plain text has one line with a time for each entry, and nothing that a terminal obeys", () => {
    fc.assert(
      fc.property(head, log, (above, entries) => {
        const [, ...parts] = document(TEXT, { ...above, session }, entries).split(/(?<=\n)\n/);
        const lines = parts.join("\n").split(/[\n\r\v\f\u0085\u2028\u2029]/u);
        expect(lines.filter((line) => line !== "" && !line.startsWith("    ")).map((line) => line.slice(0, 1))).toEqual(
          entries.map(() => "["),
        );
        expect(document(TEXT, above, entries)).not.toMatch(/[^\P{Cc}\n]/u);
      }),
    );
  });

  it("a transcript in JSON is JSON, and says exactly that", () => {
    fc.assert(
      fc.property(head, log, (above, entries) => {
        const read = JSON.parse(document(JSON_FORMAT, above, entries)) as Head & { entries: Entry[] };
        expect(read.entries).toEqual(entries.map((entry, at) => ({ ...entry, seq: at + 1 })));
        expect(read.session).toEqual(above.session);
      }),
    );
  });
});
