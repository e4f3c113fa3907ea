// The program for Fastly Compute: what it wants of its host, and what it gives. What it answers is tested on the local host
// (tests/hosts).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../../build/reduced-wasm/digits-fastly.wasm', import.meta.url));
const program = new WebAssembly.Module(readFileSync(file));

test('it imports what HTTP takes of the host, and nothing of WASI', () => {
  const imports = WebAssembly.Module.imports(program).map(({ module, name, kind }) => `${kind} ${module} ${name}`);
  assert.deepEqual(imports.sort(), [
    'function fastly_abi init',
    'function fastly_http_body new',
    'function fastly_http_body read',
    'function fastly_http_body write',
    'function fastly_http_req body_downstream_get',
    'function fastly_http_req header_value_get',
    'function fastly_http_req method_get',
    'function fastly_http_resp header_insert',
    'function fastly_http_resp new',
    'function fastly_http_resp send_downstream',
    'function fastly_http_resp status_set',
  ]);
});

test('it begins at _start, with its model loaded, in memory that the host can reach', () => {
  const exports = WebAssembly.Module.exports(program).map(({ name, kind }) => `${kind} ${name}`);
  for (const wanted of ['memory memory', 'function _start', 'global prepared'])
    assert.ok(exports.includes(wanted), wanted);
  assert.ok(!exports.includes('function _initialize'), 'its constructors have run');
});

test('it may take the 128 MB that the platform gives, and says so', () => {
  const { memory } = instance({});
  const pages = 2048 - memory.buffer.byteLength / 65536;
  assert.throws(() => memory.grow(pages + 1), RangeError);
  memory.grow(pages);
});

/** The exports of an instance that gets these functions of its host, in place of ones that are not to be called. */
function instance(functions) {
  const imports = {};
  for (const { module, name } of WebAssembly.Module.imports(program)) {
    imports[module] ??= {};
    imports[module][name] = functions[module]?.[name] ?? (() => assert.fail(`it called ${module} ${name}`));
  }
  return new WebAssembly.Instance(program, imports).exports;
}

/** What the program says to a request, of which a host knows no more than this; the body comes in pieces. */
function answer({ method, type, body = new Uint8Array(0), fails = false }) {
  let read = 0;
  const said = { status: undefined, headers: {}, body: '', sent: false };
  const bytes = (at, size) => new Uint8Array(memory.buffer, at, size);
  const text = (at, size) => new TextDecoder().decode(bytes(at, size));
  const put = (at, value) => new DataView(memory.buffer).setUint32(at, value, true);
  const give = (value, at, room, length) => {
    const encoded = new TextEncoder().encode(value);
    put(length, encoded.length);
    if (encoded.length > room) return 4;
    bytes(at, encoded.length).set(encoded);
    return 0;
  };
  const exports = instance({
    fastly_abi: { init: (version) => (version === 1n ? 0 : 2) },
    fastly_http_req: {
      body_downstream_get: (request, received) => {
        put(request, 7);
        put(received, 8);
        return 0;
      },
      method_get: (_, at, room, length) => give(method, at, room, length),
      header_value_get: (_, name, size, at, room, length) =>
        type === undefined || text(name, size) !== 'content-type' ? 10 : give(type, at, room, length),
    },
    fastly_http_body: {
      read: (_, at, room, length) => {
        if (fails) return 9;
        const piece = body.subarray(read, read + Math.min(room, 1000));
        bytes(at, piece.length).set(piece);
        put(length, piece.length);
        read += piece.length;
        return 0;
      },
      new: (made) => {
        put(made, 9);
        return 0;
      },
      write: (_, at, size, end, taken) => {
        const part = Math.min(size, 100);
        assert.equal(end, 0);
        said.body += text(at, part);
        put(taken, part);
        return 0;
      },
    },
    fastly_http_resp: {
      new: (made) => {
        put(made, 10);
        return 0;
      },
      status_set: (_, status) => {
        said.status = status;
        return 0;
      },
      header_insert: (_, name, nameSize, value, valueSize) => {
        said.headers[text(name, nameSize)] = text(value, valueSize);
        return 0;
      },
      send_downstream: (response, sent, streaming) => {
        assert.deepEqual([response, sent, streaming], [10, 9, 0]);
        said.sent = true;
        return 0;
      },
    },
  });
  const { memory } = exports;
  exports._start();
  assert.ok(said.sent);
  assert.deepEqual(said.headers, { 'content-type': 'application/json' });
  return { status: said.status, read, ...JSON.parse(said.body) };
}

const picture = readFileSync(new URL('../../demo/embed/three.gray', import.meta.url));
const raw = 'application/octet-stream';

test('a picture is read, in pieces', () => {
  const { status, sign, others } = answer({ method: 'POST', type: raw, body: picture });
  assert.deepEqual([status, sign, others.length], [200, '3', 2]);
});

test('a content type of any length is told back', () => {
  const type = `text/${'x'.repeat(5000)}`;
  const { status, error } = answer({ method: 'POST', type, body: picture });
  assert.equal(status, 415);
  assert.ok(error.message.includes(type));
});

test('requests without a content type, or with a long method, are refused', () => {
  assert.equal(answer({ method: 'POST', body: picture }).status, 415);
  assert.equal(answer({ method: 'PROPFIND-AND-MORE', type: raw }).status, 405);
});

test('a long body is read to its end and refused', () => {
  const { status, read } = answer({ method: 'POST', type: raw, body: new Uint8Array(150_000) });
  assert.deepEqual([status, read], [413, 150_000]);
});

test('a body that breaks off is an error of the request', () => {
  const { status, error } = answer({ method: 'POST', type: raw, fails: true });
  assert.equal(status, 400);
  assert.match(error.message, /did not arrive whole/);
});
