// What outputs mean, against ONNX's own operators where there are any, else by hand.
import { describe, expect, test } from 'vitest';
import {
  type Box,
  ctcGreedy,
  decodeBoxes,
  decodeYolo,
  nonMaximumSuppression,
  onImage,
  softmax,
  topK,
} from '../dist/decode.js';
import { placement } from '../dist/image.js';
import { Session, Tensor } from '../dist/index.js';
import { seeded } from '../src/generate/random.js';
import { modelOf } from './onnx-writer.js';
import { built } from './places.js';

const random = seeded(7);
const floats = (count: number, scale = 1) => Float32Array.from({ length: count }, () => (random() - 0.5) * scale);

async function ask(model: Uint8Array, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const session = await Session.load(model, { artefact: 'wasm', threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

describe.skipIf(!built('wasm'))('the same as the operator', () => {
  test('Softmax', async () => {
    const x = new Tensor('float32', floats(3 * 17, 30), [3, 17]);
    const model = modelOf(
      [{ op: 'Softmax', inputs: ['x'], outputs: ['y'] }],
      { x: 'float32[3,17]' },
      { y: 'float32[3,17]' },
    );
    const { y } = await ask(model, { x });
    const found = softmax(x);
    expect(found.shape).toEqual([3, 17]);
    const expected = (y as Tensor).toFloat32();
    const far = expected.map((value, i) => Math.abs(value - ((found.data as Float32Array)[i] as number)));
    expect(Math.max(...far)).toBeLessThan(1e-6);
  });

  test('TopK', async () => {
    const x = new Tensor('float32', floats(100), [100]);
    const model = modelOf(
      [{ op: 'TopK', inputs: ['x', 'k'], outputs: ['values', 'indices'] }],
      { x: 'float32[100]', k: 'int64[1]' },
      { values: 'float32[?]', indices: 'int64[?]' },
    );
    const { values, indices } = (await ask(model, { x, k: new Tensor('int64', [9]) })) as {
      values: Tensor;
      indices: Tensor;
    };
    const found = topK(x, 9);
    expect(found.map(({ index }) => BigInt(index))).toEqual([...(indices.data as BigInt64Array)]);
    expect(found.map(({ score }) => score)).toEqual([...values.toFloat32()]);
  });

  test.each([0.2, 0.5, 0.8])('NonMaxSuppression above %d', async (overlap) => {
    const count = 60;
    const classes = 3;
    const corners = Array.from({ length: count }, () => {
      const [left, top] = [random() * 9, random() * 9];
      return [top, left, top + 20 + random() * 9, left + 20 + random() * 9].map(Math.fround);
    });
    const scores = floats(classes * count).map((score) => score + 0.5);
    const model = modelOf(
      [
        {
          op: 'NonMaxSuppression',
          inputs: ['boxes', 'scores', 'most', 'overlap', 'least'],
          outputs: ['kept'],
        },
      ],
      {
        boxes: 'float32[1,?,4]',
        scores: 'float32[1,?,?]',
        most: 'int64[1]',
        overlap: 'float32[1]',
        least: 'float32[1]',
      },
      { kept: 'int64[?,3]' },
    );
    const { kept } = await ask(model, {
      boxes: new Tensor('float32', corners.flat(), [1, count, 4]),
      scores: new Tensor('float32', scores, [1, classes, count]),
      most: new Tensor('int64', [1000]),
      overlap: new Tensor('float32', [overlap]),
      least: new Tensor('float32', [0.3]),
    });
    const expected = Array.from(kept?.data as BigInt64Array, Number);
    const ids = expected.flatMap((_, i) => (i % 3 === 0 ? [`${expected[i + 1]}:${expected[i + 2]}`] : []));
    const boxes = Array.from(scores, (score, i) => ({ score, label: Math.floor(i / count), i: i % count }))
      .filter(({ score }) => score > Math.fround(0.3))
      .map(({ i, ...box }) => {
        const [top, left, bottom, right] = corners[i] as [number, number, number, number];
        return { ...box, left, top, right, bottom, i };
      });
    const found = nonMaximumSuppression(boxes, { overlap }) as (Box & { i: number })[];
    expect(found.map(({ label, i }) => `${label}:${i}`).sort()).toEqual(ids.sort());
    expect(found.length).toBeLessThan(boxes.length);
  });
});

describe('scores', () => {
  test('probabilities of float16 logits, however large', () => {
    const { data } = softmax(new Tensor('float16', [60000, 60000, -60000], [1, 3]));
    expect([...(data as Float32Array)]).toEqual([0.5, 0.5, 0]);
  });

  test('labels, ties and NaN', () => {
    const scores = new Tensor('float32', [1, Number.NaN, 3, 3], [1, 4]);
    expect(topK(scores, 5, ['a', 'b', 'c'])).toEqual([
      { index: 2, score: 3, label: 'c' },
      { index: 3, score: 3 },
      { index: 0, score: 1, label: 'a' },
    ]);
  });

  test('what is none is refused', () => {
    expect(() => topK(new Tensor('float32', new Float32Array(4), [2, 2]))).toThrow('has several');
    expect(() => topK(new Tensor('float32', [1]), 0)).toThrow('1 or more scores, not 0');
    expect(() => softmax(new Tensor('string', ['a']))).toThrow(
      'softmax takes a tensor of numbers, not a tensor of string.',
    );
    expect(() => softmax([1] as never)).toThrow('not an array');
  });
});

describe('boxes', () => {
  test('in both forms, as shares of the input, without the background', () => {
    const boxes = new Tensor('float32', [0.1, 0.2, 0.5, 0.6, 0, 0, 1, 1], [1, 2, 4]);
    const scores = new Tensor('float32', [0.1, 0.9, 0.8, 0.2], [1, 2, 2]);
    const options = { size: { width: 100, height: 10 }, background: 0 };
    const [first, ...rest] = decodeBoxes(boxes, scores, options);
    expect(rest).toEqual([]);
    expect(first?.label).toBe(1);
    for (const [side, value] of Object.entries({ left: 10, top: 2, right: 50, bottom: 6, score: 0.9 }))
      expect(first?.[side as keyof Box]).toBeCloseTo(value, 5);
    const [centred] = decodeBoxes(boxes, scores, { ...options, form: 'center' });
    expect([centred?.left, centred?.right].map((x) => Math.round(x as number))).toEqual([-15, 35]);
    expect(decodeBoxes(boxes, scores).map(({ label }) => label)).toEqual([1, 0]);
  });

  /** Two boxes of three classes, the second one sure. */
  const rows = [
    [10, 20, 4, 6, 0.1, 0.2, 0.1],
    [50, 60, 8, 2, 0.1, 0.3, 0.9],
  ];

  test('of YOLO since version 8: columns without objectness', () => {
    const columns = rows[0]?.flatMap((_, field) =>
      [...rows, ...Array(8).fill(Array(7).fill(0))].map((row) => row[field]),
    ) as number[];
    const found = decodeYolo(new Tensor('float32', columns, [1, 7, 10]));
    expect(found).toEqual([{ left: 46, top: 59, right: 54, bottom: 61, score: Math.fround(0.9), label: 2 }]);
  });

  test('of YOLO up to version 7: rows with objectness', () => {
    const list = rows.map(([x, y, w, h, ...scores]) => [x, y, w, h, 0.5, ...scores]);
    const padded = [...list, ...Array(8).fill(Array(8).fill(0))].flat() as number[];
    const [found, ...rest] = decodeYolo(new Tensor('float32', padded, [1, 10, 8]));
    expect(rest).toEqual([]);
    expect(found?.score).toBeCloseTo(0.45, 6);
    expect(found?.label).toBe(2);
  });

  test('of YOLOX: cells of grids', () => {
    const cell = (score: number) => [0.5, 0.25, Math.log(2), 0, score, 1];
    // 48 × 8 pixels: six cells of 8, three of 16.
    const size = { width: 48, height: 8 };
    const output = new Tensor('float32', [cell(0), cell(1), ...Array(6).fill(cell(0)), cell(1)].flat(), [9, 6]);
    const sides = ({ left, top, right, bottom }: Box) =>
      [left, top, right, bottom].map((side) => Number(side.toFixed(4)));
    expect(decodeYolo(output, { strides: [8, 16], size }).map(sides)).toEqual([
      [4, -2, 20, 6],
      [24, -4, 56, 12],
    ]);
    expect(() => decodeYolo(output, { strides: [8, 16] })).toThrow('have 0 cells, but there are 9 boxes');
    expect(() => decodeYolo(output, { strides: [8], size })).toThrow('have 6 cells, but there are 9 boxes');
  });

  test('a limit, and suppression across classes', () => {
    const box = { left: 0, top: 0, right: 10, bottom: 10 };
    const boxes = [
      { ...box, score: 0.5, label: 0 },
      { ...box, score: 0.9, label: 1 },
      { ...box, left: 20, right: 30, score: 0.7, label: 0 },
    ];
    expect(nonMaximumSuppression(boxes).map(({ score }) => score)).toEqual([0.9, 0.7, 0.5]);
    expect(nonMaximumSuppression(boxes, { acrossClasses: true }).map(({ score }) => score)).toEqual([0.9, 0.7]);
    expect(nonMaximumSuppression(boxes, { limit: 1 }).map(({ score }) => score)).toEqual([0.9]);
  });

  test('back on the image', () => {
    const from = { width: 1280, height: 720 };
    const at = placement(from, { width: 640, height: 640 }, 'contain');
    const box = { left: 0, top: 140, right: 320, bottom: 600, score: 1, label: 0 };
    expect(onImage(box, at, from)).toEqual({ ...box, top: 0, right: 640, bottom: 720 });
  });

  test('shapes and options that do not fit are refused', () => {
    const boxes = new Tensor('float32', new Float32Array(8), [2, 4]);
    expect(() => decodeBoxes(boxes, new Tensor('float32', new Float32Array(3), [3, 1]))).toThrow('not [2,4] and [3,1]');
    expect(() => decodeBoxes(boxes, boxes, { treshold: 1 } as never)).toThrow('Did you mean "threshold"?');
    expect(() => decodeYolo(new Tensor('float32', new Float32Array(8), [2, 4]), { objectness: false })).toThrow(
      "takes one image's boxes",
    );
    expect(() => decodeYolo(new Tensor('float32', new Float32Array(80), [2, 8, 5]))).toThrow("takes one image's boxes");
    expect(() => nonMaximumSuppression([], { overlap: 2 })).toThrow('a number of 0 to 1');
  });
});

describe('CTC', () => {
  const labels = ['', 'c', 'a', 't'];
  /** The best class of each step, with the score 0.7. */
  const path = (...best: number[]) => best.flatMap((label) => labels.map((_, i) => (i === label ? 0.7 : 0.1)));

  test('repetitions become one, a blank between them keeps both', () => {
    const scores = new Tensor('float32', path(0, 1, 1, 2, 0, 2, 3, 3, 0), [9, 4]);
    expect(ctcGreedy(scores, { labels })).toEqual([
      { text: 'caat', classes: [1, 2, 2, 3], steps: [1, 3, 5, 6], score: expect.closeTo(0.7, 6) },
    ]);
  });

  test('a batch, another blank, nothing read', () => {
    const scores = new Tensor('float32', [...path(3, 3), ...path(1, 3)], [2, 2, 4]);
    expect(ctcGreedy(scores, { blank: 3 }).map(({ classes, score }) => [classes, score > 0])).toEqual([
      [[], false],
      [[1], true],
    ]);
  });

  test('another shape is refused', () => {
    expect(() => ctcGreedy(new Tensor('float32', [1], [1]))).toThrow('not [1]');
  });
});
