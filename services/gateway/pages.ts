import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname } from "node:path";
import ApiGateway from "moleculer-web";
import type { Page } from "../../lib/probes";
import { restApi } from "../api";
import { sendJson } from "./responses";

const SWAGGER_FOLDER = dirname(require.resolve("swagger-ui-dist/package.json"));
const SWAGGER_FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/**
 * The pages outside the API, by path, the process's probes among them. They are public, hold nothing of any user, and
 * take GET and HEAD only.
 */
export function pagesOf(probes: ReadonlyMap<string, Page>): ReadonlyMap<string, Page> {
  const document = restApi();
  return new Map<string, Page>([
    ["/", text("text/html", FRONT)],
    ...probes,
    ["/openapi.json", (_request, response) => sendJson(response, 200, document)],
    ["/docs", text("text/html", DOCS)],
    ["/docs/start.js", text("text/javascript", DOCS_SCRIPT)],
    ...SWAGGER_FILES.map((file) => [`/docs/${file}`, swaggerFile(file)] as const),
  ]);
}

const text =
  (type: string, body: string): Page =>
  (_request, response) => {
    response.writeHead(200, { "Content-Type": `${type}; charset=utf-8` }).end(body);
  };

type Serve = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
/** serve-static as moleculer-web brings it along. */
const { serveStatic } = ApiGateway as unknown as { serveStatic(folder: string, options: object): Serve };

/** One file of Swagger UI; its folder holds more than should be served. */
function swaggerFile(name: string): Page {
  const serve = serveStatic(SWAGGER_FOLDER, { index: false, maxAge: "1h" });
  return (request, response) => {
    serve(Object.assign(request, { url: `/${name}` }), response, () => response.writeHead(404).end());
  };
}

const page = (title: string, head: string, body: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>${head}</head>
<body>${body}</body>
</html>
`;

const FRONT = page(
  "Parley",
  `<style>body{font:16px/1.6 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>`,
  `<h1>Parley</h1>
<p>This is a Parley live-chat server. It speaks REST below <code>/v1</code> and Socket.IO on this address.</p>
<ul>
<li><a href="/docs">The REST API</a> (<a href="/openapi.json">OpenAPI</a>)</li>
<li><a href="/health/ready">Is it ready?</a></li>
</ul>`,
);

const DOCS = page(
  "Parley API",
  `<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="icon" href="/docs/favicon-32x32.png">`,
  `<div id="ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>`,
);

/** A file of its own: the content security policy allows no inline script. */
const DOCS_SCRIPT = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#ui", deepLinking: true, validatorUrl: null });\n`;
