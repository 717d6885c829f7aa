/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): each node gets a score for the key and the highest wins, so a
 * node that joins or leaves moves only the keys it gains or had.
 */
export function rendezvous(key: string, nodes: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestScore = -1;
  for (const node of nodes) {
    const score = mix(fnv1a(key, fnv1a(node, 0x811c9dc5)));
    if (score > bestScore || (score === bestScore && best !== undefined && node > best)) {
      best = node;
      bestScore = score;
    }
  }
  return best;
}

function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** The finaliser of MurmurHash3: FNV alone leaves the scores of similar names correlated. */
function mix(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
