import { ServiceBroker, type ServiceSchema, type ServiceSettingSchema } from "moleculer";
import SocketIo from "moleculer-io";
import type { Server } from "socket.io";

/**
 * A moleculer-io gateway as its documentation shows it: the `call` event reaches a service over NATS.
 * Environment: PORT, NATS_URL, NAMESPACE. Handshake: `auth: { user, rooms }`.
 */
interface Gateway {
  io: Server;
}

const schema: ServiceSchema<ServiceSettingSchema & { port: number; io: object }> = {
  name: "io",
  mixins: [SocketIo as Partial<ServiceSchema>],
  settings: {
    port: Number(process.env["PORT"]),
    io: { options: { perMessageDeflate: false, serveClient: false } },
  },
  methods: {
    socketGetMeta: (socket: { handshake: { auth: { user: string } } }) => ({ user: socket.handshake.auth.user }),
    socketSaveMeta: () => undefined,
  },
  started() {
    const { io } = this as unknown as Gateway;
    io.on("connection", (socket) => void socket.join((socket.handshake.auth as { rooms: string[] }).rooms));
  },
};

const broker = new ServiceBroker({
  nodeID: `gateway-${process.pid}`,
  namespace: process.env["NAMESPACE"] ?? "peer",
  transporter: { type: "NATS", options: { url: process.env["NATS_URL"] ?? "" } },
  logger: false,
});
broker.createService(schema);
void broker.start();
