import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openSource, readSource } from '../src/download/fetch.js';
import { chooseArtefact, loadModule } from '../src/engine/loader.js';
import { besideThisScript } from '../src/host/location.js';
import { detectFeatures, NeuromancerError, Session } from '../src/index.js';

const emptyModule = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const closers: (() => void)[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe('the artefact', () => {
  const features = { simd: true, relaxedSimd: true, memory64: true, sharedMemory: true, processors: 8 };

  test('is chosen by what the host can do', () => {
    expect(chooseArtefact(features, 4)).toBe('wasm-relaxed-threads');
    expect(chooseArtefact(features, 1)).toBe('wasm-relaxed');
    expect(chooseArtefact({ ...features, sharedMemory: false }, 4)).toBe('wasm-relaxed');
    expect(chooseArtefact({ ...features, relaxedSimd: false }, 2)).toBe('wasm-threads');
  });

  test('is wasm64 for a model that leaves too little of 4 GiB', () => {
    expect(chooseArtefact(features, 4, 3.6e9)).toBe('wasm64');
    expect(chooseArtefact(features, 1, 3.6e9)).toBe('wasm64');
    expect(chooseArtefact(features, 4, 3.4e9)).toBe('wasm-relaxed-threads');
  });

  test('this host is asked, not guessed', () => {
    const found = detectFeatures();
    expect(found.simd).toBe(true);
    expect(found.memory64).toBe(Number(process.versions.node.split('.')[0]) >= 24);
    expect(found.processors).toBeGreaterThan(0);
  });

  test.each([['application/wasm'], ['application/octet-stream']])(
    'compiles from a server that says %s',
    async (type) => {
      const url = await serve((_, response) => response.setHeader('content-type', type).end(emptyModule));
      expect(await loadModule({ wasm: `${url}/a.wasm` }, 1)).toBeInstanceOf(WebAssembly.Module);
    },
  );

  test('is taken from bytes, a Response or a Module', async () => {
    expect(await loadModule({ wasm: emptyModule }, 1)).toBeInstanceOf(WebAssembly.Module);
    expect(await loadModule({ wasm: new Response(emptyModule) }, 1)).toBeInstanceOf(WebAssembly.Module);
    const module = new WebAssembly.Module(emptyModule);
    expect(await loadModule({ wasm: module }, 1)).toBe(module);
  });

  test('an answer that is an error names the URL and the status, and the next try starts afresh', async () => {
    let ready = false;
    const url = await serve((_, response) => {
      response.statusCode = ready ? 200 : 404;
      response.end(ready ? emptyModule : 'nothing here');
    });
    const options = { wasm: `${url}/engine.wasm` };
    const error = await loadModule(options, 1).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'engine_unavailable' });
    expect(String(error)).toContain(`${url}/engine.wasm: the server answered 404 Not Found. Copy the .wasm files`);
    ready = true;
    expect(await loadModule(options, 1)).toBeInstanceOf(WebAssembly.Module);
  });

  test('a page sent in place of the file is recognised', async () => {
    const url = await serve((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><p>'));
    await expect(loadModule({ wasm: `${url}/x.wasm` }, 1)).rejects.toThrow(
      `The engine from ${url}/x.wasm is not WebAssembly (it begins with "<!doctype html><")`,
    );
  });

  test('an artefact that does not exist or that this host cannot run is refused by name', async () => {
    await expect(loadModule({ artefact: 'webgpu' as never }, 1)).rejects.toThrow('There is no artefact "webgpu"');
    if (!detectFeatures().relaxedSimd) {
      await expect(loadModule({ artefact: 'wasm-relaxed' }, 1)).rejects.toThrow('no relaxed SIMD');
    }
  });

  test('is compiled once per URL', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests++;
      response.end(emptyModule);
    });
    const options = { wasm: new URL('/once.wasm', url) };
    const modules = await Promise.all([loadModule(options, 1), loadModule(options, 1)]);
    expect(modules[0]).toBe(modules[1]);
    expect(requests).toBe(1);
  });
});

describe('an engine whose download', () => {
  const settles = (call: Promise<unknown>) =>
    call.then(
      () => 'loaded',
      (error: unknown) => error,
    );

  /** A server that answers as told, until it is told otherwise. */
  async function server(bad: RequestListener) {
    const state = { good: false, requests: 0, closed: 0 };
    const url = await serve((request, response) => {
      state.requests++;
      response.on('close', () => state.closed++);
      if (state.good) response.setHeader('content-type', 'application/wasm').end(emptyModule);
      else bad(request, response);
    });
    return { state, options: { wasm: `${url}/engine.wasm` } };
  }

  const failures: [string, RequestListener, RegExp][] = [
    [
      'is cut',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/wasm', 'content-length': 1000 });
        response.write(emptyModule, () => response.destroy());
      },
      /engine\.wasm/,
    ],
    [
      'is cut without a type',
      (_, response) => {
        response.writeHead(200, { 'content-length': 1000 });
        response.write(emptyModule, () => response.destroy());
      },
      /engine\.wasm/,
    ],
    ['is refused', (request) => void request.socket.destroy(), /engine\.wasm/],
    [
      'is empty',
      (_, response) => void response.setHeader('content-type', 'application/wasm').end(),
      /is not WebAssembly/,
    ],
    [
      'is damaged',
      (_, response) =>
        void response
          .setHeader('content-type', 'application/wasm')
          .end(Buffer.concat([emptyModule, Buffer.from([200])])),
      /could not be compiled/,
    ],
    [
      'is a page of another kind',
      (_, response) => void response.setHeader('content-type', 'application/wasm').end('<!doctype html>'),
      /is not WebAssembly/,
    ],
    [
      'is sent elsewhere for ever',
      (_, response) => void response.writeHead(302, { location: '/engine.wasm' }).end(),
      /engine\.wasm/,
    ],
  ];

  test.each(failures)('%s fails with a code, and is tried again by the next load', async (_, bad, message) => {
    const { state, options } = await server(bad);
    const errors = await Promise.all([settles(loadModule(options, 1)), settles(loadModule(options, 1))]);
    for (const error of errors) {
      expect(error).toBeInstanceOf(NeuromancerError);
      expect(error).toMatchObject({ code: 'engine_unavailable', message: expect.stringMatching(message) });
    }
    state.good = true;
    expect(await loadModule(options, 1)).toBeInstanceOf(WebAssembly.Module);
  });

  test.each([
    ['never begins', () => {}],
    [
      'stalls',
      (_: unknown, response: { writeHead(status: number, headers: object): void; write(bytes: Uint8Array): void }) => {
        response.writeHead(200, { 'content-type': 'application/wasm', 'content-length': 1000 });
        response.write(emptyModule);
      },
    ],
  ] as [string, RequestListener][])('%s is given up with the last load that waits for it', async (_, bad) => {
    const { state, options } = await server(bad);
    const [one, other] = [new AbortController(), new AbortController()];
    const first = settles(loadModule(options, 1, one.signal));
    const second = settles(loadModule(options, 1, other.signal));
    await vi.waitFor(() => expect(state.requests).toBe(1));
    one.abort();
    expect(await first).toMatchObject({ code: 'cancelled' });
    expect(state.closed).toBe(0);
    other.abort();
    expect(await second).toMatchObject({ code: 'cancelled' });
    await vi.waitFor(() => expect(state.closed).toBe(1));
    state.good = true;
    expect(await loadModule(options, 1)).toBeInstanceOf(WebAssembly.Module);
  });

  test('turns out to be another program is asked for again', async () => {
    const { state, options } = await server((_, response) => void response.end(emptyModule));
    for (const requests of [1, 2]) {
      await expect(Session.load(new Uint8Array(1), { ...options, threads: 1 })).rejects.toMatchObject({
        code: 'engine_unavailable',
        message: expect.stringContaining('it does not export nm_alloc'),
      });
      expect(state.requests).toBe(requests);
    }
  });

  test('has no place: the advice names the ways out', async () => {
    expect(() => besideThisScript('neuromancer-wasm.wasm', () => new URL('./x', undefined))).toThrow(
      /neuromancer\/single.*option "wasm"/,
    );
  });

  test('would be asked for where Vite moved the script is asked for where it lies', () => {
    const at = (href: string) => besideThisScript('worker.js', () => new URL(href)).href;
    expect(at('http://localhost:5173/node_modules/.vite/deps/worker.js?v=1')).toBe(
      'http://localhost:5173/node_modules/neuromancer/dist/worker.js',
    );
    expect(at('http://localhost/assets/worker-abc.js')).toBe('http://localhost/assets/worker-abc.js');
  });

  test('are those of the installed package where a server has only the path that pages ask for', () => {
    const at = (name: string) => besideThisScript(name, () => ({ href: `/_next/static/media/${name}` }) as URL);
    expect(at('worker.js').href).toBe(new URL('../dist/worker.js', import.meta.url).href);
    expect(() => at('no-such-file.wasm')).toThrow(/place of no-such-file.wasm .*neuromancer\/single/);
  });
});

describe('a load that fails half-way', () => {
  test.each([
    ['the engine', { wasm: new Uint8Array(8) }, {}],
    [
      'external data',
      { wasm: new WebAssembly.Module(emptyModule) },
      { externalData: { data: 'file:///no/such/data' } },
    ],
  ])('because of %s leaves no download behind', async (_, wasm, more) => {
    let closed = false;
    const url = await serve((_, response) => {
      response.on('close', () => {
        closed = true;
      });
      response.write('the beginning');
    });
    const error = await Session.load(`${url}/model.onnx`, { ...wasm, ...more, threads: 1 }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NeuromancerError);
    await vi.waitFor(() => expect(closed).toBe(true));
  });
});

describe('downloads', () => {
  test('report progress against the announced length', async () => {
    const url = await serve((_, response) => {
      response.setHeader('content-length', 8);
      response.write(new Uint8Array(4));
      setTimeout(() => response.end(new Uint8Array(4)), 30);
    });
    const seen: object[] = [];
    const bytes = await readSource('the model', url, { onProgress: (progress) => seen.push(progress) });
    expect(bytes.byteLength).toBe(8);
    expect(seen.at(0)).toEqual({ phase: 'model', loaded: 4, total: 8 });
    expect(seen.at(-1)).toEqual({ phase: 'model', loaded: 8, total: 8 });
  });

  test('that are long come in one block, whose pieces are gone with the next', async () => {
    const headers = { 'content-length': String(2 ** 28) };
    const numbers = [1, 2, 3];
    const stream = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        const next = numbers.shift();
        if (next !== undefined) controller.enqueue(new Uint8Array(1000).fill(next));
        else {
          controller.close();
          controller.byobRequest?.respond(0);
        }
      },
    });
    const { pieces } = await openSource('the model', new Response(stream, { headers }));
    const seen: Uint8Array[] = [];
    const firsts: number[] = [];
    for await (const piece of pieces) {
      seen.push(piece);
      firsts.push(piece[0] as number, piece[999] as number);
    }
    expect(firsts).toEqual([1, 1, 2, 2, 3, 3]);
    expect(seen.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0]);
    const plain = new Blob([Uint8Array.of(7)]).stream().pipeThrough(new TransformStream());
    expect(await readSource('the model', new Response(plain, { headers }))).toEqual(Uint8Array.of(7));
  });

  test('stop on a signal', async () => {
    const url = await serve((_, response) => void response.write('first'));
    const controller = new AbortController();
    const reading = readSource('the model', url, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('that stall stop on a signal too, whatever holds them', async () => {
    for (const source of [
      new Response(new ReadableStream()),
      await serve(() => {}),
      await serve((_, r) => void r.write('x')),
    ]) {
      const controller = new AbortController();
      const reading = readSource('the model', source, { signal: controller.signal });
      setTimeout(() => controller.abort(), 30);
      await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
    }
  });

  test('that were read already, or do not give bytes, are refused', async () => {
    const used = new Response('x');
    await used.text();
    const texts = {
      body: new ReadableStream({ start: (c) => c.enqueue('text') }),
      headers: new Headers(),
      ok: true,
      [Symbol.toStringTag]: 'Response',
    };
    for (const source of [used, texts as never]) {
      await expect(readSource('the model', source)).rejects.toMatchObject({ code: 'download_failed' });
    }
  });

  test('name what could not be had', async () => {
    const url = await serve((_, response) => response.writeHead(403).end());
    await expect(readSource('the model', `${url}/m.onnx`)).rejects.toMatchObject({
      code: 'download_failed',
      message: `The model could not be fetched from ${url}/m.onnx: the server answered 403 Forbidden.`,
    });
    await expect(readSource('the model', 'http://127.0.0.1:1/m.onnx')).rejects.toMatchObject({
      code: 'download_failed',
    });
    await expect(readSource('the model', new URL('file:///no/such/model.onnx'))).rejects.toThrow('/no/such/model.onnx');
    await expect(readSource('the model', 'http://:bad')).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});
