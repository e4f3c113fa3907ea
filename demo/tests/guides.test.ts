import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { titles } from '../src/guide/titles.ts';

test('every guide of docs/guides is on the site', () => {
  const files = readdirSync(new URL('../../docs/guides/', import.meta.url)).map((file) => file.replace('.md', ''));
  expect(Object.keys(titles).toSorted()).toEqual(files.toSorted());
});
