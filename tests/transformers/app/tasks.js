// What every host does: each task of transformers.js on a model of its own, and what came out as plain data.

const lines = ['the quick brown fox jumps over the lazy dog', 'children play in the garden when it rains'];
const asked = 'what is the name of the city';
const context = 'the name of the city where the river meets the sea is Paris and the train to London leaves at seven';

/** A picture of curves, of the size that the models take: Node and browsers resize others in different ways. */
function picture({ RawImage }) {
  const [width, height] = [32, 32];
  const pixels = Uint8ClampedArray.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return 127 + 120 * Math.sin(x / (5 + (i % 3)) + Math.cos(y / 7));
  });
  return new RawImage(pixels, width, height, 3);
}

/** A second of a tone that rises. */
const sound = Float32Array.from({ length: 16000 }, (_, i) => Math.sin((i * i) / 40000) * 0.5);

const numbers = (data) => Array.from(data, Number);
const image = ({ data, width, height, channels }) => ({ width, height, channels, data: numbers(data) });
const short = { max_new_tokens: 12, do_sample: false };

const generation = (model) =>
  ['fp32', 'fp16', 'q8', 'q4'].map((dtype) => ({
    task: 'text-generation',
    model,
    dtype,
    run: (pipe) => pipe(lines[0], short),
  }));

export const tasks = [
  {
    task: 'feature-extraction',
    model: 'MiniLM',
    dtype: 'q8',
    real: true,
    run: async (pipe) => (await pipe(lines, { pooling: 'mean', normalize: true })).tolist(),
  },
  {
    task: 'feature-extraction',
    model: 'feature-extraction',
    run: async (pipe) => (await pipe(lines, { pooling: 'cls' })).tolist(),
  },
  { task: 'text-classification', model: 'text-classification', run: (pipe) => pipe(lines, { top_k: 3 }) },
  {
    task: 'token-classification',
    model: 'token-classification',
    run: (pipe) => pipe(lines[0], { ignore_labels: [] }),
  },
  { task: 'question-answering', model: 'question-answering', run: (pipe) => pipe(asked, context, { top_k: 3 }) },
  { task: 'fill-mask', model: 'fill-mask', run: (pipe) => pipe('the quick [MASK] fox jumps', { top_k: 5 }) },
  {
    task: 'zero-shot-classification',
    model: 'zero-shot-classification',
    run: (pipe) => pipe(lines[1], ['garden', 'kitchen', 'sea']),
  },
  { task: 'summarization', model: 't5', run: (pipe) => pipe(context, short) },
  { task: 'translation', model: 'marian', run: (pipe) => pipe(lines[0], short) },
  ...generation('llama'),
  ...generation('gpt2'),
  { task: 'automatic-speech-recognition', model: 'whisper', run: (pipe) => pipe(sound, short) },
  {
    task: 'text-to-speech',
    model: 'text-to-speech',
    run: async (pipe) => {
      const { audio, sampling_rate } = await pipe('the quick brown fox');
      return { audio: numbers(audio), sampling_rate };
    },
  },
  { task: 'image-classification', model: 'image-classification', run: (pipe, t) => pipe(picture(t), { top_k: 4 }) },
  { task: 'object-detection', model: 'object-detection', run: (pipe, t) => pipe(picture(t), { threshold: 0.05 }) },
  {
    task: 'image-segmentation',
    model: 'image-segmentation',
    run: async (pipe, t) => (await pipe(picture(t))).map(({ label, mask }) => ({ label, mask: image(mask) })),
  },
  {
    task: 'background-removal',
    model: 'background-removal',
    run: async (pipe, t) => image(await pipe(picture(t))),
  },
  {
    task: 'depth-estimation',
    model: 'depth-estimation',
    run: async (pipe, t) => numbers((await pipe(picture(t))).predicted_depth.data),
  },
  {
    task: 'zero-shot-image-classification',
    model: 'zero-shot-image-classification',
    run: (pipe, t) => pipe(picture(t), ['fox', 'train', 'garden']),
  },
  { task: 'image-to-text', model: 'image-to-text', run: (pipe, t) => pipe(picture(t), short) },
];

export const nameOf = ({ task, model, dtype }) =>
  [task, model === task ? '' : model, dtype ?? ''].filter(Boolean).join(' ');

/** Milliseconds: of this process's work where the host tells, so that others on the machine change little. */
function now() {
  const { process } = globalThis;
  if (typeof process?.cpuUsage !== 'function') return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** By the tasks' names: what came out and how long it took, or the error. */
export async function runTasks(transformers, { options = {}, names, times = 1 } = {}) {
  const results = {};
  for (const each of tasks) {
    const name = nameOf(each);
    if (names !== undefined && !names.includes(name)) continue;
    try {
      let progress = 0;
      const pipe = await transformers.pipeline(each.task, each.model, {
        dtype: each.dtype ?? 'fp32',
        progress_callback: () => (progress += 1),
        ...options,
      });
      let result;
      let milliseconds = Number.POSITIVE_INFINITY;
      for (let i = 0; i < times; i++) {
        const start = now();
        result = await each.run(pipe, transformers);
        milliseconds = Math.min(milliseconds, now() - start);
      }
      await pipe.dispose();
      results[name] = { result, milliseconds, progress };
    } catch (error) {
      results[name] = { error: `${error.message}` };
    }
  }
  return results;
}
