import { type AddressInfo, createServer } from "node:net";
import { readConfig } from "../../../lib/config";
import { natsCheck } from "../../../lib/doctor/nats-check";
import { natsOptions } from "../../../lib/nats-connection";

const NATS_URL = "tls://anna:right@127.0.0.1:4222, nats://other";

describe("the connection to NATS", () => {
  it("is made with what the address says, and with files by their names", () => {
    const options = natsOptions(readConfig({ NATS_URL, NATS_CA: __filename }));
    expect(options).toMatchObject({ servers: ["127.0.0.1:4222", "other"], user: "anna", pass: "right" });
    expect(options.tls).toEqual({ caFile: __filename });
  });

  it.each(["NATS_CA", "NATS_CERT", "NATS_KEY", "NATS_CREDENTIALS"])("names the file of %s that is missing", (name) => {
    expect(() => natsOptions(readConfig({ NATS_URL, [name]: "/no/such/file" }))).toThrow(
      `${name}: the file /no/such/file cannot be read (ENOENT)`,
    );
  });

  it("is not tried by the doctor without its files", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const config = readConfig({ NATS_URL: `nats://127.0.0.1:${port}`, NATS_CA: "/no/such/file" });
    const text = "NATS_CA: the file /no/such/file cannot be read (ENOENT)";
    expect(await natsCheck(config).run()).toEqual([{ level: "fail", text, advice: "Correct it." }]);
    await new Promise((resolve) => server.close(resolve));
  });
});
