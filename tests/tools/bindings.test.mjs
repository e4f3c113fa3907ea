// The bindings of components are those of their WIT files.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { generate, sumOf, worlds } from '../../component/generate.mjs';

function generator() {
  try {
    return execFileSync('wit-bindgen', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

for (const { world, folder } of worlds) {
  test(`the bindings of the world ${world} are of the WIT files as they are`, () => {
    const kept = readFileSync(join(folder, 'bindings', 'wit.sha256'), 'utf8');
    assert.equal(kept, sumOf(folder), 'generate them again: node component/generate.mjs');
  });

  const version = 'wit-bindgen-cli 0.63.0';
  const skip = generator() !== version && `${version} is not on PATH`;
  test(`the bindings of the world ${world} are what wit-bindgen makes`, { skip }, () => {
    const target = mkdtempSync(join(tmpdir(), 'bindings-'));
    try {
      generate({ world, folder }, target);
      const names = readdirSync(target).sort();
      assert.deepEqual(
        readdirSync(join(folder, 'bindings'))
          .filter((name) => !name.startsWith('.'))
          .sort(),
        names,
      );
      for (const name of names) {
        assert.equal(readFileSync(join(target, name), 'utf8'), readFileSync(join(folder, 'bindings', name), 'utf8'));
      }
    } finally {
      rmSync(target, { recursive: true });
    }
  });
}
