import type { IncomingMessage } from "node:http";
import ApiGateway from "moleculer-web";
import type { Context, ServiceBroker } from "moleculer";
import { type AnswerMetrics, answerMetricsOf } from "../../lib/answer-metrics";
import type { Config } from "../../lib/config";
import type { Contract, DocumentPart, RestBinding } from "../../lib/contract";
import { invalid, isParleyError, ParleyError } from "../../lib/errors";
import { errorTypeOf } from "../../lib/middlewares/errors";
import type { Patience } from "../../lib/patience";
import { resourcesOf } from "../../lib/resources";
import { activityOf } from "../agents/activity";
import { API_PREFIX } from "../api";
import { addressKey, AttemptLimit, sharedCount } from "../auth/limits";
import type { Meta, Principal } from "../auth/principal";
import { CONTRACTS } from "../contracts";
import { sendDocument } from "./document";
import type { ApiRequest, ApiResponse } from "./exchange";
import { paramsOf } from "./request-params";
import { sendError, sendJson } from "./responses";

export interface ApiPorts {
  readonly broker: ServiceBroker;
  readonly config: Config;
  readonly patience: Patience;
  /** Rejects with UNAUTHORIZED. */
  authenticate(token: string): Promise<Principal>;
}

type Middleware = (request: ApiRequest, response: ApiResponse, next: (error?: unknown) => void) => void;

/** The moleculer-web route of the API: one alias for each contract with a REST binding, and nothing else. */
export function apiRoute(ports: ApiPorts) {
  const metrics = answerMetricsOf(ports.broker);
  return {
    path: API_PREFIX,
    mappingPolicy: "restrict",
    mergeParams: false,
    logging: false,
    bodyParsers: false,
    use: [limitRequests(ports), refuseOtherTypes, parseJson(ports.config)],
    aliases: Object.fromEntries(
      CONTRACTS.flatMap((contract) =>
        contract.rest
          ? [[`${contract.rest.method} ${contract.rest.path}`, serve(ports, metrics, contract, contract.rest)]]
          : [],
      ),
    ),
  };
}

/**
 * Before the body is read: a flood costs as little as it can. Refusals are answered here, since moleculer-web would
 * make errors of its own of them.
 */
function limitRequests({ broker, config }: ApiPorts): Middleware {
  const shared = sharedCount(resourcesOf(broker), "rest");
  const limit = new AttemptLimit(config.LIMIT_REQUESTS_PER_MINUTE, { shared });
  return (request, response, next) =>
    void limit.attempt(addressKey(request.ip)).then(
      () => next(),
      (error: unknown) => sendError(response, error, request.requestId),
    );
}

/** JSON only: a page of another origin can send forms without asking, but no JSON. */
const refuseOtherTypes: Middleware = ({ headers, requestId }, response, next) => {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  const isJson = /^application\/json\s*(;|$)/i.test(headers["content-type"] ?? "");
  if (!hasBody || isJson) next();
  else sendError(response, invalid("", "the body must be sent as application/json"), requestId);
};

/** body-parser as moleculer-web brings it along. */
const { bodyParser } = ApiGateway as unknown as { bodyParser: { json(options: object): Middleware } };

const parseJson = (config: Config): Middleware =>
  bodyParser.json({ limit: config.BODY_BYTES, inflate: false, strict: true });

/** Serves one action: who, with what, call, answer. Every outcome is answered here. */
function serve(ports: ApiPorts, metrics: AnswerMetrics, contract: Contract, rest: RestBinding) {
  const activity = activityOf(ports.broker);
  return async (request: ApiRequest, response: ApiResponse): Promise<void> => {
    const { requestId, ip } = request;
    const start = performance.now();
    try {
      const meta: Meta = { requestId, ip };
      // A stale token must not keep anyone from logging in, so public actions never look at it.
      if (contract.access !== "public") meta.user = await ports.authenticate(bearerOf(request));
      if (meta.user && rest.method !== "GET") activity.heard(meta.user);
      const params = paramsOf(contract, {
        path: request.$params.params,
        query: request.query,
        body: request.body,
        idempotencyKey: headerOf(request, "idempotency-key"),
      });
      const ask = (given: object): Promise<unknown> =>
        ports.patience.wait(call(request.$ctx, contract.name, given, meta), contract);
      if (rest.document)
        await sendDocument(response, rest.document, (cursor) => ask({ ...params, cursor }) as Promise<DocumentPart>);
      else sendJson(response, rest.status ?? 200, await ask(params));
      metrics.answered("ok", performance.now() - start);
    } catch (error) {
      if (!isParleyError(error)) {
        ports.broker.logger.warn("request failed", { action: contract.name, requestId, error });
      }
      sendError(response, error, requestId, contract);
      metrics.answered(errorTypeOf(error, contract), performance.now() - start);
    }
  };
}

const call = (ctx: Context, name: string, params: object, meta: Meta): Promise<unknown> =>
  ctx.call<unknown, object>(name, params, { meta });

const BEARER = /^Bearer +(\S+)$/i;

function bearerOf({ headers }: IncomingMessage): string {
  const token = BEARER.exec(headers.authorization ?? "")?.[1];
  if (token === undefined) throw new ParleyError("UNAUTHORIZED");
  return token;
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}
