import { expect, test } from 'vitest';
import { decodeText, decodeUtf8, encodeText, encodeUtf8 } from '../src/engine/text.js';

const texts = [
  '',
  'a',
  'größe',
  '東京',
  '🧠',
  'a\0b',
  '\ufeffmark',
  '\u{10ffff}',
  '\ud800 half',
  'half \udfff',
  'é'.repeat(1000),
];

test.each(texts)('%j is encoded without TextEncoder as with it, and decoded', (text) => {
  const bytes = new TextEncoder().encode(text);
  expect(encodeUtf8(text)).toEqual(bytes);
  expect(encodeText(text)).toEqual(bytes);
  const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  expect(decodeUtf8(bytes)).toBe(whole);
  expect(decodeText(bytes)).toBe(whole);
});

test('shared memory is read', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(2));
  shared.set([0x68, 0x69]);
  expect(decodeText(shared)).toBe('hi');
});

test.each([[[0x80]], [[0xc3]], [[0xe2, 0x82]], [[0xff, 0x41]]])('bytes that are no text give U+FFFD: %j', (bytes) => {
  expect(decodeUtf8(Uint8Array.from(bytes))).toContain('\ufffd');
});
