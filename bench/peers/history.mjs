// What run.mjs measured on this machine, model by model over commits: ours in ms, and the ratio to the peer, which a
// machine that is slower today does not change.
import { existsSync, readFileSync } from 'node:fs';

const file = new URL('../results/peers.jsonl', import.meta.url);
if (!existsSync(file)) {
  console.error('Nothing has been measured here yet; ./dev bench --peers does.');
  process.exit(1);
}
const series = new Map();
for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
  const { commit, date, peer, rows } = JSON.parse(line);
  for (const { model, threads, artefact, median, ratio } of rows) {
    const key = `${model}, ${threads} thread${threads > 1 ? 's' : ''}, ${artefact}, beside ${peer}`;
    if (!series.has(key)) series.set(key, []);
    series.get(key).push({ commit, date, median, ratio });
  }
}
for (const [key, points] of [...series].sort()) {
  console.log(key);
  points.forEach(({ commit, date, median, ratio }, i) => {
    const change = i > 0 ? ratio / points[i - 1].ratio : 1;
    const mark = change < 0.93 ? '  slower' : change > 1.07 ? '  faster' : '';
    const cells = [
      date.slice(0, 16).replace('T', ' '),
      commit.padEnd(16),
      `${median.toFixed(2)} ms`.padStart(12),
      ratio.toFixed(2),
    ];
    console.log(`  ${cells.join('  ')}${mark}`);
  });
}
