/** Longer endings are tried first: the longer, the likelier is the same continuation. */
const longest = 3;

/**
 * What came after the latest earlier place where the text ended as it does now: up to `most` tokens, or none. A guess
 * of what comes next that costs nothing.
 */
export function lookUp(ids: readonly number[], most: number): readonly number[] {
  for (let size = Math.min(longest, ids.length - 1); size > 0 && most > 0; size--) {
    const ending = ids.length - size;
    for (let at = ending - 1; at >= 0; at--) {
      let same = true;
      for (let i = 0; same && i < size; i++) same = ids[at + i] === ids[ending + i];
      if (same) return ids.slice(at + size, at + size + most);
    }
  }
  return [];
}
