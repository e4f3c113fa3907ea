// The examples of docs/guides, as they stand there: each guide's files are served, opened and used as a visitor would. With
// NM_SCREENSHOTS, a folder, they are also drawn there.
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, expect, test } from 'vitest';
import { render } from '../../demo/src/draw/ink.ts';
import { besideModels, modelFile, whyWithout } from '../../models/folder.ts';
import { modelOf } from '../../web/tests/onnx-writer.ts';
import { uncachedBehind, words } from '../../web/tests/toy-decoders.ts';
import { letters, tokenizerConfig, tokenizerFile } from '../../web/tests/toy-tokenizer.ts';
import { three } from '../drawn-three.ts';
import { storiesFiles, withoutStories } from '../stories.ts';
import { browsers, type Driver } from './drivers.ts';
import { inEachBrowser } from './in-each-browser.ts';
import { servePackage } from './package-server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const guides = join(root, 'docs/guides');
const read = (...path: string[]) => readFileSync(join(root, ...path));
const pictures = join(root, 'demo/pictures');

/** The blocks of a guide that say which file they are. */
function filesOf(guide: string): Map<string, string> {
  const text = readFileSync(join(guides, `${guide}.md`), 'utf8');
  const blocks = text.matchAll(/```\w+\n(?:\/\/|#|<!--) ([\w.-]+)(?: -->)?\n([\s\S]*?)```/g);
  return new Map(Array.from(blocks, ([, file = '', content = '']) => [file, content]));
}

const imports = {
  ...Object.fromEntries(
    ['audio', 'decode', 'generate', 'image', 'ort', 'transformers'].map((name) => [
      `neuromancer/${name}`,
      `/${name}.js`,
    ]),
  ),
  neuromancer: '/index.js',
  'onnxruntime-common': '/node_modules/onnxruntime-common/dist/esm/index.js',
  '@huggingface/tokenizers': '/node_modules/@huggingface/tokenizers/dist/tokenizers.min.mjs',
  '@huggingface/transformers': '/node_modules/@huggingface/transformers/dist/transformers.js',
};
const withIcon = (html: string) => html.replace('<meta', '<link rel="icon" href="data:," /><meta');
const withImports = (html: string) =>
  withIcon(html).replace('<link', `<script type="importmap">${JSON.stringify({ imports })}</script><link`);

type Content = string | Uint8Array;
/** What the guides say lies beside their files, by guide and path. */
const beside: Record<string, (path: string) => Content | undefined> = {
  'classify-an-image': (path) => {
    if (path === 'model.onnx') return readFileSync(modelFile('squeezenet-fp16'));
    return path === 'labels.txt'
      ? read('models/labels/imagenet_synset.txt')
          .toString()
          .replace(/^n\d{8} /gm, '')
      : undefined;
  },
  'faces-from-a-camera': (path) => {
    if (path === 'model.onnx') return readFileSync(modelFile('ultraface-rfb-320'));
    return path === 'photo.jpg' ? readFileSync(join(pictures, 'grace-hopper.jpg')) : undefined;
  },
  'embed-text': (path) => (existsSync(join(miniLM, 'tokenizer.json')) ? ofMiniLM(path) : toyEmbedder[path]),
  'transcribe-speech': (path) => (whisper === undefined ? toyWhisper[path] : ofWhisper(path)),
  'with-transformers-js': (path) => {
    const [, file] = /^models\/stories\/(.*)$/.exec(path) ?? [];
    stories ??= storiesFiles();
    return stories.get(file ?? '');
  },
  'in-a-worker': (path) => (path === 'model.onnx' ? readFileSync(modelFile('style-candy')) : undefined),
  'from-onnxruntime-web': (path) => {
    const file = join(work, 'from-onnxruntime-web/dist', path);
    if (path === 'model.onnx') return read('models/handwriting/handwriting.onnx');
    if (path === 'pixels.json') return JSON.stringify(Array.from(render([three.map(([x, y]) => ({ x, y }))])));
    return existsSync(file) ? readFileSync(file) : undefined;
  },
};
let stories: ReturnType<typeof storiesFiles> | undefined;

/** all-MiniLM-L6-v2, where ./dev transformers has fetched it. */
const miniLM = join(root, 'build/transformers/models/MiniLM');
function ofMiniLM(path: string): Content | undefined {
  const file = join(miniLM, path === 'model.onnx' ? 'onnx/model_quantized.onnx' : path);
  return existsSync(file) ? readFileSync(file) : undefined;
}

/** Each token is a row of a table. */
const toyEmbedder: Record<string, Content> = {
  'tokenizer.json': JSON.stringify(tokenizerFile),
  'tokenizer_config.json': JSON.stringify(tokenizerConfig),
  'model.onnx': modelOf(
    [
      { op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['rows'] },
      { op: 'Cast', inputs: ['attention_mask'], outputs: ['mask'], attributes: { to: 1 } },
      { op: 'Constant', inputs: [], outputs: ['last'], attributes: { value_ints: [2] } },
      { op: 'Unsqueeze', inputs: ['mask', 'last'], outputs: ['mask3'] },
      { op: 'Mul', inputs: ['rows', 'mask3'], outputs: ['last_hidden_state'] },
    ],
    { input_ids: 'int64[batch,seq]', attention_mask: 'int64[batch,seq]' },
    { last_hidden_state: 'float32[batch,seq,4]' },
    { weights: { table: { dims: [words, 4], data: Array.from({ length: words * 4 }, (_, i) => Math.sin(i * i)) } } },
  ),
};

/** The real one, where NM_WHISPER names a folder that models/whisper/convert.py wrote. */
const whisper = process.env.NM_WHISPER;
function ofWhisper(path: string): Content | undefined {
  const file = join(whisper ?? '', path.replace('whisper/', ''));
  return path.startsWith('whisper/') && existsSync(file) ? readFileSync(file) : undefined;
}

/** An encoder that hears how loud it is, and a decoder that goes on from there. */
const toyWhisper: Record<string, Content> = {
  'whisper/tokenizer.json': JSON.stringify(tokenizerFile),
  'whisper/tokenizer_config.json': JSON.stringify(tokenizerConfig),
  'whisper/generation_config.json': JSON.stringify({
    decoder_start_token_id: 18,
    no_timestamps_token_id: 21,
    eos_token_id: 19,
  }),
  'whisper/onnx/encoder_model.onnx': modelOf(
    [
      { op: 'Constant', inputs: [], outputs: ['bands'], attributes: { value_ints: [1] } },
      { op: 'ReduceMax', inputs: ['input_features', 'bands'], outputs: ['loudest'] },
      { op: 'Floor', inputs: ['loudest'], outputs: ['last_hidden_state'] },
    ],
    { input_features: 'float32[batch,80,3000]' },
    { last_hidden_state: 'float32[batch,1,3000]' },
  ),
  'whisper/onnx/decoder_model_merged.onnx': uncachedBehind,
};

const port = servePackage((path) => {
  const [, guide = '', file = ''] = /^\/([\w-]+)\/(.+)$/.exec(path) ?? [];
  if (!(guide in beside)) return undefined;
  const given = beside[guide]?.(file);
  if (given !== undefined) return typeof given === 'string' ? given : Buffer.from(given);
  const content = filesOf(guide).get(file);
  return file.endsWith('.html') && content !== undefined ? withImports(content) : content;
});

const work = join(root, 'build/guides');
const screenshots = process.env.NM_SCREENSHOTS;

async function draw(driver: Driver, guide: string): Promise<void> {
  if (screenshots === undefined) return;
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
    [320, 640],
  ] as const) {
    await driver.resize(width, height);
    await driver.screenshot(join(screenshots, `guide-${guide}-${width}.png`));
  }
}

const open = (driver: Driver, guide: string) => driver.open(`http://localhost:${port()}/${guide}/index.html`);
const text = (selector: string) => `document.querySelector(${JSON.stringify(selector)})?.textContent ?? ''`;
const lines = '[...document.querySelectorAll("ol li")].map(({ textContent }) => textContent)';

/** Until the expression is true. */
async function until(driver: Driver, expression: string): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 50) {
    if (await driver.evaluate<boolean>(`Boolean(${expression})`)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never came true: ${expression}; the console says: ${driver.errors.join('; ') || 'nothing'}`);
}

test('every guide has a test', () => {
  const names = readdirSync(guides).map((file) => file.replace('.md', ''));
  expect(names.toSorted()).toEqual([...Object.keys(beside), 'deploy'].toSorted());
});

inEachBrowser(
  browsers,
  'classify an image',
  async (driver) => {
    await open(driver, 'classify-an-image');
    await driver.waitFor('input:enabled');
    await driver.upload('input', join(pictures, 'coffee.jpg'));
    await driver.waitFor('ol li');
    const [best = ''] = await driver.evaluate<string[]>(lines);
    expect(best).toMatch(/^espresso: \d\d %$/);
    await draw(driver, 'classify-an-image');
  },
  whyWithout('squeezenet-fp16'),
);

/** A camera that sees a photograph. */
const camera = `navigator.mediaDevices.getUserMedia = async () => {
  const photo = new Image();
  photo.src = './photo.jpg';
  await photo.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: photo.width, height: photo.height });
  const context = canvas.getContext('2d');
  setInterval(() => context.drawImage(photo, 0, 0), 30);
  return canvas.captureStream();
}`;

inEachBrowser(
  browsers,
  'faces from a camera',
  async (driver) => {
    await open(driver, 'faces-from-a-camera');
    await driver.waitFor('button:enabled');
    await driver.evaluate(`void (${camera})`);
    await driver.click('button');
    await until(driver, 'document.querySelector("output").value === "1 face"');
    await draw(driver, 'faces-from-a-camera');
  },
  whyWithout('ultraface-rfb-320'),
);

inEachBrowser(browsers, 'embed text', async (driver) => {
  await open(driver, 'embed-text');
  const real = existsSync(join(miniLM, 'tokenizer.json'));
  await driver.waitFor('input:enabled');
  await driver.evaluate(`{
    const field = document.querySelector('input');
    field.value = ${JSON.stringify(real ? 'a pet takes a nap' : 'ad')};
    field.dispatchEvent(new Event('change'));
  }`);
  await driver.waitFor('li');
  const found = await driver.evaluate<string[]>(lines);
  expect(found).toHaveLength(4);
  const scores = found.map((line) => Number(/\((-?\d\.\d\d)\)$/.exec(line)?.[1]));
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  expect(scores[0]).toBeLessThanOrEqual(1);
  if (real) expect(found[0]).toContain('A cat sleeps on the sofa.');
  await draw(driver, 'embed-text');
});

const sounds = mkdtempSync(join(tmpdir(), 'neuromancer-sounds-'));
afterAll(() => rmSync(sounds, { recursive: true }));

/** Half a second of a tone. */
function wav(): Buffer {
  const samples = Int16Array.from({ length: 8000 }, (_, i) => 12000 * Math.sin(i / 5));
  const header = Buffer.from('RIFF____WAVEfmt \x10\0\0\0\x01\0\x01\0________\x02\0\x10\0data____', 'latin1');
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.writeUInt32LE(16000, 24);
  header.writeUInt32LE(32000, 28);
  header.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([header, Buffer.from(samples.buffer)]);
}

inEachBrowser(browsers, 'transcribe speech', async (driver) => {
  await open(driver, 'transcribe-speech');
  const tone = join(sounds, 'tone.wav');
  writeFileSync(tone, wav());
  await driver.waitFor('input:enabled');
  await driver.upload('input', whisper === undefined ? tone : fileURLToPath(besideModels('media/jfk.wav')));
  if (whisper === undefined) {
    await until(driver, 'document.querySelector("p").textContent.length > 3');
    expect(await driver.evaluate<string>(text('p'))).toMatch(new RegExp(`^[${letters.join('')}]+$`));
  } else
    await until(driver, '/ask not what your country can do for you/.test(document.querySelector("p").textContent)');
  await draw(driver, 'transcribe-speech');
});

inEachBrowser(browsers, 'from onnxruntime-web', async (driver) => {
  const folder = join(work, 'from-onnxruntime-web');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of filesOf('from-onnxruntime-web')) {
    writeFileSync(join(folder, file), file.endsWith('.html') ? withIcon(content) : content);
  }
  await build({ root: folder, base: './', logLevel: 'warn' });
  await open(driver, 'from-onnxruntime-web');
  await until(driver, 'document.querySelector("output").value !== ""');
  expect(await driver.evaluate('document.querySelector("output").value')).toBe('3');
  await draw(driver, 'from-onnxruntime-web');
});

inEachBrowser(
  browsers,
  'with transformers.js',
  async (driver) => {
    await open(driver, 'with-transformers-js');
    await until(driver, 'document.querySelector("p").textContent.length > 60');
    expect(await driver.evaluate(text('p'))).toMatch(/^Once upon a time, there was a \w+/);
    await draw(driver, 'with-transformers-js');
  },
  withoutStories,
);

inEachBrowser(
  browsers,
  'in a worker',
  async (driver) => {
    await open(driver, 'in-a-worker');
    await driver.waitFor('.run:enabled');
    expect(await driver.evaluate(text('p'))).toMatch(/^Ready: wasm.*, 1 thread, in a worker\.$/);
    expect(await driver.evaluate('document.querySelector("progress").value')).toBeGreaterThan(1_000_000);
    await driver.click('.run');
    await driver.waitFor('.stop:enabled');
    await driver.click('.stop');
    await driver.waitFor('.run:enabled');
    expect(await driver.evaluate(text('p'))).toBe('Stopped.');
    await draw(driver, 'in-a-worker');
  },
  whyWithout('style-candy'),
);

inEachBrowser(
  browsers.filter(({ name }) => name === 'Chromium'),
  'deploy',
  async (driver) => {
    const folder = join(work, 'deploy');
    rmSync(folder, { recursive: true, force: true });
    const dist = join(folder, 'dist');
    mkdirSync(dist, { recursive: true });
    const files = filesOf('deploy');
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'server.js'), files.get('server.js') ?? '');
    cpSync(join(root, 'web/dist'), join(dist, 'neuromancer'), { recursive: true });
    cpSync(join(root, 'models/handwriting/handwriting.onnx'), join(dist, 'model.onnx'));
    writeFileSync(join(dist, 'favicon.ico'), '');
    writeFileSync(join(dist, 'index.html'), '<!doctype html><script type="module" src="main.js"></script>');
    writeFileSync(
      join(dist, 'main.js'),
      `import { Session } from './neuromancer/index.js';
    const session = await Session.load('model.onnx', { threads: 2 });
    document.title = session.engine.threads + ' threads';`,
    );
    const server: ChildProcess = spawn(process.execPath, ['server.js'], {
      cwd: folder,
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const url = await new Promise<string>((resolve, reject) => {
        server.stdout?.once('data', (said) => resolve(String(said).trim()));
        server.once('exit', () => reject(new Error('the server of the guide ended')));
      });
      const { headers } = await fetch(url);
      const isolating = ['Cross-Origin-Opener-Policy', 'Cross-Origin-Embedder-Policy', 'Cross-Origin-Resource-Policy'];
      for (const name of isolating) {
        const value = headers.get(name);
        expect(value).toBeTruthy();
        expect(files.get('_headers')).toContain(`  ${name}: ${value}\n`);
        expect(files.get('nginx.conf')).toContain(`add_header ${name} ${value} always;`);
        expect(readFileSync(join(guides, 'deploy.md'), 'utf8')).toContain(`\n${name}: ${value}\n`);
      }
      expect((await fetch(`${url}neuromancer/neuromancer-wasm.wasm`)).headers.get('content-type')).toBe(
        'application/wasm',
      );
      expect((await fetch(`${url}nothing`)).status).toBe(404);
      await driver.open(url);
      await until(driver, 'document.title !== ""');
      expect(await driver.evaluate('[crossOriginIsolated, document.title]')).toEqual([true, '2 threads']);
    } finally {
      server.removeAllListeners('exit');
      server.kill();
    }
  },
);
