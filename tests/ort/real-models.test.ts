// The repository's real models give the same answers through both packages.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, test } from 'vitest';
import { modelsFolder } from '../../models/folder.ts';
import type { Answer } from './answers.ts';

const missing = modelsFolder === undefined;
const folder = missing ? '' : fileURLToPath(modelsFolder as URL);

interface Entry {
  name: string;
  bytes: number;
  suggested_tolerance: { rtol: number; atol: number };
}
const entries: Entry[] = missing ? [] : JSON.parse(readFileSync(`${folder}/INDEX.json`, 'utf8')).models;

function answersOf(name: string): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    const answers: Answer[] = [];
    const workerData = { name, folder, models: entries.map((entry) => entry.name) };
    const worker = new Worker(new URL('./answers.ts', import.meta.url), { workerData });
    worker.on('message', (answer: Answer) => answers.push(answer));
    worker.on('error', reject);
    worker.on('exit', () => resolve(answers));
  });
}

describe.skipIf(missing)(`real models${missing ? ' (skipped: NM_MODELS names no folder)' : ''}`, () => {
  let ours: Answer[];
  let theirs: Answer[];
  beforeAll(async () => {
    [ours, theirs] = await Promise.all([answersOf('neuromancer/ort'), answersOf('onnxruntime-web')]);
  }, 180_000);

  test.each(entries)('$name', ({ name, suggested_tolerance: { rtol, atol } }) => {
    const [a, b] = [ours, theirs].map((answers) => answers.filter(({ model }) => model === name)) as [
      Answer[],
      Answer[],
    ];
    expect(b.length).toBeGreaterThan(0);
    expect(a.map(({ set }) => set)).toEqual(b.map(({ set }) => set));
    for (const [i, { outputs }] of b.entries()) {
      for (const [output, expected] of Object.entries(outputs)) {
        const actual = a[i]?.outputs[output];
        expect(actual).toMatchObject({ type: expected.type, dims: expected.dims });
        const far = expected.data.findIndex((value, j) => !near(actual?.data[j], value, rtol, atol));
        expect(far === -1 ? 'near' : `${output}[${far}]: ${actual?.data[far]}, not ${expected.data[far]}`).toBe('near');
      }
    }
  });
});

function near(actual: unknown, expected: number | bigint | string, rtol: number, atol: number): boolean {
  if (typeof expected === 'string') return actual === expected;
  const [a, b] = [Number(actual), Number(expected)];
  return Object.is(a, b) || Math.abs(a - b) <= atol + rtol * Math.abs(b);
}
