// stories260k, a small trained model that tells stories, as Hugging Face's libraries take a model: the files of its folder,
// made of the model and of llama2.c's file of its tokenizer.
import { readFileSync } from 'node:fs';
import { besideModels, modelFile, whyWithout } from '../models/folder.ts';
import { decoded, encoded } from '../models/onnx/messages.ts';

export const withoutStories = whyWithout('stories260k-kv');

const special = ['<unk>', '<s>', '</s>'];
/** A story is told up to where the next one would begin, or to its end. */
export const storiesEnd = [1, 2];

/** Of a conversation: parts of one story. */
export const storiesConfig = {
  tokenizer_class: 'PreTrainedTokenizerFast',
  unk_token: '<unk>',
  bos_token: '<s>',
  eos_token: '</s>',
  clean_up_tokenization_spaces: false,
  chat_template: '<s>{% for message in messages %}{{ message.content }}{% endfor %}',
};

/** Pieces with scores, as SentencePiece joins them: "▁" is a space, and bytes are for what is in no piece. */
function pieces(): { text: string; score: number }[] {
  const bytes = readFileSync(besideModels('labels/tok512.bin'));
  const list: { text: string; score: number }[] = [];
  for (let at = 4; at < bytes.length; ) {
    const [score, length] = [bytes.readFloatLE(at), bytes.readInt32LE(at + 4)];
    at += 8;
    const text = special[list.length] ?? bytes.toString('utf8', at, at + length).replaceAll(' ', '▁');
    list.push({ text, score });
    at += length;
  }
  return list;
}

/** tokenizer.json. */
export function storiesTokenizer() {
  const list = pieces();
  const vocab = Object.fromEntries(list.map(({ text }, id) => [text, id]));
  const merges = list
    .toSorted((a, b) => b.score - a.score)
    .flatMap(({ text }) => {
      const letters = [...text];
      return letters.slice(1).map((_, i) => [letters.slice(0, i + 1).join(''), letters.slice(i + 1).join('')]);
    })
    .filter((parts) => parts.every((part) => part in vocab));
  const asWord = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const asText = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, asWord] },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: {
      type: 'Sequence',
      decoders: [asText, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      vocab,
      merges,
    },
  };
}

interface Names {
  readonly name: string;
}
interface ModelProto {
  readonly graph: {
    readonly node: readonly { readonly input: readonly string[]; readonly output: readonly string[] }[];
    readonly input: readonly Names[];
    readonly output: readonly Names[];
  };
}

/** The model with optimum's names for its cache, which transformers.js looks for. */
function model(): Uint8Array {
  const optimum = (name: string) =>
    name
      .replace(/^(past|present)_([kv])_(\d+)$/, '$1.$3.$2')
      .replace(/^past\./, 'past_key_values.')
      .replace(/^(p.*)\.k$/, '$1.key')
      .replace(/^(p.*)\.v$/, '$1.value');
  const named = <Info extends Names>(infos: readonly Info[]) =>
    infos.map((info) => ({ ...info, name: optimum(info.name) }));
  const { graph, ...about } = decoded<ModelProto>('ModelProto', readFileSync(modelFile('stories260k-kv')));
  const node = graph.node.map((each) => ({
    ...each,
    input: each.input.map(optimum),
    output: each.output.map(optimum),
  }));
  return encoded('ModelProto', {
    ...about,
    graph: { ...graph, node, input: named(graph.input), output: named(graph.output) },
  });
}

/** By the paths in the model's folder. */
export function storiesFiles(): Map<string, string | Uint8Array> {
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: 512,
    hidden_size: 64,
    num_hidden_layers: 5,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    max_position_embeddings: 512,
    bos_token_id: 1,
    eos_token_id: storiesEnd,
  };
  const { bos_token_id, eos_token_id } = config;
  const texts = {
    'config.json': config,
    'generation_config.json': { bos_token_id, eos_token_id },
    'tokenizer.json': storiesTokenizer(),
    'tokenizer_config.json': storiesConfig,
  };
  return new Map<string, string | Uint8Array>([
    ...Object.entries(texts).map(([name, content]) => [name, JSON.stringify(content)] as const),
    ['onnx/model.onnx', model()],
  ]);
}
