// A service with several models resident: the digit in 784 posted bytes, by the model whose number is the path.
const signs = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** `open` gives a session of a model of its own. */
export async function resident(open, count) {
  const sessions = [];
  while (sessions.length < count) sessions.push(await open());
  return async (path, bytes) => {
    const image = { type: 'float32', data: Float32Array.from(bytes, (byte) => byte / 255), dims: [1, 1, 28, 28] };
    const { probabilities } = await sessions[Number(path.slice(1))].run({ image });
    return { sign: signs[probabilities.data.indexOf(Math.max(...probabilities.data))] };
  };
}
