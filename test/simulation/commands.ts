import type { StoredEvent } from "../../actors/conversation/conversation.events";
import type { ErrorType } from "../../lib/errors";
import { keyOf, type Request } from "./messages";

/** What became of a run: nobody knows yet, or ever; it wrote nothing; or it may have written. */
type End = "open" | "wrote nothing" | "may have written";

/** One time that a core node was given a command. */
interface Run {
  readonly incarnation: string;
  end: End;
}

/** One message that carries a command to a core node. */
export class Send {
  /** How often it arrived there: the network doubles messages. */
  deliveries = 0;
  readonly runs: Run[] = [];
}

/** One time that somebody asks for a command: all that was sent for it, and what they were told. */
export class Attempt {
  readonly sends: Send[] = [];
  /** They were told this, and so that this attempt wrote nothing. */
  denied: ErrorType | "no-op" | undefined;

  /** @param from the head of the log when it was made, `askedAt` the simulated time */
  constructor(
    readonly request: Request,
    readonly from: number,
    readonly askedAt: number,
  ) {}

  send(): Send {
    const send = new Send();
    this.sends.push(send);
    return send;
  }
}

interface Known {
  readonly request: Request;
  readonly attempts: Attempt[];
  event: StoredEvent | undefined;
}

/**
 * What becomes of each command, by every message that carried it and every run of it at a core node.
 *
 * E  a command is there once or not at all; it is there only when a run at the node that wrote it was not answered as
 *    having written nothing, and when nobody was told so of that run: a message that arrived once ran once, so that what
 *    its sender was told holds for all of it. Whoever sent a message that was doubled knows of one of its runs only; and
 *    whoever is told that what they ask for is so already, after a message that nobody answered, may see it done again.
 */
export class Commands {
  private readonly known = new Map<string, Known>();

  constructor(private readonly fail: (detail: string) => void) {}

  /** Somebody asks for it, perhaps once more. */
  asks(request: Request, from: number, askedAt: number): Attempt {
    const known = this.known.get(keyOf(request)) ?? { request, attempts: [], event: undefined };
    this.known.set(keyOf(request), known);
    const attempt = new Attempt(request, from, askedAt);
    known.attempts.push(attempt);
    return attempt;
  }

  requestOf(event: StoredEvent): Request | undefined {
    return this.known.get(keyOf(event))?.request;
  }

  /**
   * A core node is given a command. The function returned takes whether it wrote nothing.
   * @param send  the message; absent when it is sent by nobody who tells of answers
   */
  runs(command: Parameters<typeof keyOf>[0], incarnation: string, send?: Send): (wroteNothing: boolean) => void {
    const known = this.known.get(keyOf(command));
    const run: Run = { incarnation, end: "open" };
    (send ?? known?.attempts[0]?.send())?.runs.push(run);
    return (wroteNothing) => {
      run.end = wroteNothing ? "wrote nothing" : "may have written";
      if (known) this.check(known);
    };
  }

  /** Whoever asked was told that nothing was written. */
  denied(attempt: Attempt, said: ErrorType | "no-op"): void {
    attempt.denied = said;
    const known = this.known.get(keyOf(attempt.request));
    if (known) this.check(known);
  }

  /** An event became durable. */
  committed(event: StoredEvent): void {
    const known = this.known.get(keyOf(event));
    if (!known) return;
    if (known.event) this.fail(`${keyOf(event)} is there twice`);
    known.event = event;
    this.check(known);
  }

  private check({ event, attempts }: Known): void {
    if (!event) return;
    const writers = attempts.flatMap((attempt) =>
      attempt.sends.flatMap((send) =>
        send.runs
          .filter(({ incarnation, end }) => incarnation === event.incarnation && end !== "wrote nothing")
          .map(() => ({ attempt, send })),
      ),
    );
    if (writers.length === 0)
      this.fail(`${keyOf(event)} is there, but ${event.incarnation} said that it wrote nothing`);
    const told = writers.filter(({ attempt, send }) => saysNothingIsThere(attempt) && send.deliveries <= 1);
    if (writers.length > 0 && told.length === writers.length)
      this.fail(`${keyOf(event)} is there, but was answered with ${told[0]?.attempt.denied ?? ""}`);
  }
}

const saysNothingIsThere = ({ denied, sends }: Attempt): boolean =>
  denied !== undefined && (denied !== "no-op" || sends.length === 1);
