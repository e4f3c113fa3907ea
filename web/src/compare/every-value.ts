// An ONNX file with every value as an output, for an engine that shows nothing else. By hand: protobufjs' reader and writer
// would make the entry three times as large.
import { NeuromancerError } from '../api/errors.js';
import { decodeText, encodeText } from '../engine/text.js';

// Fields of ONNX's schema; the test reads the result with the published one.
const modelGraph = 7;
const graphNode = 1;
const graphOutput = 12;
const nodeOutput = 2;
const valueName = 1;

/**
 * The same model with every value that a node of its main graph computes as an output, so that any engine's run gives
 * all of them (`onnxruntime`'s, say, as the reference of `compare`). An engine cannot fuse what it has to hand out.
 */
export function withEveryValue(model: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let found = false;
  for (const { field, bytes, content } of fieldsOf(model)) {
    if (field !== modelGraph || content === undefined) {
      parts.push(bytes);
      continue;
    }
    found = true;
    const added = missingOutputs(content).map((name) => message(graphOutput, message(valueName, encodeText(name))));
    parts.push(message(modelGraph, joined([content, ...added])));
  }
  if (!found) throw broken();
  return joined(parts);
}

/** Names of values that nodes compute and that are no outputs yet. */
function missingOutputs(graph: Uint8Array): string[] {
  const outputs = new Set<string>();
  const computed = new Set<string>();
  for (const { field, content } of fieldsOf(graph)) {
    if (content === undefined) continue;
    if (field === graphOutput) for (const name of textsOf(content, valueName)) outputs.add(name);
    if (field === graphNode) for (const name of textsOf(content, nodeOutput)) computed.add(name);
  }
  return [...computed].filter((name) => name !== '' && !outputs.has(name));
}

function textsOf(bytes: Uint8Array, wanted: number): string[] {
  return [...fieldsOf(bytes)].flatMap(({ field, content }) =>
    field === wanted && content !== undefined ? [decodeText(content)] : [],
  );
}

/** A field of a message: all of its bytes, and what is in it when it has a length. */
interface Field {
  field: number;
  bytes: Uint8Array;
  content: Uint8Array | undefined;
}

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || scale > 2 ** 63) throw broken();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const start = at;
    const key = varint();
    const form = key % 8;
    let content: Uint8Array | undefined;
    if (form === 0) varint();
    else if (form === 1) at += 8;
    else if (form === 5) at += 4;
    else if (form === 2) {
      const length = varint();
      content = bytes.subarray(at, at + length);
      at += length;
    } else throw broken();
    if (at > bytes.length) throw broken();
    yield { field: Math.floor(key / 8), bytes: bytes.subarray(start, at), content };
  }
}

function message(field: number, content: Uint8Array): Uint8Array {
  const head: number[] = [];
  for (let value of [field * 8 + 2, content.length]) {
    for (; value >= 128; value = Math.floor(value / 128)) head.push((value % 128) + 128);
    head.push(value);
  }
  return joined([Uint8Array.from(head), content]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function broken(): NeuromancerError {
  return new NeuromancerError('invalid_model', 'The bytes are no ONNX model; a packed one does not hold its values.');
}
