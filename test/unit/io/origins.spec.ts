import { isOriginAllowed } from "../../../services/io/origins";

const own = { host: "chat.example:3000" };

describe("allowed origins", () => {
  it.each([
    ["no origin, so no browser", undefined, [], true],
    ["the own origin", "http://chat.example:3000", [], true],
    ["the own origin behind TLS", "https://chat.example:3000", [], true],
    ["another port", "http://chat.example:4000", [], false],
    ["a longer name", "http://chat.example:3000.evil.example", [], false],
    ["the own name as user", "http://chat.example:3000@evil.example", [], false],
    ["an opaque origin", "null", [], false],
    ["an empty origin", "", [], false],
    ["one on the list", "https://shop.example", ["https://shop.example"], true],
    ["one on the list in other case", "https://SHOP.example", ["https://shop.example"], true],
    ["one that is not on the list", "https://evil.example", ["https://shop.example"], false],
    ["any, when all are allowed", "https://evil.example", ["*"], true],
  ])("%s", (_name, origin, allowed, expected) => {
    expect(isOriginAllowed({ ...own, ...(origin !== undefined && { origin }) }, allowed)).toBe(expected);
  });

  it("allows no origin to be the own one of a request without a host", () => {
    expect(isOriginAllowed({ origin: "http://chat.example" }, [])).toBe(false);
  });
});
