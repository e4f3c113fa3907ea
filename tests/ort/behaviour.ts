import { expect, test } from 'vitest';
import { cases, type Package } from './cases.ts';
import { differences } from './differences.ts';

/** Asks one of the packages every case. */
export function behaviour(ort: Package, side: 'ours' | 'theirs'): void {
  test.each(cases)('$name', async ({ name, run, expected }) => {
    const difference = differences[name];
    expect(await run(ort)).toEqual(difference === undefined ? expected : difference[side]);
  });
}
