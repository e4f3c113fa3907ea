// The tokenizer and the chat template of the models in toy-decoders.ts, as Hugging Face's files have them.

/** The letters a to r, and tokens that are no text. */
export const letters = [...'abcdefghijklmnopqr'];
export const special = ['<s>', '</s>', '<|user|>', '<|assistant|>', '<unk>'];

/** tokenizer.json. */
export const tokenizerFile = {
  version: '1.0',
  added_tokens: special.map((content, i) => ({
    id: letters.length + i,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  })),
  normalizer: null,
  pre_tokenizer: null,
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [18], tokens: ['<s>'] } },
  },
  decoder: { type: 'Fuse' },
  model: {
    type: 'BPE',
    vocab: Object.fromEntries([...letters, ...special].map((token, id) => [token, id])),
    merges: [],
    unk_token: '<unk>',
  },
};

/** tokenizer_config.json. */
export const tokenizerConfig = {
  bos_token: '<s>',
  eos_token: '</s>',
  clean_up_tokenization_spaces: false,
  chat_template:
    '{{ "<s>" }}{% for m in messages %}{{ "<|" + m.role + "|>" + m.content + "</s>" }}{% endfor %}' +
    '{% if add_generation_prompt %}{{ "<|assistant|>" }}{% endif %}',
};
