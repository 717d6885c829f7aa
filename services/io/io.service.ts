import type { Context, ServiceSchema, ServiceSettingSchema } from "moleculer";
import SocketIo from "moleculer-io";
import { taggedIds } from "../../lib/front-door/affinity";
import { httpServerOf } from "../../lib/http-server";
import { lifecycleOf } from "../../lib/lifecycle";
import { resourcesOf } from "../../lib/resources";
import { type Authenticating, authenticationMixin } from "../../mixins/authentication.mixin";
import type { BrokerEvents } from "../events";
import type { ClientSocket, SocketServer } from "./client-socket";
import { IoNode } from "./io-node";
import { socketServerOptions } from "./socket-server";

interface Io extends Authenticating {
  io: SocketServer | undefined;
  node: IoNode;
  initSocketIO(server: object, options: object): void;
}

interface Namespaces {
  io: { namespaces: Record<string, { authorization: boolean; events: object }> };
}

const schema: ServiceSchema<ServiceSettingSchema, object, Io> & { merged(merged: ServiceSchema): void } = {
  name: "io",
  mixins: [SocketIo as Partial<ServiceSchema>, authenticationMixin],
  dependencies: ["room", "message", "session", "presence"],

  // Named events only, and none of the mixin's own: every packet goes to our dispatcher, which has a table of them.
  merged(merged: ServiceSchema) {
    const settings = merged.settings as Namespaces;
    settings.io.namespaces = { "/": { authorization: true, events: {} } };
  },

  actions: {
    call: false,
    broadcast: false,
    getClients: false,
    /** Sends every client of this node away and lets nobody in until it is started again. */
    async drain() {
      await lifecycleOf(this.broker).drain();
    },
  },

  events: {
    "log.flush"(ctx: Context<BrokerEvents["log.flush"]>) {
      this.node.receivedFlush(ctx.params);
    },
    "log.beat"(ctx: Context<BrokerEvents["log.beat"]>) {
      this.node.receivedBeat(ctx.nodeID ?? this.broker.nodeID, ctx.params);
    },
    "log.found"(ctx: Context<BrokerEvents["log.found"]>) {
      this.node.receivedFound(ctx.params);
    },
    "receipts.changed"(ctx: Context<BrokerEvents["receipts.changed"]>) {
      this.node.fanout.receipts(ctx.params);
    },
    "typing.changed"(ctx: Context<BrokerEvents["typing.changed"]>) {
      this.node.fanout.typing(ctx.params);
    },
    "presence.changed"(ctx: Context<BrokerEvents["presence.changed"]>) {
      this.node.fanout.presence(ctx.params);
    },
    "presence.census"() {
      this.node.reportPresence();
    },
    "$transporter.up"() {
      this.node.broughtBack();
    },
    async "$node.connected"(ctx: Context<{ node: { id: string } }>) {
      await this.node.cores.changed(ctx.params.node.id);
    },
    async "$node.updated"(ctx: Context<{ node: { id: string } }>) {
      await this.node.cores.changed(ctx.params.node.id);
    },
    "$node.disconnected"(ctx: Context<{ node: { id: string } }>) {
      this.node.cores.lost(ctx.params.node.id);
    },
  },

  methods: {
    /** The mixin's hook before a client connects. */
    async socketAuthorize(this: Io, socket: ClientSocket) {
      await this.node.admit(socket);
    },
    /** The mixin would keep an identity of its own; ours is in `socket.data`. */
    socketSaveUser() {},
  },

  created() {
    const resources = resourcesOf(this.broker);
    this.initSocketIO(
      httpServerOf(this.broker).server,
      socketServerOptions(resources.config, () => this.io),
    );
    // The requests of a long-polling client find their node by the id of its connection.
    if (this.io) this.io.engine.generateId = taggedIds(this.broker.nodeID);
    this.node = new IoNode({
      broker: this.broker,
      resources,
      authenticator: this.authenticator,
      patience: this.patience,
    });
    lifecycleOf(this.broker).onDrain(() => this.node.drain(resources.config.DRAIN_SECONDS));
  },

  async started() {
    await this.node.start();
    this.io?.on("connection", (socket) => this.node.connected(socket));
  },

  async stopped() {
    this.node.stop();
    this.io?.engine.close();
    // The HTTP server belongs to the node: the mixin must not close it.
    this.io = undefined;
  },
};

export default schema;
