import type { IncomingMessage, ServerResponse } from "node:http";
import type { Service, ServiceSchema, ServiceSettingSchema } from "moleculer";
import ApiGateway from "moleculer-web";
import { httpServerOf } from "../../lib/http-server";
import { lifecycleOf } from "../../lib/lifecycle";
import { isParleyError, ParleyError } from "../../lib/errors";
import { probesOf } from "../../lib/probes";
import { resourcesOf } from "../../lib/resources";
import { type Authenticating, authenticationMixin } from "../../mixins/authentication.mixin";
import { apiRoute } from "./api-route";
import { entryOf } from "./entry";
import type { ApiRequest } from "./exchange";
import { pagesOf } from "./pages";
import { sendError, transportError } from "./responses";

interface Gateway extends Service, Authenticating {
  addRoute(route: object): unknown;
  httpHandler(request: IncomingMessage, response: ServerResponse): Promise<void>;
  errorHandler(request: ApiRequest, response: ServerResponse, error: unknown): void;
}

const schema: ServiceSchema<ServiceSettingSchema, object, Gateway> = {
  name: "gateway",
  mixins: [ApiGateway as Partial<ServiceSchema>, authenticationMixin],

  settings: {
    // The process's server is not moleculer-web's (lib/http-server.ts).
    server: false,
    // Not an empty list: moleculer-web would offer every action of every service for it.
    routes: null,
    logRequest: null,
    logRequestParams: null,
    logResponse: null,
    logRouteRegistration: null,
    // A request and its response are no params that could be copied.
    rootCallOptions: { paramsCloning: false },
  } as ServiceSettingSchema,

  actions: { listAliases: false, addRoute: false, removeRoute: false },

  methods: {
    /** Keys stay as they are: what is nested or repeated is refused later, not interpreted. */
    parseQueryString({ url = "/" }: IncomingMessage) {
      const [path, search] = splitUrl(url);
      return { url: path, query: new URLSearchParams(search) };
    },

    errorHandler(this: Gateway, request: ApiRequest, response: ServerResponse, error: unknown) {
      const ours = transportError(error);
      if (!isParleyError(ours)) {
        this.logger.error("request failed", { requestId: request.requestId, error });
      }
      sendError(response, ours, request.requestId);
    },

    sendError(this: Gateway, request: ApiRequest, response: ServerResponse, error: unknown) {
      this.errorHandler(request, response, error);
    },

    send404(request: ApiRequest, response: ServerResponse) {
      sendError(response, new ParleyError("NOT_FOUND"), request.requestId);
    },
  },

  created() {
    const { broker } = this;
    const { config } = resourcesOf(broker);
    const http = httpServerOf(broker);
    const lifecycle = lifecycleOf(broker);
    const phase = () => lifecycle.phase;
    const authenticate = (token: string) => this.authenticator.authenticate(token);
    this.addRoute(apiRoute({ broker, config, authenticate, patience: this.patience }));
    http.handle(
      entryOf({
        config,
        pages: pagesOf(probesOf(broker)),
        phase,
        logger: this.logger,
        api: (request, response) => void this.httpHandler(request, response),
        onError: (request, response, error) => this.errorHandler(request, response, error),
      }),
    );
    lifecycle.onDrain(() => http.whenIdle(config.DRAIN_SECONDS * 1_000));
  },
};

function splitUrl(url: string): [path: string, search: string] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}

export default schema;
