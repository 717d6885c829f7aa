import { Errors, type ServiceBroker } from "moleculer";

/** A transporter that knows whether it has a connection. */
export interface WatchedTransporter {
  readonly up: boolean;
  /** Resolves after one round trip to the broker's server. */
  ping(): Promise<void>;
}

/** The request was not sent. Routing takes it for a node that is not there. */
export class TransporterDownError extends Errors.MoleculerRetryableError {
  constructor() {
    super("the transporter has no connection", 503, "SERVICE_NOT_AVAILABLE");
  }
}

/** Is the broker's transporter connected? True when it has none: then nobody is out of reach. */
export const transporterIsUp = (broker: ServiceBroker): boolean => watched(broker)?.up ?? true;

/** Resolves when the broker's transporter answers; at once when there is none. Rejects while it is not connected. */
export async function pingTransporter(broker: ServiceBroker): Promise<void> {
  const { transit } = broker;
  const transporter = watched(broker);
  if (transporter) await transporter.ping();
  else if (transit && !transit.connected) throw new TransporterDownError();
}

function watched({ transit }: ServiceBroker): WatchedTransporter | undefined {
  const transporter = transit?.tx as Partial<WatchedTransporter> | undefined;
  return transporter?.ping && transporter.up !== undefined ? (transporter as WatchedTransporter) : undefined;
}
