// Writes models in llama.cpp's format, GGUF, version 3: the parts that a language model with random weights needs.

const alignment = 32;
const kinds = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 };
/** A row's elements in blocks: how many, and how many bytes they take, a half float of scale among them. */
const encodings = {
  float32: { number: 0, elements: 1, bytes: 4 },
  q4: { number: 2, elements: 32, bytes: 18 },
  q8: { number: 8, elements: 32, bytes: 34 },
};

const integer32 = (value) => {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value);
  return data;
};
const integer64 = (value) => {
  const data = Buffer.alloc(8);
  data.writeBigUInt64LE(BigInt(value));
  return data;
};
const string = (text) => {
  const data = Buffer.from(text);
  return Buffer.concat([integer64(data.length), data]);
};

const content = {
  uint32: integer32,
  int32: integer32,
  float32: (value) => Buffer.from(Float32Array.of(value).buffer),
  bool: (value) => Buffer.from([value ? 1 : 0]),
  string,
};

export class GgufWriter {
  #facts = [];
  #tensors = [];

  fact(key, kind, value) {
    this.#facts.push(Buffer.concat([string(key), integer32(kinds[kind]), content[kind](value)]));
  }

  facts(key, kind, values) {
    const head = [string(key), integer32(kinds.array), integer32(kinds[kind]), integer64(values.length)];
    this.#facts.push(Buffer.concat([...head, ...values.map(content[kind])]));
  }

  /** `dims` from the innermost on. `data` as the encoding has it. */
  tensor(name, encoding, dims, data) {
    const { elements, bytes } = encodings[encoding];
    const expected = (dims.reduce((product, dim) => product * dim, 1) / elements) * bytes;
    if (data.length !== expected) throw new Error(`${name} has ${data.length} bytes, not ${expected}`);
    this.#tensors.push({ name, encoding, dims, data });
  }

  model() {
    let offset = 0;
    const heads = this.#tensors.map(({ name, encoding, dims, data }) => {
      const at = offset;
      offset += padded(data.length);
      const { number } = encodings[encoding];
      return [string(name), integer32(dims.length), ...dims.map(integer64), integer32(number), integer64(at)];
    });
    const counts = [Buffer.from('GGUF'), integer32(3), integer64(heads.length), integer64(this.#facts.length)];
    const head = Buffer.concat([...counts, ...this.#facts, ...heads.flat()]);
    const parts = [head, ...this.#tensors.map(({ data }) => data)];
    return Buffer.concat(parts.flatMap((part) => [part, Buffer.alloc(padded(part.length) - part.length)]));
  }
}

function padded(bytes) {
  return Math.ceil(bytes / alignment) * alignment;
}
