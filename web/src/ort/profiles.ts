// What `endProfiling` does with the runs it has seen.
import type { Profile } from '../api/description.js';

/** The operators that took longest, as lines for the console. */
export function summary(profiles: readonly Profile[]): string {
  const totals = new Map<string, number>();
  for (const { operator, milliseconds } of profiles.flatMap(({ steps }) => steps)) {
    totals.set(operator, (totals.get(operator) ?? 0) + milliseconds);
  }
  const longest = [...totals].sort(([, a], [, b]) => b - a).slice(0, 10);
  const total = profiles.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const lines = longest.map(([operator, time]) => `${time.toFixed(2).padStart(10)} ms  ${operator}`);
  return [`neuromancer/ort: ${profiles.length} runs, ${total.toFixed(2)} ms`, ...lines].join('\n');
}
