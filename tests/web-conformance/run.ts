// ONNX's backend tests through the package's public interface, counted as `neuromancer check` counts them:
//   node run.ts --target wasm|wasm-relaxed|wasm-threads|wasm-relaxed-threads|wasm64|chromium [--skip FILE] [--quiet] DIR…
// Cases that the list FILE names run all the same, and fail when they pass, so that the list only shrinks.
import { parseArgs } from 'node:util';
import type { Artefact } from 'neuromancer';
import { findCases, readSkips } from './folders.ts';
import { inChromium, inNode } from './hosts.ts';

const { values: options, positionals: folders } = parseArgs({
  allowPositionals: true,
  options: {
    target: { type: 'string' },
    skip: { type: 'string' },
    quiet: { type: 'boolean', default: false },
  },
});
if (options.target === undefined) throw new Error('--target is missing: the name of an artefact, or chromium');

const skips = options.skip === undefined ? new Map<string, string>() : readSkips(options.skip);
const cases = findCases(folders);
const counts = { passed: 0, FAILED: 0, skipped: 0 };

function judge(name: string, reason: string | undefined): [keyof typeof counts, string | undefined] {
  const skip = skips.get(name);
  if (skip === undefined) return [reason === undefined ? 'passed' : 'FAILED', reason];
  return reason === undefined ? ['FAILED', `passes now: take it off the list ${options.skip}`] : ['skipped', skip];
}

const results = options.target === 'chromium' ? inChromium(cases) : inNode(cases, options.target as Artefact);
for await (const { name, reason } of results) {
  const [outcome, why] = judge(name, reason);
  counts[outcome] += 1;
  if (!options.quiet || outcome === 'FAILED') {
    console.log(`${outcome.padEnd(7)} ${name}${why === undefined ? '' : `: ${why}`}`);
  }
}
console.log(`${counts.passed} passed, ${counts.FAILED} failed, ${counts.skipped} skipped`);
process.exitCode = counts.FAILED > 0 || cases.length === 0 ? 1 : 0;
