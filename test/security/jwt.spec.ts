import { createHmac, createSecretKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import jwt, { type SignOptions } from "jsonwebtoken";
import { loadKeys, parseKeys } from "../../services/auth/keys";
import { AccessTokens } from "../../services/auth/tokens";
import { call } from "../../services/call";
import { callUsers } from "../../services/users/users.internal";
import { type AuthNode, startAuthNode } from "../support/auth-node";

const SECRET = randomBytes(32);
const KID = "test";
const KEYS = `${KID}:${SECRET.toString("base64")}`;
const ANN = { email: "ann@example.org", password: "correct horse", name: "Ann" };

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
const decode = (part: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(part ?? "", "base64url").toString()) as Record<string, unknown>;

/** A token made by hand, signed by HMAC-SHA-256 with any key. */
function forge(header: object, payload: object, key: Buffer | string = SECRET): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}

describe("forged and misused access tokens", () => {
  let node: AuthNode;
  let good: string;
  let refreshToken: string;
  let userId: string;
  let header: Record<string, unknown>;
  let payload: Record<string, unknown>;

  beforeAll(async () => {
    node = await startAuthNode({ env: { AUTH_KEYS: KEYS } });
    const pair = await call(node.broker, "auth.signup", ANN);
    good = pair.accessToken;
    refreshToken = pair.refreshToken;
    userId = pair.user.id;
    const parts = good.split(".");
    header = decode(parts[0]);
    payload = decode(parts[1]);
  });
  afterAll(() => node.stop());

  const accepted = (token: string) =>
    expect(node.authenticator.authenticate(token)).resolves.toMatchObject({ id: userId });
  const refused = (token: string) =>
    expect(node.authenticator.authenticate(token)).rejects.toMatchObject({ type: "UNAUTHORIZED" });

  test("what the forger makes with the right key and claims would pass", async () => {
    await accepted(good);
    await accepted(forge(header, payload));
  });

  test.each(["none", "None", "NONE", "nOnE"])("alg %s, with and without signature", async (alg) => {
    const text = `${encode({ ...header, alg })}.${encode(payload)}`;
    await refused(`${text}.`);
    await refused(text);
    await refused(`${text}.${good.split(".")[2]}`);
  });

  test.each(["HS384", "HS512"] as const)("another HMAC than the pinned one: %s", async (algorithm) => {
    const options: SignOptions = { algorithm, keyid: KID, header: { alg: algorithm, typ: "at+jwt" } };
    await refused(jwt.sign(payload, createSecretKey(SECRET), options));
  });

  test("swap of HS and RS: signed by an RSA key, and by HMAC with its public key", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const options: SignOptions = { algorithm: "RS256", keyid: KID, header: { alg: "RS256", typ: "at+jwt" } };
    await refused(jwt.sign(payload, privateKey, options));
    await refused(forge(header, payload, publicKey.export({ type: "spki", format: "pem" })));
  });

  test("a key of the token's own", async () => {
    const secret = randomBytes(32);
    const jwk = { kty: "oct", k: secret.toString("base64url"), kid: KID };
    for (const extra of [{ jwk }, { jku: "http://127.0.0.1/keys" }, { x5u: "http://127.0.0.1/cert" }])
      await refused(forge({ ...header, ...extra }, payload, secret));
  });

  test.each(["../../../../dev/null", "/dev/null", "", "unknown", "__proto__", "constructor", "toString"])(
    "kid %j, signed with the key an unwary look-up would find",
    async (kid) => {
      for (const key of ["", "\0", SECRET]) await refused(forge({ ...header, kid }, payload, key));
    },
  );

  test("kid of another type, or missing", async () => {
    for (const kid of [0, null, true, [KID], { toString: KID }, undefined])
      await refused(forge({ ...header, kid }, payload));
  });

  test("expired, expiring now, without expiry, with an expiry that is no number", async () => {
    const now = Math.floor(Date.now() / 1_000);
    for (const exp of [now - 1, now, 0, undefined, "9999999999", null])
      await refused(forge(header, { ...payload, exp }));
  });

  test("a token that was good until it expired is refused although it was verified before", async () => {
    let now = 1_000_000;
    const tokens = new AccessTokens(parseKeys(KEYS), { now: () => now });
    const token = tokens.issue({ userId: "u", family: "f" }, 900);
    expect(tokens.verify(token)).toMatchObject({ userId: "u", family: "f", expiresAt: 1_900_000 });
    now += 899_999;
    expect(() => tokens.verify(token)).not.toThrow();
    now += 1;
    expect(() => tokens.verify(token)).toThrow("Unauthorized");
  });

  test("not yet valid", () => refused(forge(header, { ...payload, nbf: Math.floor(Date.now() / 1_000) + 60 })));

  test.each([["parley:refresh"], ["parley"], [""], [undefined], [{}]])("wrong audience %j", (aud) =>
    refused(forge(header, { ...payload, aud })),
  );

  test.each([["someone"], ["Parley"], [""], [undefined], [["other"]]])("wrong issuer %j", (iss) =>
    refused(forge(header, { ...payload, iss })),
  );

  test.each([["JWT"], ["rt+jwt"], [undefined]])("a JWT of another type: %j", (typ) =>
    refused(forge({ ...header, typ }, payload)),
  );

  test.each([[{ $gt: "" }], [["a"]], [1], [null], [undefined], [""]])("subject %j", (sub) =>
    refused(forge(header, { ...payload, sub })),
  );

  test.each([[{}], [1], [null], [undefined]])("login %j", (fam) => refused(forge(header, { ...payload, fam })));

  test("a payload changed under an old signature", async () => {
    const [head, , signature] = good.split(".");
    await refused(`${head}.${encode({ ...payload, sub: "admin" })}.${signature}`);
  });

  test("a signature changed in one bit, cut short, or left out", async () => {
    const [head, body, signature = ""] = good.split(".");
    const bytes = Buffer.from(signature, "base64url");
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    for (const other of [bytes.toString("base64url"), signature.slice(0, -4), ""])
      await refused(`${head}.${body}.${other}`);
  });

  test("a user that does not exist", () => refused(forge(header, { ...payload, sub: "nobody" })));

  test("a refresh token used as access token", () => refused(refreshToken));

  test("an access token used as refresh token", async () => {
    const attempt = call(node.broker, "auth.refresh", { refreshToken: good });
    await expect(attempt).rejects.toMatchObject({ type: "UNAUTHORIZED" });
    await call(node.broker, "auth.logout", { refreshToken: good });
    await accepted(good);
  });

  test.each([[""], ["."], [".."], ["a.b.c"], ["null"], ["Bearer x"], ["\0"], ["é".repeat(300)], ["x".repeat(100_000)]])(
    "junk (%#)",
    (token) => refused(token),
  );

  test("deep nesting in a header that nobody signed", async () => {
    const deep = Buffer.from(`{"alg":"HS256","kid":${"[".repeat(300)}`).toString("base64url");
    await refused(`${deep}.${encode(payload)}.x`);
  });

  test("the token of a login that ended", async () => {
    const pair = await call(node.broker, "auth.login", ANN);
    await accepted(pair.accessToken);
    await call(node.broker, "auth.logout", { refreshToken: pair.refreshToken });
    await refused(pair.accessToken);
    await accepted(good);
  });

  test("the token of a deleted user", async () => {
    const { accessToken, user } = await call(node.broker, "auth.guest", {});
    await expect(node.authenticator.authenticate(accessToken)).resolves.toMatchObject({ id: user.id });
    await callUsers(node.broker, "users.delete", { id: user.id });
    await refused(accessToken);
  });
});

describe("signing keys", () => {
  let node: AuthNode;
  beforeEach(async () => {
    node = await startAuthNode();
  });
  afterEach(() => node.stop());

  test("are kept for the owner only, and the same after a restart", async () => {
    const { accessToken } = await call(node.broker, "auth.guest", {});
    const { mode } = await import("node:fs/promises").then(({ stat }) => stat(join(node.folder, "auth-keys.json")));
    expect(mode & 0o777).toBe(0o600);
    const again = new AccessTokens(await loadKeys({ folder: node.folder }), { now: () => Date.now() });
    expect(again.verify(accessToken)).toMatchObject({ userId: expect.stringMatching(/./) as string });
  });

  test("are the same for all who make them at once", async () => {
    const folder = join(node.folder, "fresh");
    const rings = await Promise.all(Array.from({ length: 20 }, () => loadKeys({ folder })));
    expect(new Set(rings.map((ring) => ring.signer.kid)).size).toBe(1);
    expect(JSON.parse(await readFile(join(folder, "auth-keys.json"), "utf8"))).toMatchObject({ keys: [{}] });
  });

  test("damaged ones stop the start instead of being replaced", async () => {
    const folder = join(node.folder, "damaged");
    await mkdir(folder);
    await writeFile(join(folder, "auth-keys.json"), '{"keys":[]}');
    await expect(loadKeys({ folder })).rejects.toThrow("damaged");
  });

  test("the first signs, all verify, a removed one no longer does", () => {
    const clock = { now: () => 1_000_000 };
    const other = `other:${randomBytes(32).toString("base64")}`;
    const token = new AccessTokens(parseKeys(KEYS), clock).issue({ userId: "u", family: "f" }, 900);
    const rotated = new AccessTokens(parseKeys(`${other},${KEYS}`), clock);
    expect(rotated.verify(token).userId).toBe("u");
    expect(jwt.decode(rotated.issue({ userId: "u", family: "f" }, 900), { complete: true })?.header.kid).toBe("other");
    expect(() => new AccessTokens(parseKeys(other), clock).verify(token)).toThrow("Unauthorized");
  });

  test.each(["", "a", "a:", `a:${"A".repeat(42)}`, `:${"A".repeat(44)}`, `a b:${"A".repeat(44)}`, `${KEYS},${KEYS}`])(
    "malformed or weak ones are refused without being shown: %j",
    (text) => {
      const read = (): unknown => parseKeys(text);
      expect(read).toThrow();
      expect(read).not.toThrow(SECRET.toString("base64"));
    },
  );
});
