import type { IncomingMessage } from "node:http";
import { clientIp } from "../../../services/gateway/client-ip";

const from = (remoteAddress: string | undefined, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  }) as unknown as IncomingMessage;

describe("the caller's address", () => {
  it.each([
    ["without proxies the peer, whatever the client claims", from("1.1.1.1", "9.9.9.9"), 0, "1.1.1.1"],
    ["behind one proxy what that proxy saw", from("10.0.0.1", "9.9.9.9, 2.2.2.2"), 1, "2.2.2.2"],
    ["behind two proxies what the outer one saw", from("10.0.0.1", "9.9.9.9, 2.2.2.2, 10.0.0.2"), 2, "2.2.2.2"],
    ["the peer when the proxy says nothing", from("10.0.0.1"), 1, "10.0.0.1"],
    ["the peer when there are fewer entries than proxies", from("10.0.0.1", "2.2.2.2"), 2, "10.0.0.1"],
    ["something even for a closed socket", from(undefined), 0, "unknown"],
  ])("is %s", (_case, request, hops, expected) => {
    expect(clientIp(request, hops)).toBe(expected);
  });
});
