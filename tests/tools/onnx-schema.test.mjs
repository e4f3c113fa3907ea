// The schema that the ONNX models of tests and exporters are read and written with is the published one.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generated, target } from '../../models/onnx/schema.mjs';

const prefix = process.env.NM_PREFIX;
const skip = prefix === undefined && 'NM_PREFIX names no folder with the published schema';

test('models/onnx/schema.json is fresh; after a new version of ONNX run node models/onnx/schema.mjs', { skip }, () => {
  const published = JSON.parse(JSON.stringify(generated(join(prefix, 'onnx'))));
  assert.deepEqual(JSON.parse(readFileSync(target, 'utf8')), published);
});
