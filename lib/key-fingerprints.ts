import { createHmac } from "node:crypto";

const TEXT = "parley key fingerprint";
const DIGITS = 8;

/**
 * What nodes may tell of the keys in AUTH_KEYS, one `<key id> <8 hex digits>` for each, the one that signs first. Equal
 * only for equal keys: the digits are of an HMAC-SHA256 (RFC 2104) of a fixed text, from which no key is found.
 */
export const keyFingerprints = (keys: string): string[] =>
  keys.split(",").map((part) => {
    const [id = "", secret = ""] = part.trim().split(":", 2);
    const mac = createHmac("sha256", Buffer.from(secret, "base64")).update(`${TEXT}\n${id}`);
    return `${id} ${mac.digest("hex").slice(0, DIGITS)}`;
  });
