// Downloads that break off, are kept and are checked, against a server that really does so.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type DownloadOptions, type DownloadProgress, download } from '../dist/download.js';
import { Session, Tensor } from '../dist/index.js';
import { modelOf } from './onnx-writer.js';
import { built } from './places.js';

const model = modelOf([{ op: 'Neg', inputs: ['x'], outputs: ['y'] }], { x: 'float32[n]' }, { y: 'float32[n]' });
const file = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
const hash = (bytes: Uint8Array, name = 'sha256') => `${name}-${createHash(name).update(bytes).digest('base64')}`;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections();
  vi.restoreAllMocks();
});

interface Behaviour {
  body?: Uint8Array;
  /** Bytes after which each connection is cut; none is cut when they are used up. */
  cuts?: number[];
  headers?: (request: number) => Record<string, string>;
  /** Whether ranges are understood. */
  ranges?: boolean;
}

/** Serves `body`, and says what was asked for. */
async function serve({ body = file, cuts = [], headers = () => ({ etag: '"1"' }), ranges = true }: Behaviour) {
  const asked: (string | undefined)[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const own = headers(asked.length);
    asked.push(request.headers.range);
    const [, start = '0'] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    // As RFC 9110 has it: the rest only of the state that the client knows.
    const state = request.headers['if-range'];
    const from =
      ranges && (state === undefined || state === own.etag || state === own['last-modified']) ? Number(start) : 0;
    const rest = body.subarray(from);
    const range = from > 0 ? { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` } : {};
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length, ...range, ...own });
    const cut = cuts.shift();
    if (cut === undefined) response.end(rest);
    else response.write(rest.subarray(0, cut), () => setTimeout(() => response.destroy(), 30));
  };
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`, asked };
}

/** Downloads, and compares with the server's file: not by `toEqual`, which takes seconds. */
async function isFile(url: string, options: DownloadOptions = {}): Promise<boolean> {
  return Buffer.from(await (await download(url, options)).arrayBuffer()).equals(file);
}

const failure = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable(),
    (error) => error,
  );

describe('a connection that breaks', () => {
  test('again and again: the download goes on where it was', async () => {
    const { url, asked } = await serve({ cuts: [100_000, 50_000, 1] });
    const seen: DownloadProgress[] = [];
    expect(await isFile(url, { onProgress: (progress) => seen.push(progress) })).toBe(true);
    expect(asked).toEqual([undefined, 'bytes=100000-', 'bytes=150000-', 'bytes=150001-']);
    expect(seen.at(-1)).toEqual({ phase: 'download', loaded: file.length, total: file.length });
  });

  test.skipIf(!built('wasm')).each([false, true])('a session loads all the same, worker: %s', async (worker) => {
    const { url, asked } = await serve({ body: model, cuts: [20, 7] });
    const session = await Session.load(url, { artefact: 'wasm', threads: 1, worker });
    expect(((await session.run({ x: new Tensor('float32', [3]) })).y as Tensor).toArray()).toEqual([-3]);
    await session.release();
    // Where each began depends on what was read when the connection broke.
    expect(asked.length).toBe(3);
  });

  test('by the date where there is no tag', async () => {
    const date = { 'last-modified': 'Wed, 01 Jan 2025 00:00:00 GMT' };
    const { url } = await serve({ cuts: [1000], headers: () => date });
    expect(await isFile(url)).toBe(true);
  });

  test.each<[string, Behaviour]>([
    ['a file that has changed', { headers: (request) => ({ etag: `"${request}"` }) }],
    ['a server without ranges', { ranges: false }],
    ['a weak tag', { headers: () => ({ etag: 'W/"1"' }) }],
    ['nothing that names the state', { headers: () => ({}) }],
  ])('%s is not put together from two', async (_, behaviour) => {
    const { url, asked } = await serve({ cuts: [1000], ...behaviour });
    expect(await failure(download(url))).toMatchObject({ code: 'download_failed' });
    expect(asked.length).toBeLessThanOrEqual(2);
  });

  test('for good: it fails in bounded time, as it broke', async () => {
    const { url, asked } = await serve({ cuts: [1000, 0, 0, 0, 0, 0] });
    const start = performance.now();
    expect(await failure(download(url))).toMatchObject({
      code: 'download_failed',
      message: expect.stringContaining('Reading the file failed'),
    });
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(asked.length).toBe(4);
  });

  test('a signal ends the wait for the next attempt', async () => {
    const { url } = await serve({ cuts: [1000, 0, 0, 0, 0, 0] });
    const start = performance.now();
    expect(await failure(download(url, { signal: AbortSignal.timeout(600) }))).toMatchObject({ code: 'cancelled' });
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

describe('a hash', () => {
  test.each(['sha256', 'sha384', 'sha512'])('%s that is right', async (name) => {
    const { url } = await serve({});
    const phases = new Set<string>();
    const onProgress = ({ phase }: DownloadProgress) => phases.add(phase);
    expect(await isFile(url, { integrity: hash(file, name), onProgress })).toBe(true);
    expect([...phases]).toEqual(['download', 'check']);
  });

  test('that is wrong: both are named, and nothing is kept', async () => {
    const { url } = await serve({});
    const put = vi.fn();
    const integrity = hash(model);
    const error = await failure(download(url, { integrity, cache: { get: async () => undefined, put } }));
    expect(error).toMatchObject({ code: 'invalid_data', expected: integrity, actual: hash(file) });
    expect(put).not.toHaveBeenCalled();
  });
});

describe('a cache', () => {
  const inMemory = () => {
    const files = new Map<string, Blob>();
    return {
      files,
      get: async (url: string) => files.get(url),
      put: async (url: string, blob: Blob) => files.set(url, blob),
    };
  };

  test('is asked first, also when the server is gone', async () => {
    const cache = inMemory();
    const { url, asked } = await serve({});
    const seen: string[] = [];
    await download(url, { cache, onProgress: ({ phase }) => seen.push(phase) });
    expect(seen.at(-1)).toBe('store');
    for (const server of servers.splice(0)) server.close().closeAllConnections();
    expect(await isFile(url, { cache, integrity: hash(file) })).toBe(true);
    expect(asked.length).toBe(1);
    expect(await failure(download(url))).toMatchObject({
      code: 'download_failed',
      message: expect.stringContaining(url),
    });
  });

  test('with another version of the file is filled anew', async () => {
    const cache = inMemory();
    const { url } = await serve({});
    cache.files.set(url, new Blob(['an older one']));
    expect(await isFile(url, { cache, integrity: hash(file) })).toBe(true);
    expect(cache.files.get(url)?.size).toBe(file.length);
  });

  test('that fails costs a download, and is reported', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const full = new Error('no room');
    const cache = { get: () => Promise.reject(full), put: () => Promise.reject(full) };
    const { url } = await serve({});
    expect(await isFile(url, { cache })).toBe(true);
    expect(warn.mock.calls.map(([text, error]) => [text.slice(0, 26), error])).toEqual([
      ['neuromancer: could not rea', full],
      ['neuromancer: could not kee', full],
    ]);
  });

  test('that this host does not have is said to be absent', async () => {
    for (const cache of ['opfs', 'cache-api'] as const) {
      const error = await failure(download('http://127.0.0.1:1/model.onnx', { cache }));
      // Node has begun to have a Cache API of its own.
      if (cache === 'cache-api' && typeof caches === 'object') continue;
      expect(error).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining(`cache: "${cache}"`) });
    }
  });
});

test.each([
  [undefined, {}, 'download takes a URL, not undefined'],
  [new Uint8Array(1), {}, 'download takes a URL, not an object (Uint8Array)'],
  ['http://x', { cache: 'disk' }, '"http", "opfs", "cache-api" or an object'],
  ['http://x', { integrity: 'md5-abc' }, '"sha256-", "sha384-" or "sha512-"'],
  ['http://x', { integrety: 'sha256-abc' }, 'Did you mean "integrity"?'],
])('%o with %o is refused', async (url, options, message) => {
  expect((await failure(download(url as never, options as never))).message).toContain(message);
});
