/** The highest of `classes` scores that lie `step` apart. */
export function best(values: Float32Array, start: number, step: number, classes: number, background: number) {
  let label = 0;
  let score = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < classes; i++) {
    const value = values[start + i * step] as number;
    if (i === background || !(value > score)) continue;
    label = i;
    score = value;
  }
  return { score, label };
}
