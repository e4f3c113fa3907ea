// The shape of decoder.mjs's models as llama.cpp reads it, with random weights of their own.
import { smollm } from './decoder.mjs';
import { GgufWriter } from './gguf-writer.mjs';
import { mulberry32 } from './onnx-writer.mjs';

/** A float16 of a positive number that has a normal one. */
function halfOf(value) {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
  return (bits >>> 13) - (112 << 10);
}

/** `encoding`: "q4" or "q8"; the words are of 8 bits in either, as llama.cpp's own quantiser has them. */
export function decoderGguf(encoding) {
  const { layers, width, heads, kvHeads, inner, words, positions } = smollm;
  const perHead = width / heads;
  const random = mulberry32(10);
  const g = new GgufWriter();
  const weights = (name, k, n, kind = encoding) => {
    const four = kind === 'q4';
    const [limit, bytes] = four ? [7, 16] : [127, 32];
    const scale = halfOf(Math.sqrt(3 / (k * limit * (limit + 1))));
    const data = Buffer.alloc(((k * n) / 32) * (bytes + 2));
    const code = () => Math.floor(random() * (2 * limit + 1)) - limit;
    for (let at = 0; at < data.length; at += bytes + 2) {
      data.writeUInt16LE(scale, at);
      for (let i = 0; i < bytes; i++) data[at + 2 + i] = four ? code() + 8 + ((code() + 8) << 4) : code();
    }
    g.tensor(name, kind, [k, n], data);
  };
  const ones = (name) => g.tensor(name, 'float32', [width], Buffer.from(new Float32Array(width).fill(1).buffer));

  g.fact('general.architecture', 'string', 'llama');
  g.fact('general.name', 'string', 'smollm-135m of random weights');
  for (const [key, value] of Object.entries({
    context_length: positions,
    embedding_length: width,
    block_count: layers,
    feed_forward_length: inner,
    'attention.head_count': heads,
    'attention.head_count_kv': kvHeads,
    'rope.dimension_count': perHead,
    vocab_size: words,
  })) {
    g.fact(`llama.${key}`, 'uint32', value);
  }
  g.fact('llama.attention.layer_norm_rms_epsilon', 'float32', 1e-5);
  g.fact('llama.rope.freq_base', 'float32', 10000);
  // Each byte is a word, as GPT-2 writes it; the rest are words that no merge reaches.
  const tokens = Array.from({ length: 256 }, (_, byte) => byteName(byte));
  for (let i = 256; i < words; i++) tokens.push(i === 256 ? 'zq' : i === words - 1 ? '<|end|>' : `t${i}`);
  g.fact('tokenizer.ggml.model', 'string', 'gpt2');
  g.fact('tokenizer.ggml.pre', 'string', 'gpt-2');
  g.facts('tokenizer.ggml.tokens', 'string', tokens);
  g.facts('tokenizer.ggml.token_type', 'int32', [...Array(words - 1).fill(1), 3]);
  g.facts('tokenizer.ggml.merges', 'string', ['z q']);
  g.fact('tokenizer.ggml.eos_token_id', 'uint32', words - 1);
  g.fact('tokenizer.ggml.bos_token_id', 'uint32', words - 1);
  g.fact('tokenizer.ggml.add_bos_token', 'bool', false);

  weights('token_embd.weight', width, words, 'q8');
  ones('output_norm.weight');
  for (let layer = 0; layer < layers; layer++) {
    const name = (part) => `blk.${layer}.${part}.weight`;
    weights(name('attn_q'), width, width);
    weights(name('attn_k'), width, kvHeads * perHead);
    weights(name('attn_v'), width, kvHeads * perHead);
    weights(name('attn_output'), width, width);
    weights(name('ffn_gate'), width, inner);
    weights(name('ffn_up'), width, inner);
    weights(name('ffn_down'), inner, width);
    ones(name('attn_norm'));
    ones(name('ffn_norm'));
  }
  return g.model();
}

const printable = (byte) => (byte >= 33 && byte < 127) || (byte >= 161 && byte !== 173);

/** Bytes that print nothing stand in GPT-2's vocabulary from U+0100 on. */
function byteName(byte) {
  if (printable(byte)) return String.fromCodePoint(byte);
  let hidden = 0;
  for (let other = 0; other < byte; other++) if (!printable(other)) hidden += 1;
  return String.fromCodePoint(256 + hidden);
}
