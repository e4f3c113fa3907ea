/** The files of a language model, as models/gguf/convert.py and Hugging Face's exports name them. */
export const fileNames = { model: 'model.onnx', tokenizer: 'tokenizer.json', config: 'tokenizer_config.json' } as const;
