import * as ort from 'onnxruntime-web';
import { expect, test } from 'vitest';
import { behaviour } from './behaviour.ts';
import { cases } from './cases.ts';
import { differences } from './differences.ts';

behaviour(ort, 'theirs');

test('each difference is one, has a reason, and belongs to a case', () => {
  const names = new Set(cases.map(({ name }) => name));
  expect(names.size).toBe(cases.length);
  for (const [name, { reason, ours, theirs }] of Object.entries(differences)) {
    expect(names).toContain(name);
    expect(reason).toMatch(/\w\.$/);
    expect(ours).not.toEqual(theirs);
  }
});
