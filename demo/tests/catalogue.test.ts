import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { imageTensor } from 'neuromancer/image';
import { describe, expect, test } from 'vitest';
import catalogue from '../../models/catalogue.json';
import { modelFile, whyWithout } from '../../models/folder.ts';
import type { CatalogueModel } from '../src/catalogue.ts';

const models = catalogue.models as CatalogueModel[];
const folder = new URL('../../models/', import.meta.url);

describe.each(models)('$name', (model) => {
  test('says everything that is needed to load and feed it', () => {
    expect(model.title && model.description && model.licence).toBeTruthy();
    expect(['draw', 'classify', 'faces', 'objects']).toContain(model.task);
    expect(model.bytes).toBeGreaterThan(0);
    expect(model.sha256).toMatch(/^[0-9a-f]{64}$/);
    // Shipped, or at a public address that cannot change.
    if (model.file === undefined) {
      expect(model.url).toMatch(/^https:\/\/raw\.githubusercontent\.com\/[^/]+\/[^/]+\/[0-9a-f]{40}\/.+\.onnx$/);
    }
    expect(model.input.size.width * model.input.size.height).toBeGreaterThan(0);
  });

  test('has an input that neuromancer/image takes', async () => {
    const { size, layout, channels } = model.input;
    const gray = { width: 2, height: 1, data: Uint8Array.of(0, 255) };
    const { shape } = await imageTensor(gray, model.input);
    const count = channels === 'gray' ? 1 : 3;
    expect(shape).toEqual(
      layout === 'nhwc' ? [1, size.height, size.width, count] : [1, count, size.height, size.width],
    );
  });

  test('names labels that exist', () => {
    if (model.labels === null) return;
    const file = model.labels.endsWith('.txt') ? `labels/${model.labels}` : model.labels;
    expect(existsSync(new URL(file, folder))).toBe(true);
  });

  const file = model.file === undefined ? modelFile(model.name) : new URL(model.file, folder);
  const missing = model.file === undefined ? whyWithout(model.name) : '';
  test.skipIf(missing !== '')(`has the size and the digest of its file${missing}`, () => {
    const bytes = readFileSync(file);
    expect(bytes.byteLength).toBe(model.bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(model.sha256);
  });
});
