// The component that exports neuromancer:inference, called from JavaScript as jco transpiles it.
//   NM_BUILD=build/wasm node --test tests/component/*.test.mjs
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import '../../component/typescript.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const build = resolve(root, process.env.NM_BUILD ?? 'build/wasm');
const { modelOf } = await import('../../web/tests/onnx-writer.ts');
const require = createRequire(join(build, 'component-tools', 'package.json'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const bytes = readFileSync(join(build, 'neuromancer-component.wasm'));

let inference;
before(async () => {
  const { transpileBytes, writeFiles } = await load('@bytecodealliance/jco-transpile');
  const outDir = join(build, 'neuromancer-component');
  const { files } = await transpileBytes(bytes, { name: 'neuromancer', outDir });
  mkdirSync(outDir, { recursive: true });
  await writeFiles(files);
  writeFileSync(join(outDir, 'package.json'), '{ "type": "module" }\n'); // whatever the build folder says
  ({ inference } = await import(pathToFileURL(join(outDir, 'neuromancer.js')).href));
});

const floats = (values, shape = [values.length]) =>
  inference.Tensor.create('float32', shape.map(BigInt), new Uint8Array(Float32Array.from(values).buffer));
const tensor = (val) => ({ tag: 'tensor', val });
const numbers = (value) => {
  assert.equal(value.tag, 'tensor');
  return Array.from(new Float32Array(value.val.data().slice().buffer));
};
const strings = (...list) => inference.Tensor.ofStrings([BigInt(list.length)], list);

function open(model, prepare = () => {}) {
  const incoming = inference.Model.create(BigInt(model.length));
  // In pieces, as it may come.
  for (let at = 0; at < model.length; at += 50_000) incoming.append(model.subarray(at, at + 50_000));
  prepare(incoming);
  return inference.Session.load(incoming);
}

function run(session, inputs) {
  const given = Object.entries(inputs).map(([name, value]) => ({ name, value }));
  return Object.fromEntries(session.run(given).map(({ name, value }) => [name, value]));
}

function fails(code, message, work) {
  assert.throws(work, (error) => {
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

const add = () =>
  modelOf(
    [{ op: 'Add', inputs: ['x', 'y'], outputs: ['z'] }],
    { x: 'float32[n]', y: 'float32[n]' },
    { z: 'float32[n]' },
  );

test('it imports nothing and exports the interface', async () => {
  const { componentWit } = await load('@bytecodealliance/jco-transpile/wasm-tools');
  const text = await componentWit(bytes);
  assert.match(text, /export neuromancer:inference\/inference@0\.1\.0;/);
  assert.doesNotMatch(text, /\bimport\b/);
});

test('it says what it is', () => {
  const { version, operators } = inference.buildInfo();
  assert.equal(version, JSON.parse(readFileSync(join(root, 'web', 'package.json'), 'utf8')).version);
  assert.ok(operators > 100);
});

test('a model is loaded, described and run', () => {
  const session = open(readFileSync(join(root, 'models', 'handwriting', 'handwriting.onnx')));
  const { inputs, outputs, nodes, opsets } = session.describe();
  const dims = [{ tag: 'symbol', val: 'batch' }, ...[1n, 28n, 28n].map((val) => ({ tag: 'number', val }))];
  assert.deepEqual(inputs, [{ name: 'image', type: 'float32', shape: dims, optional: false }]);
  assert.deepEqual(
    outputs.map(({ name }) => name),
    ['probabilities'],
  );
  assert.equal(nodes, 12n);
  assert.deepEqual(opsets, [['ai.onnx', 17n]]);
  const picture = Array.from(readFileSync(join(root, 'demo', 'embed', 'three.gray')), (byte) => byte / 255);
  const { probabilities } = run(session, { image: tensor(floats(picture, [1, 1, 28, 28])) });
  assert.deepEqual(Array.from(probabilities.val.shape()), [1n, 36n]);
  assert.equal(probabilities.val.elementType(), 'float32');
  const values = numbers(probabilities);
  assert.equal(values.indexOf(Math.max(...values)), 3);
  assert.ok(values[3] > 0.9);
});

test('a tensor can be given again, and an output to another run', () => {
  const session = open(add());
  const x = floats([1, 2, 3]);
  const { z } = run(session, { x: tensor(x.share()), y: tensor(x.share()) });
  assert.deepEqual(numbers(z), [2, 4, 6]);
  assert.deepEqual(numbers(run(session, { x: z, y: tensor(x) }).z), [3, 6, 9]);
});

test('what is wrong is said, and the session goes on', () => {
  const session = open(add());
  const x = () => tensor(floats([1, 2]));
  const right = () => assert.deepEqual(numbers(run(session, { x: x(), y: x() }).z), [2, 4]);
  right();
  fails('missing-input', /'y'/, () => run(session, { x: x() }));
  // Nothing of the run that failed is left.
  fails('missing-input', /'x'/, () => run(session, { y: x() }));
  fails('invalid-argument', /no input 'q'/, () => run(session, { x: x(), y: x(), q: x() }));
  fails('type-mismatch', /'x'.*string/, () => run(session, { x: tensor(strings('a', 'b')), y: x() }));
  fails('shape-mismatch', /x/, () => run(session, { x: tensor(floats([1, 2], [1, 2])), y: x() }));
  right();
});

test('what is no model, or takes too much, is refused', () => {
  fails('invalid-model', /./, () => open(new TextEncoder().encode('this is no model, whatever its name')));
  const unknown = modelOf([{ op: 'Levitate', inputs: ['x'], outputs: ['y'] }], { x: 'float32' }, { y: 'float32' });
  fails('unsupported-operator', /Levitate/, () => open(unknown));
  fails('limit-exceeded', /nodes/, () => open(add(), (model) => model.setLimit('nodes', 0n)));
  fails('invalid-argument', /'weight'/, () => open(add(), (model) => model.setLimit('weight', undefined)));
});

test('tensors have as many elements as their shape says', () => {
  fails('invalid-argument', /12 bytes, but 8/, () => inference.Tensor.create('float32', [3n], new Uint8Array(8)));
  fails('invalid-argument', /2 strings, but 1/, () => inference.Tensor.ofStrings([2n], ['a']));
  fails('invalid-argument', /of-strings/, () => inference.Tensor.create('string', [0n], new Uint8Array(0)));
  fails('invalid-argument', /rank 13/, () => inference.Tensor.create('uint8', Array(13).fill(1n), new Uint8Array(1)));
  fails('invalid-argument', /dimension/, () => inference.Tensor.create('uint8', [2n ** 63n], new Uint8Array(1)));
  fails('out-of-memory', /./, () => inference.Tensor.create('uint8', [2n ** 40n], new Uint8Array(1)));
  fails('invalid-argument', /no strings/, () => floats([1]).strings());
  fails('invalid-argument', /tensor\.strings/, () => strings('a').data());
  assert.deepEqual(Array.from(inference.Tensor.create('int4', [3n], Uint8Array.of(0x21, 0x03)).data()), [0x21, 3]);
  assert.deepEqual(Array.from(floats([5], []).shape()), []);
});

test('a dimension may be fixed', () => {
  const session = open(add(), (model) => model.setDimension('n', 2n));
  const { inputs } = session.describe();
  assert.deepEqual(inputs[0].shape, [{ tag: 'number', val: 2n }]);
  fails('invalid-argument', /'m'/, () => open(add(), (model) => model.setDimension('m', 2n)));
});

test('weights come from files beside the model', () => {
  const nodes = [{ op: 'Add', inputs: ['x', 'w'], outputs: ['z'] }];
  const model = modelOf(
    nodes,
    { x: 'float32[2]' },
    { z: 'float32[2]' },
    { weights: { w: { dims: [2], file: 'w.bin' } } },
  );
  const session = open(model, (incoming) => {
    incoming.externalFile('w.bin', 8n);
    incoming.append(new Uint8Array(Float32Array.of(10, 20).buffer));
  });
  assert.deepEqual(numbers(run(session, { x: tensor(floats([1, 2])) }).z), [11, 22]);
  fails('invalid-model', /w\.bin/, () => open(model));
});

test('strings go in and out', () => {
  const join_ = { op: 'StringConcat', inputs: ['x', 'y'], outputs: ['z'] };
  const session = open(modelOf([join_], { x: 'string[n]', y: 'string[n]' }, { z: 'string[n]' }));
  const { z } = run(session, { x: tensor(strings('zwei', '')), y: tensor(strings(' Häuser', '☂')) });
  assert.equal(z.val.elementType(), 'string');
  assert.deepEqual(z.val.strings(), ['zwei Häuser', '☂']);
});

test('sequences go in and out', () => {
  const pair = { op: 'SequenceConstruct', inputs: ['x', 'y'], outputs: ['s'] };
  const made = open(modelOf([pair], { x: 'float32', y: 'float32' }, { s: 'sequence(float32)' }));
  const { s } = run(made, { x: tensor(floats([1, 2])), y: tensor(floats([3])) });
  assert.equal(s.tag, 'sequence');
  assert.deepEqual(
    s.val.map((each) => numbers(tensor(each))),
    [[1, 2], [3]],
  );
  const concat = { op: 'ConcatFromSequence', inputs: ['s'], outputs: ['z'], attributes: { axis: 0 } };
  const used = open(modelOf([concat], { s: 'sequence(float32)' }, { z: 'float32' }));
  assert.deepEqual(numbers(run(used, { s }).z), [1, 2, 3]);
});

test('dictionaries go in and out', () => {
  const domain = 'ai.onnx.ml';
  const zip = { op: 'ZipMap', domain, inputs: ['x'], outputs: ['m'], attributes: { classlabels_strings: ['a', 'b'] } };
  const zipped = open(modelOf([zip], { x: 'float32[n,2]' }, { m: 'sequence(map(string,float32))' }));
  const { m } = run(zipped, { x: tensor(floats([1, 2, 3, 4], [2, 2])) });
  assert.equal(m.tag, 'dictionaries');
  assert.deepEqual(
    m.val.map(({ keys, values }) => [keys.strings(), numbers(tensor(values))]),
    [
      [
        ['a', 'b'],
        [1, 2],
      ],
      [
        ['a', 'b'],
        [3, 4],
      ],
    ],
  );
  const attributes = { string_vocabulary: ['b', 'c', 'a'] };
  const vectorize = { op: 'DictVectorizer', domain, inputs: ['m'], outputs: ['v'], attributes };
  const vectorized = open(modelOf([vectorize], { m: 'map(string,float32)' }, { v: 'float32' }));
  const [dictionary, other] = m.val;
  assert.deepEqual(numbers(run(vectorized, { m: { tag: 'dictionary', val: dictionary } }).v), [2, 0, 1]);
  fails('type-mismatch', /'m'/, () => run(vectorized, { m: { tag: 'dictionaries', val: [other] } }));
  const uneven = { keys: strings('a'), values: floats([1, 2]) };
  fails('invalid-argument', /same length/, () => run(vectorized, { m: { tag: 'dictionary', val: uneven } }));
});
