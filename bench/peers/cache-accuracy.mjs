// What a cache of fewer bits does to a language model, against the float32 cache: whether the greedy text is the same, and
// how the logits differ when both read the same tokens.
//   node cache-accuracy.mjs MODEL.onnx '[1,403,407]' [--tokens 300] [--artefact wasm]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Session, Tensor } from '../../web/dist/index.js';
import { stream } from '../../web/dist/stream.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { tokens: { type: 'string', default: '300' }, artefact: { type: 'string' } },
});
const [file, prompt] = positionals;
const count = Number(options.tokens);
const session = await Session.load(readFileSync(file), { threads: 1, artefact: options.artefact });
const names = session.inputs.map(({ name }) => name);

function feedsOf(ids, past) {
  const lists = {
    input_ids: ids,
    attention_mask: Array(past + ids.length).fill(1),
    position_ids: ids.map((_, i) => past + i),
  };
  const wanted = Object.entries(lists).filter(([name]) => names.includes(name));
  return Object.fromEntries(wanted.map(([name, list]) => [name, new Tensor('int64', list, [1, list.length])]));
}

const most = (row) => row.reduce((largest, value) => Math.max(largest, value), Number.NEGATIVE_INFINITY);

/** The likeliest tokens, and the logits; behind the tokens of `given` where they are. */
async function write(cache, given) {
  const text = stream(session, { cache });
  const ids = [];
  const rows = [];
  for (let news = JSON.parse(prompt); ids.length < count; news = [(given ?? ids)[ids.length - 1]]) {
    const { logits } = await text.run(feedsOf(news, text.length));
    const row = logits.toFloat32().slice(-logits.shape.at(-1));
    rows.push(row);
    ids.push(row.indexOf(most(row)));
  }
  text.dispose();
  return { ids, rows };
}

/** Logarithms of probabilities. */
function logProbabilities(row) {
  const largest = most(row);
  const all = Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0)) + largest;
  return row.map((value) => value - all);
}

const whole = await write('float32');
for (const cache of ['float16', 'int8']) {
  const own = await write(cache);
  const same = await write(cache, whole.ids);
  const parted = own.ids.findIndex((id, i) => id !== whole.ids[i]);
  let largest = 0;
  let divergence = 0;
  for (const [i, row] of same.rows.entries()) {
    const want = whole.rows[i];
    const scale = most(want.map(Math.abs));
    const [p, q] = [logProbabilities(want), logProbabilities(row)];
    for (let k = 0; k < row.length; k++) {
      largest = Math.max(largest, Math.abs(row[k] - want[k]) / scale);
      divergence += Math.exp(p[k]) * (p[k] - q[k]);
    }
  }
  console.log(
    `${cache}: the same text for ${parted < 0 ? count : parted} of ${count} tokens; of the same tokens ` +
      `${same.ids.filter((id, i) => id === whole.ids[i]).length} times the same likeliest one, logits differ by ` +
      `${largest.toExponential(1)} of the largest, ${(divergence / count).toExponential(1)} nats a token`,
  );
}
await session.release();
