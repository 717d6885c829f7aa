import { stripVTControlCharacters } from "node:util";
import { type LoggerConfig, ServiceBroker } from "moleculer";
import { loggerConfig, textDestination } from "../../../lib/logger";

describe("the log", () => {
  const broker = (level: "info" | "debug", write: (line: string) => void) => {
    const logger = loggerConfig(level, { write }) as LoggerConfig;
    return new ServiceBroker({ nodeID: "log", logger });
  };
  const linesOf = async (level: "info" | "debug", say: (logger: ServiceBroker["logger"]) => void) => {
    const lines: Array<Record<string, unknown>> = [];
    const own = broker(level, (line) => void lines.push(JSON.parse(line) as Record<string, unknown>));
    own.createService({ name: "greeter" });
    await own.start();
    say(own.getLogger("spec"));
    await own.stop();
    return lines;
  };

  it("has details beside the text, errors with their stack, and texts joined", async () => {
    const lines = await linesOf("info", (logger) => {
      logger.warn("a job failed", { job: "sweep", error: new TypeError("no number") });
      logger.error("it broke", new Error("boom"));
      logger.error("NATS error.", "CONNECTION_REFUSED");
    });
    expect(lines).toEqual([
      expect.objectContaining({ msg: "a job failed", job: "sweep" }),
      expect.objectContaining({ msg: "it broke" }),
      expect.objectContaining({ msg: "NATS error. CONNECTION_REFUSED" }),
    ]);
    expect(lines[0]?.["error"]).toMatchObject({ type: "TypeError", message: "no number" });
    expect(lines[1]?.["err"]).toMatchObject({ message: "boom", stack: expect.stringContaining("at ") as unknown });
  });

  it("tells how services come and go to who debugs only", async () => {
    const lines = await linesOf("debug", () => undefined);
    expect(lines.map(({ msg }) => msg)).toContain("Service 'greeter' started.");
  });

  it("is a line of text for people, without what is the same on all of them", async () => {
    const write = jest.spyOn(process.stdout, "write").mockReturnValue(true);
    const own = broker("info", (line) => void textDestination().write(line));
    own.getLogger("spec").warn("the store is away", { since: 3 });
    const text = write.mock.calls.map(([line]) => String(line)).join("");
    write.mockRestore();
    await own.stop();
    expect(stripVTControlCharacters(text)).toMatch(/^\[\d\d:\d\d:\d\d\] WARN: the store is away \{"since":3\}\n$/);
  });
});
