import { fail, type Finding, ok, warn } from "./finding";

/** Fingerprints of a node's AUTH_KEYS, the key that signs first. */
export interface KeyHolder {
  readonly id: string;
  readonly keys: readonly string[];
}

const SHOWN_NODES = 3;

/**
 * Does each node accept the tokens that the others sign, and are the settings here (`own`) those of the nodes? Nothing
 * is found where no node tells its fingerprints.
 */
export function keyAgreement(holders: readonly KeyHolder[], own?: readonly string[]): Finding[] {
  const [most, ...others] = alike(holders);
  const reference = most?.[0]?.keys;
  if (!most || !reference) return [];
  const found = others.map((group) => compare(`AUTH_KEYS of ${namesOf(group)}`, group[0]?.keys ?? [], most));
  if (own) found.push(compare("AUTH_KEYS here", own, most));
  const differing = found.filter((finding) => finding !== undefined);
  if (differing.length > 0) return differing;
  const [signer = ""] = (reference[0] ?? "").split(" ");
  const where = `${holders.length === 1 ? "one node" : `${holders.length} nodes`}${own ? " and here" : ""}`;
  return [ok(`AUTH_KEYS is the same on ${where}; ${signer} signs`)];
}

/** The nodes with the same keys together; the most first. */
function alike(holders: readonly KeyHolder[]): KeyHolder[][] {
  const groups = new Map<string, KeyHolder[]>();
  for (const holder of holders) {
    const keys = holder.keys.join();
    groups.set(keys, [...(groups.get(keys) ?? []), holder]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

function compare(whose: string, keys: readonly string[], most: readonly KeyHolder[]): Finding | undefined {
  const [{ keys: reference } = { keys }] = most;
  if (keys.join() === reference.join()) return undefined;
  const theirs = `that of ${namesOf(most)}`;
  if (accepts(keys, reference) && accepts(reference, keys))
    return warn(`${whose} differs from ${theirs}, and each accepts the other's tokens`, "Finish the change of keys.");
  return fail(`${whose} is not ${theirs}: tokens are refused`, "Give every process the same AUTH_KEYS.");
}

const accepts = (keys: readonly string[], [signer = ""]: readonly string[]): boolean => keys.includes(signer);

function namesOf(holders: readonly KeyHolder[]): string {
  const names = holders.map(({ id }) => id);
  const more = names.length > SHOWN_NODES ? ` and ${names.length - SHOWN_NODES} more` : "";
  return `${names.slice(0, SHOWN_NODES).join(", ")}${more}`;
}
