// What every host has to answer: the model itself, loaded by Node.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Post } from './pictures.ts';
import { root } from './project.ts';

interface Signs {
  readonly sign: string;
  readonly probability: number;
}
export type Answer = Signs & { readonly others: readonly Signs[] };

export async function makeReference(project: string): Promise<(post: Post) => Promise<Answer>> {
  const load = (path: string) => import(pathToFileURL(join(project, path)).href);
  const { Session } = await load('node_modules/neuromancer/dist/index.js');
  const { inkOfPng } = await load('shared/picture.js');
  const folder = join(root, 'models', 'handwriting');
  const labels: string[] = JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8'));
  const model = readFileSync(join(folder, 'handwriting.onnx'));
  // The build of the engine that is in the bundle.
  const session = await Session.load(model, { artefact: 'wasm', threads: 1 });
  return async ({ type = '', body = new Uint8Array() }) => {
    const data = /png/i.test(type) ? inkOfPng(body) : Float32Array.from(body, (byte) => byte / 255);
    const { probabilities } = await session.run({ image: { type: 'float32', data, dims: [1, 1, 28, 28] } });
    const signs: Signs[] = labels.map((sign, i) => ({ sign, probability: probabilities.data[i] }));
    const [first, ...others] = signs.sort((a, b) => b.probability - a.probability).slice(0, 3);
    return { ...(first as Signs), others };
  };
}
