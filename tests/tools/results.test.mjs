// What ./dev test adds up.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { count, countJUnit, countLog } from '../../tools/results.mjs';

test('cases are counted, not what suites say', () => {
  const xml = `<?xml version="1.0"?>
    <testsuites tests="99"><testsuite name="a" tests="50" failures="7">
      <testcase classname="x" name="1 > 0" time="0.1"/>
      <testcase name="said &quot;no&quot;"><failure message="no">&lt;testcase/&gt;</failure></testcase>
      <testcase name="broke"><system-out><![CDATA[<testcase name="printed"/><skipped/>]]></system-out><error/></testcase>
      <testcase name="later"><skipped type="todo"/></testcase>
      <testcase
        name="over lines"
      >
        <system-out>3 passed, 1 failed</system-out>
      </testcase>
    </testsuite></testsuites>`;
  assert.deepEqual(countJUnit(xml), { passed: 2, failed: 2, skipped: 1 });
  assert.deepEqual(countJUnit('<testsuites tests="3"/>'), { passed: 0, failed: 0, skipped: 0 });
});

test('closing lines of our own programs are lines of their own', () => {
  assert.deepEqual(countLog('12 passed, 1 failed, 3 skipped\nsaid: 5 passed, 0 failed\n7 passed, 0 failed\n'), {
    passed: 19,
    failed: 1,
    skipped: 3,
  });
});

test('a section is all its files and its log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'results-'));
  try {
    writeFileSync(join(folder, 'log'), '1 passed, 2 failed\n');
    writeFileSync(join(folder, 'a.xml'), '<testsuite><testcase name="a"/></testsuite>');
    writeFileSync(join(folder, 'b.xml'), '<testsuite><testcase name="b"><skipped/></testcase></testsuite>');
    assert.deepEqual(count(join(folder, 'log'), folder), [2, 2, 1]);
    assert.deepEqual(count(join(folder, 'log'), join(folder, 'none')), [1, 2, 0]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
