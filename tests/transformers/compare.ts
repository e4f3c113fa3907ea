// Whether two runtimes gave the same: text equal, numbers near.

/** Scores may differ by as much. */
const tolerance = 1e-3;
/** A pixel may be rounded the other way. */
const steps = 1;

/** Where the values differ first, or nothing. */
export function difference(actual: unknown, expected: unknown, path = ''): string | undefined {
  if (typeof expected === 'number' && typeof actual === 'number') {
    // Scores and samples are fractions, pixels and indices whole numbers.
    const pixels = path.includes('.data[');
    const far = Math.abs(actual - expected) > (pixels ? steps : tolerance * Math.max(1, Math.abs(expected)));
    return far ? `${path}: ${actual}, not ${expected}` : undefined;
  }
  if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null) {
    return Object.is(actual, expected)
      ? undefined
      : `${path}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`;
  }
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  for (const name of names) {
    const at = Array.isArray(expected) ? `${path}[${name}]` : `${path}.${name}`;
    const found = difference(Reflect.get(actual, name), Reflect.get(expected, name), at);
    if (found !== undefined) return found;
  }
  return undefined;
}
