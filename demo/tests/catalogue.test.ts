import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
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
    const channels = model.input.channels === 'gray' ? 1 : 3;
    expect(model.input.mean).toHaveLength(channels);
    expect(model.input.scale).toHaveLength(channels);
    expect(model.input.width * model.input.height).toBeGreaterThan(0);
  });

  test('names labels that exist', () => {
    if (model.labels === null) return;
    const known = Object.hasOwn(catalogue.labels, model.labels) || existsSync(new URL(model.labels, folder));
    expect(known).toBe(true);
  });

  const file = model.file === undefined ? modelFile(model.name) : new URL(model.file, folder);
  const missing = model.file === undefined ? whyWithout(model.name) : '';
  test.skipIf(missing !== '')(`has the size and the digest of its file${missing}`, () => {
    const bytes = readFileSync(file);
    expect(bytes.byteLength).toBe(model.bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(model.sha256);
  });
});
