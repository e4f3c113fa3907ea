// The entries that come first, without sorting all of a vocabulary.

/**
 * Marks the entries with the smallest keys whose weights together reach `mass`: the last of them is the one that gets
 * there. Of equal keys those with the lower index come first. Entries with a key of Infinity are never marked.
 */
export function smallestUntil(keys: Float64Array, weights: ArrayLike<number>, mass: number): Uint8Array {
  const marked = new Uint8Array(keys.length);
  let left = mass;
  let candidates: number[] = [];
  for (let i = 0; i < keys.length; i++) if ((keys[i] as number) < Number.POSITIVE_INFINITY) candidates.push(i);
  const mark = (entries: readonly number[]) => {
    for (const i of entries) {
      if (left <= 0) return;
      marked[i] = 1;
      left -= weights[i] as number;
    }
  };
  while (candidates.length > 0 && left > 0) {
    const pivot = middle(keys, candidates);
    const below: number[] = [];
    const same: number[] = [];
    const above: number[] = [];
    let belowMass = 0;
    for (const i of candidates) {
      const key = keys[i] as number;
      if (key < pivot) {
        below.push(i);
        belowMass += weights[i] as number;
      } else if (key === pivot) same.push(i);
      else above.push(i);
    }
    if (belowMass >= left && below.length > 0) {
      candidates = below;
      continue;
    }
    for (const i of below) marked[i] = 1;
    left -= belowMass;
    mark(same);
    candidates = above;
  }
  return marked;
}

/** The middle one of three keys: a pivot that is seldom a bad one. */
function middle(keys: Float64Array, candidates: readonly number[]): number {
  const last = candidates.length - 1;
  const [a, b, c] = [0, last >> 1, last].map((at) => keys[candidates[at] as number] as number) as [
    number,
    number,
    number,
  ];
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** Takes the entries that are not marked out of the choice. */
export function keepMarked(logits: Float32Array, marked: Uint8Array): void {
  for (let i = 0; i < logits.length; i++) if (marked[i] === 0) logits[i] = Number.NEGATIVE_INFINITY;
}
