// Adds up what a section of ./dev test has found: node tools/results.mjs LOG FOLDER
// FOLDER holds the JUnit files that Catch2, node --test and Vitest have written. LOG is what was printed: programs of our
// own end with "N passed, N failed" or "N passed, N failed, N skipped". Prints "PASSED FAILED SKIPPED".
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const attributes = '(?:\\s+[\\w:.-]+\\s*=\\s*(?:"[^"]*"|\'[^\']*\'))*\\s*';
const testCase = new RegExp(`<testcase${attributes}(?:/>|>([\\s\\S]*?)</testcase>)`, 'g');

/** The test cases of a JUnit file, each once, whatever its suites say of their totals. */
export function countJUnit(xml) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const text = xml.replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, '');
  for (const [, content = ''] of text.matchAll(testCase)) {
    counts[/<(failure|error)\b/.test(content) ? 'failed' : /<skipped\b/.test(content) ? 'skipped' : 'passed'] += 1;
  }
  return counts;
}

/** The closing lines of our own programs. */
export function countLog(log) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, skipped = 0] of log.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(skipped);
  }
  return counts;
}

export function count(log, folder) {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.xml')) : [];
  const all = files.map((name) => countJUnit(readFileSync(`${folder}/${name}`, 'utf8')));
  all.push(countLog(readFileSync(log, 'utf8')));
  const sum = (kind) => all.reduce((total, counts) => total + counts[kind], 0);
  return [sum('passed'), sum('failed'), sum('skipped')];
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(count(argv[2], argv[3]).join(' '));
