// TypeScript projects: the package's declarations under its resolutions and libraries.
import type { Cell } from './cell.ts';

const typed = {
  kind: 'process',
  gate: true,
  files: [],
  command: 'tsc -p . && echo "{}"',
  expected: {},
} as const;

const useOfTypes = `import wasm from 'neuromancer/neuromancer-wasm.wasm';
import { NeuromancerError, Session, Tensor, type CustomOperator, type Outputs } from 'neuromancer';
import { Session as SingleSession } from 'neuromancer/single';
import { logMel, resample } from 'neuromancer/audio';
import { compare } from 'neuromancer/compare';
import { decodeYolo, nonMaximumSuppression, topK, type Box } from 'neuromancer/decode';
import { download } from 'neuromancer/download';
import { imageTensor, toImageData } from 'neuromancer/image';

export async function see(session: Session, data: Uint8Array): Promise<Box[]> {
  const { boxes } = await session.run({ image: await imageTensor({ data, width: 4, height: 4 }, { size: 2, fit: 'contain' }) });
  return boxes === undefined || toImageData(boxes).width === 0 ? [] : nonMaximumSuppression(decodeYolo(boxes));
}

export async function hear(url: string, samples: Float32Array): Promise<number | undefined> {
  const model = await download(url, { cache: { get: async () => undefined, put: async () => {} } });
  const session = await Session.load(model, { workers: 2 });
  const { scores } = await session.run({ features: logMel(resample(samples, 48000, 16000)) });
  return scores && topK(scores, 1)[0]?.index;
}

const twice: CustomOperator = {
  name: 'Twice',
  outputs: [{ like: 0 }],
  run: async ([x], { attributes }) => new Tensor('float32', x!.toFloat32().map((v) => v * Number(attributes['by'])), x!.shape),
};

export async function look(bytes: ArrayBuffer, x: Tensor): Promise<string | undefined> {
  const session = await Session.load(bytes, { operators: [twice] });
  const plain = await Session.load(bytes, { operators: [twice], optimize: false });
  return (await compare(session, plain, { x })).difference?.value;
}

export async function use(bytes: ArrayBuffer): Promise<number> {
  const session = await Session.load(bytes, { wasm, threads: 1, limits: { rounds: 10 }, onProgress: ({ loaded }) => loaded });
  const outputs: Outputs = await session.run({ x: new Tensor('float32', [1]) }, { fetch: ['y'] });
  await (await SingleSession.load('model.onnx')).release();
  try {
    return outputs['y']?.argmax() ?? 0;
  } catch (error) {
    return error instanceof NeuromancerError && error.code === 'invalid_data' ? 1 : 2;
  }
}
`;

function typesCell(name: string, options: object): Cell {
  const compilerOptions = { strict: true, noEmit: true, skipLibCheck: false, types: [], target: 'ES2022', ...options };
  return {
    ...typed,
    name: `TypeScript, ${name}`,
    write: {
      'use.ts': useOfTypes,
      'tsconfig.json': JSON.stringify({ compilerOptions, files: ['use.ts'] }),
    },
  };
}

export const types: Cell[] = [
  typesCell('without the DOM library', { lib: ['ES2022'], module: 'nodenext' }),
  typesCell('with the DOM library', { lib: ['ES2022', 'DOM'], module: 'nodenext' }),
  typesCell('for bundlers', { lib: ['ES2022', 'DOM'], module: 'esnext', moduleResolution: 'bundler' }),
];
