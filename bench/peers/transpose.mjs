/** A float32 tensor, { data, dims }, with its dimensions in another order. */
export function transpose({ data, dims }, order) {
  const strides = dims.map((_, i) => dims.slice(i + 1).reduce((a, b) => a * b, 1));
  const result = { data: new Float32Array(data.length), dims: order.map((axis) => dims[axis]) };
  let to = 0;
  const copy = (depth, from) => {
    if (depth === order.length) result.data[to++] = data[from];
    else for (let i = 0; i < result.dims[depth]; i++) copy(depth + 1, from + i * strides[order[depth]]);
  };
  copy(0, 0);
  return result;
}
