import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { modelFile, modelsFolder } from '../../models/folder.ts';
import { decoderOnly, nextWord } from '../../web/tests/toy-decoders.ts';
import { letters, tokenizerConfig, tokenizerFile } from '../../web/tests/toy-tokenizer.ts';
import { three } from '../drawn-three.ts';
import { browsers, type Driver } from './drivers.ts';

const root = new URL('../../', import.meta.url);
const without = modelsFolder === undefined ? ' (skipped: NM_MODELS names no folder)' : '';

type Points = readonly (readonly [number, number])[];

/** Digits as a mouse draws them: corners, no curves. */
const digits: Record<string, Points[]> = {
  0: [
    [
      [0.5, 0.2],
      [0.35, 0.3],
      [0.3, 0.5],
      [0.36, 0.7],
      [0.5, 0.8],
      [0.64, 0.7],
      [0.7, 0.5],
      [0.65, 0.3],
      [0.5, 0.2],
    ],
  ],
  1: [
    [
      [0.38, 0.34],
      [0.52, 0.2],
      [0.52, 0.82],
    ],
  ],
  2: [
    [
      [0.3, 0.32],
      [0.4, 0.2],
      [0.58, 0.2],
      [0.66, 0.34],
      [0.58, 0.5],
      [0.3, 0.8],
      [0.7, 0.8],
    ],
  ],
  3: [three],
  4: [
    [
      [0.36, 0.2],
      [0.3, 0.56],
      [0.7, 0.56],
    ],
    [
      [0.6, 0.3],
      [0.6, 0.84],
    ],
  ],
  5: [
    [
      [0.38, 0.2],
      [0.35, 0.48],
      [0.52, 0.44],
      [0.66, 0.54],
      [0.66, 0.7],
      [0.52, 0.82],
      [0.32, 0.76],
    ],
    [
      [0.38, 0.2],
      [0.66, 0.2],
    ],
  ],
  6: [
    [
      [0.6, 0.18],
      [0.42, 0.36],
      [0.33, 0.6],
      [0.38, 0.78],
      [0.54, 0.84],
      [0.66, 0.72],
      [0.62, 0.58],
      [0.48, 0.54],
      [0.35, 0.64],
    ],
  ],
  7: [
    [
      [0.3, 0.22],
      [0.7, 0.22],
      [0.45, 0.84],
    ],
  ],
  8: [
    [
      [0.62, 0.28],
      [0.5, 0.18],
      [0.38, 0.28],
      [0.42, 0.42],
      [0.6, 0.56],
      [0.66, 0.7],
      [0.54, 0.84],
      [0.4, 0.8],
      [0.36, 0.66],
      [0.56, 0.46],
      [0.62, 0.28],
    ],
  ],
  9: [
    [
      [0.64, 0.34],
      [0.52, 0.2],
      [0.36, 0.28],
      [0.38, 0.46],
      [0.54, 0.5],
      [0.64, 0.36],
      [0.62, 0.6],
      [0.56, 0.84],
    ],
  ],
};

/** The digits to draw in each browser. */
const drawn: Record<string, string[]> = { Chromium: Object.keys(digits), Firefox: ['3', '7'] };

const text = (selector: string) => `document.querySelector(${JSON.stringify(selector)})?.textContent ?? ''`;
const sample = (name: string) => `button[title="${name}"]`;

test('the API reference is beside the site', async () => {
  const page = await fetch(new URL('reference/classes/index.Session.html', inject('site')));
  expect(await page.text()).toContain('Runs the model on a value per input');
});

for (const { name, path, start } of browsers) {
  const absent = path === undefined ? ' (skipped: not installed)' : '';
  describe.skipIf(path === undefined)(`${name}${absent}`, () => {
    let browser: Driver;
    const site = inject('site');
    const folder = mkdtempSync(join(tmpdir(), 'neuromancer-'));

    beforeAll(async () => {
      browser = await start(path as string);
    });
    afterEach(() => {
      expect(browser.errors.splice(0)).toEqual([]);
    });
    afterAll(async () => {
      await browser?.close();
      rmSync(folder, { recursive: true });
    });

    /** Chooses a task on the picture page and waits for its network's first result. */
    async function openVision(task: string): Promise<void> {
      await browser.open(`${site}#/vision`);
      await browser.waitFor('.vision[data-ready=true]');
      if (task === 'classify') return;
      await browser.evaluate(`document.querySelector('input[value=${task}]').click()`);
      await browser.waitFor('.vision[data-ready=true]');
    }

    /** Shows a sample picture and returns the headline of its result. */
    async function see(picture: string, rows: string): Promise<string> {
      await browser.evaluate('void (document.querySelector(".vision").dataset.ready = "false")');
      await browser.click(sample(picture));
      await browser.waitFor('.vision[data-ready=true]');
      expect(
        await browser.evaluate<number>(`document.querySelectorAll(${JSON.stringify(rows)}).length`),
      ).toBeGreaterThan(0);
      return browser.evaluate(text('.headline'));
    }

    async function inspect(bytes: Uint8Array, file: string): Promise<void> {
      await browser.open(`${site}#/model`);
      await browser.waitFor('.inspect');
      writeFileSync(join(folder, file), bytes);
      await browser.upload('.inspect input[type=file]', join(folder, file));
    }

    test('the site is cross-origin isolated, and the model runs on several threads where there are processors', async () => {
      await browser.open(site);
      expect(await browser.evaluate('crossOriginIsolated')).toBe(true);
      await browser.waitFor('.draw[data-ready=true]');
      const threads = Math.min(4, await browser.evaluate<number>('navigator.hardwareConcurrency'));
      expect(await browser.evaluate(text('.chip'))).toMatch(new RegExp(`SIMD · ${threads} thread`));
    });

    test.each(drawn[name] as string[])('a drawn %s is read as one', async (digit) => {
      await browser.open(site);
      await browser.waitFor('.draw[data-ready=true]');
      for (const stroke of digits[digit] as Points[]) await browser.drag('.pad canvas', stroke);
      await browser.waitFor('.guess:not(.unknown)');
      // The last stroke's result may still be on its way.
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await browser.evaluate(text('.guess'))).toBe(digit);
    });

    test('the pad can be drawn on with the keyboard', async () => {
      await browser.open(site);
      await browser.waitFor('.draw[data-ready=true]');
      await browser.evaluate(`{
        const pad = document.querySelector('.pad canvas');
        const press = (key) => pad.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        press(' ');
        for (let i = 0; i < 18; i++) press('ArrowDown');
      }`);
      await browser.waitFor('.guess:not(.unknown)');
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await browser.evaluate(text('.guess'))).toBe('1');
    });

    test.skipIf(without !== '')(`pictures are named rightly${without}`, async () => {
      await openVision('classify');
      expect(await see('chelsea cat', '.ranking li')).toMatch(/^(Egyptian cat|tabby|tiger cat)$/);
      expect(await see('coffee', '.ranking li')).toBe('espresso');
      expect(await browser.evaluate(text('.vision-result .facts'))).toMatch(/Latency\d/);
    });

    test.skipIf(without !== '')(`faces are found${without}`, async () => {
      await openVision('faces');
      expect(await see('grace hopper', '.ranking li')).toBe('1 face');
      expect(await see('astronaut', '.ranking li')).toBe('1 face');
    });

    test.skipIf(without !== '')(`objects are found${without}`, async () => {
      await openVision('objects');
      expect(await see('coffee', '.ranking li')).toContain('cup');
      expect(await see('astronaut', '.ranking li')).toContain('person');
    });

    test.skipIf(without !== '')(`a file that is no model changes nothing${without}`, async () => {
      await openVision('classify');
      writeFileSync(join(folder, 'letter.onnx'), 'Dear all');
      await browser.upload('.custom-model input[type=file]', join(folder, 'letter.onnx'));
      await browser.waitFor('.vision-result .notice-error');
      expect(await browser.evaluate(text('.notice-error'))).toContain(
        'letter.onnx could not be loaded; the model before',
      );
      expect(await see('coffee', '.ranking li')).toBe('espresso');
      expect(await browser.evaluate(text('.notice'))).toBe('');
    });

    test.skipIf(without !== '')(`the models come from the site itself${without}`, async () => {
      await openVision('classify');
      const sources = 'performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin)';
      expect(await browser.evaluate(`[...new Set(${sources})]`)).toEqual([new URL(site).origin]);
    });

    test('a tap on the pad is nothing to read', async () => {
      await browser.open(site);
      await browser.waitFor('.draw[data-ready=true]');
      await browser.drag('.pad canvas', [[0.4, 0.4]]);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await browser.evaluate(text('.guess'))).toBe('?');
      expect(await browser.evaluate(text('.certainty'))).toContain('A dot could be anything');
    });

    test('the chosen theme stays', async () => {
      await browser.open(site);
      await browser.waitFor('header button.bare');
      const theme = 'document.documentElement.dataset.theme ?? ""';
      expect(await browser.evaluate(theme)).toBe('');
      await browser.click('header button.bare');
      const chosen = await browser.evaluate<string>(theme);
      await browser.open(site);
      await browser.waitFor('header button.bare');
      expect(chosen).toMatch(/^(dark|light)$/);
      expect(await browser.evaluate(theme)).toBe(chosen);
      await browser.evaluate('localStorage.clear()');
    });

    test('every page fits a narrow screen, and the buttons a low one', async () => {
      const beyond = '(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.documentElement)';
      try {
        for (const page of ['draw', 'vision', 'write', 'model', 'guide']) {
          await browser.resize(320, 640);
          await browser.open(`${site}#/${page}`);
          await browser.waitFor('main h1');
          expect(await browser.evaluate(beyond), page).toBe(0);
        }
        await browser.resize(1280, 800);
        await browser.open(site);
        await browser.waitFor('.draw .toolbar');
        const low =
          'Math.max(...[...document.querySelectorAll(".draw-pad .toolbar button")].map((b) => b.getBoundingClientRect().bottom))';
        expect(await browser.evaluate<number>(low)).toBeLessThan(800);
        const pad =
          '(({ width, height }) => Math.abs(width - height))(document.querySelector(".pad").getBoundingClientRect())';
        expect(await browser.evaluate<number>(pad)).toBeLessThan(1);
      } finally {
        await browser.resize(1280, 900);
      }
    });

    test.skipIf(without !== '')(`weights in a file of their own come with the model${without}`, async () => {
      await browser.open(`${site}#/model`);
      await browser.waitFor('.inspect');
      const files = ['model.onnx', 'mnist.onnx.data'].map((name) => modelFile('mnist-external-data', name));
      await browser.upload('.inspect input[type=file]', ...files.map((file) => fileURLToPath(file)));
      await browser.waitFor('.operator-chips');
      await browser.click('.run-form button');
      await browser.waitFor('.profile .strip i');
    });

    test.skipIf(without !== '')(`a number can be given, sizes each by itself${without}`, async () => {
      await inspect(readFileSync(modelFile('silero-vad-v6')), 'silero.onnx');
      await browser.waitFor('.run-form');
      const labels = '[...document.querySelectorAll(".run-form label")].map(({ textContent }) => textContent)';
      expect(await browser.evaluate(labels)).toEqual(['input, axis 0', 'input, axis 1', 'state, axis 1', 'sr (value)']);
      await browser.evaluate(`{
        const inputs = document.querySelectorAll('.run-form input');
        inputs[1].value = '576';
        inputs[3].value = '16000';
      }`);
      await browser.click('.run-form button');
      await browser.waitFor('.profile .strip i');
      expect(await browser.evaluate(text('.results'))).toContain('float32[2,1,128]');
    });

    test.skipIf(without !== '')(`a run that takes long can be stopped${without}`, async () => {
      await inspect(readFileSync(modelFile('style-candy')), 'candy.onnx');
      await browser.waitFor('.run-form input');
      await browser.evaluate(`document.querySelectorAll('.run-form input').forEach((input, i) => {
        input.value = i === 0 ? '1' : '1200';
      })`);
      await browser.click('.run-form button');
      await browser.waitFor('.notice-progress button');
      await browser.click('.notice-progress button');
      await browser.waitFor('.notice:empty + .report .run-form button:enabled');
      expect(await browser.evaluate(text('.results'))).toBe('');
    });

    test('a whole model is described, run and timed step by step', async () => {
      await inspect(readFileSync(new URL('models/handwriting/handwriting.onnx', root)), 'handwriting.onnx');
      await browser.waitFor('.operator-chips');
      expect(await browser.evaluate(text('.operator-chips'))).toContain('Conv 3');
      await browser.click('.run-form button');
      await browser.waitFor('.profile .strip i');
      expect(await browser.evaluate(text('.results'))).toContain('float32[1,36]');
    });

    test('a conversation with a language model whose files the visitor chose', async () => {
      const files = {
        'model.onnx': decoderOnly,
        'tokenizer.json': JSON.stringify(tokenizerFile),
        'tokenizer_config.json': JSON.stringify(tokenizerConfig),
      };
      for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
      await browser.open(`${site}#/write`);
      await browser.waitFor('.write');
      await browser.upload('.write input[type=file]', join(folder, 'model.onnx'));
      await browser.waitFor('.notice-error');
      expect(await browser.evaluate(text('.notice-error'))).toContain('tokenizer_config.json');
      await browser.upload('.write input[type=file]', ...Object.keys(files).map((file) => join(folder, file)));
      await browser.waitFor('.write[data-ready=true]');
      // Something to which the model's answer is not its last word at once.
      const prompt = (said: string) => [18, 20, ...[...said].map((letter) => letters.indexOf(letter)), 19, 21];
      const first = letters.find((letter) => nextWord(prompt(letter)) < letters.length);
      for (const said of [first, 'dad']) {
        await browser.evaluate(`void (document.querySelector('#write-text').value = ${JSON.stringify(said)})`);
        await browser.click('.write-form button[type=submit]');
        if (said === first) await browser.waitFor('.conversation .assistant p:not(:empty)');
        // It writes on until it is stopped, or says its last word.
        await browser.evaluate("document.querySelectorAll('.write-form .toolbar button')[1].click()");
        await browser.waitFor('.write[data-writing=false]');
      }
      const lines = '[...document.querySelectorAll(".conversation li")].map(({ className }) => className)';
      expect(await browser.evaluate(lines)).toEqual(['user', 'assistant', 'user', 'assistant']);
      expect(await browser.evaluate(text('.conversation .assistant p'))).toMatch(/^[a-r]+$/);
    });

    test('a broken model is refused with a sentence that says so', async () => {
      const whole = readFileSync(new URL('models/handwriting/handwriting.onnx', root));
      await inspect(whole.subarray(0, whole.length / 2), 'broken.onnx');
      await browser.waitFor('.notice-error');
      const notice = await browser.evaluate<string>(text('.notice-error'));
      expect(notice).toContain('broken.onnx could not be loaded');
      expect(notice).toContain('The model file is damaged or not an ONNX model');
    });
  });
}
