// The command line program: its help, and which files it opens for a model that comes from a stranger.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encoded, numberOf } from '../../models/onnx/messages.ts';

const program = process.env.NM_CLI;

/** What runs a program of another machine: Node for WebAssembly, an emulator. */
const emulator = program.endsWith('.js') ? process.execPath : process.env.NM_EMULATOR;

function run(...args) {
  const command = [...(emulator ? [emulator] : []), program, ...args];
  const { status, stdout, stderr } = spawnSync(command[0], command.slice(1), { encoding: 'utf8', timeout: 60_000 });
  return { status, stdout, stderr };
}

describe('help', () => {
  for (const command of [
    'run',
    'bench',
    'profile',
    'inspect',
    'pack',
    'needs',
    'passes',
    'diff',
    'check',
    'operators',
  ]) {
    for (const flag of ['--help', '-h']) {
      test(`${command} ${flag} prints the help of that command`, () => {
        const { status, stdout, stderr } = run(command, flag);
        assert.equal(status, 0);
        assert.equal(stderr, '');
        assert.match(stdout, new RegExp(`^  neuromancer ${command} `));
        assert.equal(stdout.match(/^ {2}neuromancer /gm).length, 1);
      });
    }
  }

  test('after other arguments too', () => {
    assert.match(run('run', 'none.onnx', '--threads', '2', '--help').stdout, /^ {2}neuromancer run /);
  });

  test('of all commands comes without one', () => {
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      const { status, stdout } = run(...args);
      assert.equal(status, 0);
      assert.equal(stdout.match(/^ {2}neuromancer /gm).length, 11);
    }
  });

  test('goes to standard error for a command that there is none of', () => {
    const { status, stdout, stderr } = run('walk');
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /no command 'walk'/);
  });
});

const native = !/\.(js|wasm)$/.test(program);
test('needs prints what a reduced build must have', { skip: native ? false : 'natively only' }, () => {
  const { status, stdout } = run(
    'needs',
    fileURLToPath(new URL('../../models/handwriting/handwriting.onnx', import.meta.url)),
  );
  assert.equal(status, 0);
  const lines = stdout.trim().split('\n');
  // The passes have put Relu into the convolutions.
  assert.deepEqual(
    lines.filter((line) => /Conv|Relu|Softmax/.test(line)),
    ['NM_SELECTED_OPERATOR("", "Conv")', 'NM_SELECTED_OPERATOR("", "Softmax")'],
  );
  assert.deepEqual(
    lines.filter((line) => line.startsWith('NM_SELECTED_TYPE')),
    ['NM_SELECTED_TYPE(1)', 'NM_SELECTED_TYPE(7)'],
  );
  // No activation and Relu, of those that convolutions take; Winograd's form of convolutions.
  assert.deepEqual(
    lines.filter((line) => /FUNCTION|PART/.test(line)),
    ['NM_SELECTED_FUNCTION(0)', 'NM_SELECTED_PART(0)', 'NM_SELECTED_FUNCTION(13)'],
  );
});

const float = numberOf('TensorProto.DataType', 'FLOAT');

function modelOf(graph) {
  return encoded('ModelProto', {
    ir_version: 8,
    graph: { name: 'graph', ...graph },
    opset_import: [{ domain: '', version: 17 }],
  });
}

/** y = a float32[2] that lies in the file `location`. */
function modelWithDataIn(location) {
  const external = { external_data: [{ key: 'location', value: location }], data_location: 'EXTERNAL' };
  return modelOf({
    node: [{ op_type: 'Identity', input: ['w'], output: ['y'] }],
    initializer: [{ name: 'w', dims: [2], data_type: float, ...external }],
    output: [{ name: 'y', type: { tensor_type: { elem_type: float } } }],
  });
}

describe('pack', () => {
  const root = mkdtempSync(join(tmpdir(), 'neuromancer-pack-'));
  const [model, packed] = [join(root, 'model.onnx'), join(root, 'model.nm')];

  const weights = () => writeFileSync(join(root, 'w'), Buffer.from(Float32Array.of(1.5, 2.5).buffer));
  before(() => {
    weights();
    writeFileSync(model, modelWithDataIn('w'));
  });
  after(() => rmSync(root, { recursive: true }));

  test('writes a file that every command takes, with the external data inside', () => {
    const { status, stdout, stderr } = run('pack', model, '-o', packed);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /model\.nm: \d+ bytes, \d+ nodes/);
    rmSync(join(root, 'w'));
    assert.match(run('run', packed).stdout, /^y: float32\[2\] = 1.5, 2.5/);
    assert.equal(run('bench', '--runs', '1', packed).status, 0);
    assert.match(
      run('inspect', packed).stdout,
      /^graph, written by .*packed\noperator set ai\.onnx 17\noutput y: float32/,
    );
  });

  test('is refused with a sentence where it makes no sense', () => {
    weights();
    for (const [args, why] of [
      [['pack', packed, '-o', join(root, 'again.nm')], /packed already/],
      [['pack', model], /give one model and the file to write/],
      [['pack', model, '-o', packed, '--shapes', 'batch'], /not of the form batch=1/],
      [['pack', model, '-o', packed, '--shapes', 'batch=1'], /has no dimension 'batch'/],
      [['passes', packed], /optimised when it was packed/],
    ]) {
      const { status, stderr } = run(...args);
      assert.equal(status, 1);
      assert.match(stderr, why);
    }
  });
});

describe('diff', () => {
  const root = mkdtempSync(join(tmpdir(), 'neuromancer-diff-'));
  const [model, other, image] = ['model', 'other', 'image'].map((name) => join(root, `${name}.onnx`));
  const node = (op_type, input, output) => ({ op_type, name: `${op_type}_of_${output}`, input, output: [output] });
  const weight = (name, dims, data) => ({
    name,
    dims,
    data_type: float,
    raw_data: Buffer.from(Float32Array.from(data).buffer),
  });
  const value = (name, ...dims) => ({
    name,
    type: { tensor_type: { elem_type: float, shape: { dim: dims.map((dim_value) => ({ dim_value })) } } },
  });
  /** y = (x·u)·v·u */
  const chain = (v) =>
    modelOf({
      node: [node('MatMul', ['x', 'u'], 'a'), node('MatMul', ['a', 'v'], 'b'), node('MatMul', ['b', 'u'], 'y')],
      initializer: [weight('u', [2, 2], [1, 2, 3, 5]), weight('v', [2, 2], [1, 0, 0, v])],
      input: [value('x', 1, 2)],
      output: [value('y', 1, 2)],
    });

  before(() => {
    writeFileSync(model, chain(2));
    writeFileSync(other, chain(2.5));
    const kernel = Array.from({ length: 81 }, (_, i) => Math.sin(i));
    const images = modelOf({
      node: [node('Conv', ['x', 'k'], 'a'), node('Conv', ['a', 'k'], 'y')],
      initializer: [weight('k', [3, 3, 3, 3], kernel)],
      input: [value('x', 1, 3, 8, 8)],
      output: [value('y', 1, 3, 4, 4)],
    });
    writeFileSync(image, images);
  });
  after(() => rmSync(root, { recursive: true }));

  test('says that a model agrees with itself without passes, images with the channels last too', () => {
    for (const [file, count] of [
      [model, 3],
      [image, 2],
    ]) {
      const { status, stdout, stderr } = run('diff', file);
      assert.equal(status, 0, stderr);
      assert.equal(stdout, `all ${count} values that both have agree\n`);
    }
  });

  test('names the first value that differs from another model', () => {
    const { status, stderr } = run('diff', other, '--reference', model);
    assert.equal(status, 1);
    assert.match(stderr, /'b', of MatMul 'MatMul_of_b', is the first that differs: it is float32\[1,2\]/);
    assert.match(stderr, /in \[0,1\]: .* where .* is right; the last one before that agrees is 'a'/);
    assert.equal(run('diff', other, '--reference', model, '--tolerance', '0.5').status, 0);
  });

  test('needs models that have something in common', () => {
    const { status, stderr } = run('diff', model, '--reference', image);
    assert.equal(status, 1);
    assert.doesNotMatch(stderr, /agree/);
    assert.match(run('diff').stderr, /give one model file/);
  });
});

describe('external data', { skip: process.platform === 'win32' }, () => {
  const root = mkdtempSync(join(tmpdir(), 'neuromancer-cli-'));
  const folder = join(root, 'models');
  const model = join(folder, 'model.onnx');
  const data = Buffer.from(Float32Array.of(1.5, 2.5).buffer);

  before(() => {
    mkdirSync(join(folder, 'sub'), { recursive: true });
    mkdirSync(join(root, 'elsewhere'));
    writeFileSync(join(root, 'elsewhere', 'secret'), data);
    writeFileSync(join(folder, 'inside'), data);
    writeFileSync(join(folder, 'sub', 'inside'), data);
    symlinkSync('inside', join(folder, 'link-inside'));
    symlinkSync('../elsewhere/secret', join(folder, 'link-out'));
    symlinkSync('../elsewhere', join(folder, 'folder-out'));
    symlinkSync('link-out', join(folder, 'link-to-link'));
    symlinkSync(join(root, 'none'), join(folder, 'link-to-nothing'));
    symlinkSync('/dev/zero', join(folder, 'device'));
  });
  after(() => rmSync(root, { recursive: true }));

  for (const location of ['inside', './inside', 'sub/inside', 'sub/../inside', 'link-inside']) {
    test(`in the model's folder is read: ${location}`, () => {
      writeFileSync(model, modelWithDataIn(location));
      assert.match(run('run', model).stdout, /^y: float32\[2\] = 1.5, 2.5/);
    });
  }

  for (const location of [
    '../elsewhere/secret',
    'sub/../../elsewhere/secret',
    join(root, 'elsewhere', 'secret'),
    'link-out',
    'folder-out/secret',
    'link-to-link',
    'link-to-nothing',
    'device',
    '',
    '/etc/passwd',
  ]) {
    test(`elsewhere is refused: "${location}"`, () => {
      writeFileSync(model, modelWithDataIn(location));
      for (const command of ['run', 'inspect', 'bench']) {
        const { status, stdout, stderr } = run(command, model);
        assert.ok(status === 1 || command === 'inspect', stderr);
        assert.doesNotMatch(stdout, /1\.5/);
        assert.match(`${stdout}${stderr}`, /leads out of the model's folder|external data/);
      }
    });
  }

  test('beside a model that is a link, as caches keep them, is read', () => {
    mkdirSync(join(root, 'blobs'));
    mkdirSync(join(root, 'snapshot'));
    writeFileSync(join(root, 'blobs', 'aa'), modelWithDataIn('weights'));
    writeFileSync(join(root, 'blobs', 'bb'), data);
    symlinkSync('../blobs/aa', join(root, 'snapshot', 'model.onnx'));
    symlinkSync('../blobs/bb', join(root, 'snapshot', 'weights'));
    assert.match(run('run', join(root, 'snapshot', 'model.onnx')).stdout, /^y: float32\[2\] = 1.5, 2.5/);
  });

  const pipe = join(root, 'pipe');
  for (const [what, path] of [
    ['a pipe', pipe],
    ['a device', '/dev/zero'],
    ['a folder', root],
  ]) {
    test(`${what} is no model and no input`, () => {
      if (path === pipe) execFileSync('mkfifo', [pipe]);
      writeFileSync(model, modelWithDataIn('inside'));
      for (const command of ['run', 'inspect']) {
        const { status, stderr } = run(command, path);
        assert.equal(status, 1);
        assert.match(stderr, /no regular file/);
      }
    });
  }

  test('in a pipe is refused', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    writeFileSync(model, modelWithDataIn('pipe'));
    const { status, stderr } = run('run', model);
    assert.equal(status, 1);
    assert.match(stderr, /no regular file/);
  });

  test('that is not there is named', () => {
    writeFileSync(model, modelWithDataIn('absent'));
    assert.match(run('run', model).stderr, /absent/);
  });
});

describe('passes', () => {
  const model = new URL('../../models/handwriting/handwriting.onnx', import.meta.url).pathname;

  test('shows every pass with the steps it leaves and what it changes in the outputs', () => {
    const { status, stdout, stderr } = run('passes', model);
    assert.equal(stderr, '');
    assert.equal(status, 0);
    const rows = stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s{2,}/));
    assert.deepEqual(rows[0].slice(0, 1), ['(no pass)']);
    for (const pass of ['fuse_activation', 'channels_last', 'fuse_elementwise']) {
      assert.ok(
        rows.some(([name]) => name === pass),
        `${pass} is missing`,
      );
    }
    for (const [name, , difference] of rows.slice(1)) assert.ok(Number(difference) < 1e-5, `${name}: ${difference}`);
    assert.ok(Number(rows.at(-1)[1]) < Number(rows[0][1]), 'the passes leave fewer steps');
  });

  test('takes one model', () => {
    assert.match(run('passes').stderr, /give one model file/);
  });
});
