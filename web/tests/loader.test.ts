import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { readSource } from '../src/fetch.js';
import { detectFeatures } from '../src/index.js';
import { chooseArtefact, loadModule } from '../src/loader.js';

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
  const features = { simd: true, relaxedSimd: true, sharedMemory: true, processors: 8 };

  test('is chosen by what the host can do', () => {
    expect(chooseArtefact(features, 4)).toBe('wasm-relaxed-threads');
    expect(chooseArtefact(features, 1)).toBe('wasm-relaxed');
    expect(chooseArtefact({ ...features, sharedMemory: false }, 4)).toBe('wasm-relaxed');
    expect(chooseArtefact({ ...features, relaxedSimd: false }, 2)).toBe('wasm-threads');
  });

  test('this host is asked, not guessed', () => {
    const found = detectFeatures();
    expect(found.simd).toBe(true);
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
    expect(seen.at(0)).toEqual({ loaded: 4, total: 8 });
    expect(seen.at(-1)).toEqual({ loaded: 8, total: 8 });
  });

  test('stop on a signal', async () => {
    const url = await serve((_, response) => void response.write('first'));
    const controller = new AbortController();
    const reading = readSource('the model', url, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
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
