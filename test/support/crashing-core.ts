import { ServiceBroker } from "moleculer";

/** A message with this text is the last that a node stores: it is durable, and nobody has been told of it. */
export const LAST_WORDS = "last words";

interface Flush {
  readonly events: ReadonlyArray<{ readonly data: { readonly text?: string } }>;
}

type Broadcast = (name: string, data?: unknown, options?: object) => Promise<unknown>;

/** Makes the brokers of this process end it as SIGKILL does, between the durable write and the broadcast. */
function crashOnLastWords(): void {
  const prototype = ServiceBroker.prototype as { broadcast: Broadcast };
  const { broadcast } = prototype;
  prototype.broadcast = function (this: ServiceBroker, name, data, options) {
    const events = name === "log.flush" ? (data as Flush).events : [];
    if (events.some((event) => event.data.text === LAST_WORDS)) process.kill(process.pid, "SIGKILL");
    return broadcast.call(this, name, data, options);
  };
}

// Started as a program it is a node like any other, but for that.
if (require.main === module) {
  crashOnLastWords();
  void import("../../bin/parley");
}
