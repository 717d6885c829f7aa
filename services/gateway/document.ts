import type { ServerResponse } from "node:http";
import type { DocumentBinding, DocumentPart } from "../../lib/contract";

/**
 * Sends a file, part by part: no more than two of them are in memory, and the next one is asked for when the reader has
 * taken the last. A failure after the first part ends the connection before the file is complete.
 * @param ask  the part after a cursor; what it rejects with for the first part is thrown, and nothing was sent
 */
export async function sendDocument(
  response: ServerResponse,
  { name, formats }: DocumentBinding,
  ask: (cursor: string | undefined) => Promise<DocumentPart>,
): Promise<void> {
  let part = await ask(undefined);
  const { type, extension } = formats[part.format] ?? OTHERWISE;
  response.writeHead(200, {
    "Content-Type": type,
    "Content-Disposition": `attachment; filename="${name}.${extension}"`,
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cache-Control": "no-store",
  });
  try {
    for (;;) {
      if (response.destroyed) return;
      if (!response.write(part.text)) await taken(response);
      if (part.cursor === undefined) break;
      part = await ask(part.cursor);
    }
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
}

const OTHERWISE = { type: "application/octet-stream", extension: "bin" };

/** Resolves when the reader has taken what was written, or has gone. */
const taken = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
