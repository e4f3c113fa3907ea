// Names that callers write: options, inputs. A wrong one is refused with the nearest that there is.
import { NeuromancerError } from './errors.js';

/** ' Did you mean "threads"?', or nothing when no known name is near. */
export function suggestion(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((other) => ({ other, distance: editDistance(name.toLowerCase(), other.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= name.length / 3 ? ` Did you mean "${nearest.other}"?` : '';
}

/** The names that a list means, in which `*` stands for any part of a name; undefined for one that means none. */
export function matching(pattern: string, known: readonly string[]): string[] | undefined {
  if (known.includes(pattern)) return [pattern];
  const parts = pattern.split('*').map((part) => part.replace(/[^\w]/g, '\\$&'));
  const form = new RegExp(`^${parts.join('.*')}$`, 's');
  const found = known.filter((name) => form.test(name));
  return found.length > 0 ? found : undefined;
}

/** What each option must be, and how to say it. */
export type OptionRules = Readonly<Record<string, readonly [expected: string, holds: (value: unknown) => boolean]>>;

/** Refuses options that a call does not have, or of another type than it takes; undefined is as good as absent. */
export function checkOptions(call: string, options: unknown, rules: OptionRules): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new NeuromancerError('invalid_argument', `The options of ${call} are an object, not ${plainly(options)}.`);
  }
  const known = Object.keys(rules);
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      throw new NeuromancerError(
        'invalid_argument',
        `${call} has no option "${name}"; its options are ${known.join(', ')}.${suggestion(name, known)}`,
      );
    }
    const [expected, holds] = rule;
    if (value === undefined || holds(value)) continue;
    throw new NeuromancerError(
      'invalid_argument',
      `The option "${name}" of ${call} must be ${expected}, not ${plainly(value)}.`,
      { expected, actual: plainly(value) },
    );
  }
}

/** A value as an error message may show it. */
export function plainly(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return typeof value;
  return `an object (${Object.prototype.toString.call(value).slice(8, -1)})`;
}

/** How many letters have to be changed, put in or taken out; swapped neighbours count as one. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const [above = [], last = []] = [rows[i - 1], rows[i - 2]];
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(change, (above[j] as number) + 1, (row[j - 1] as number) + 1);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (last[j - 2] as number) + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] as number;
}
