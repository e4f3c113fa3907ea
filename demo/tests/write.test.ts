import { describe, expect, test } from 'vitest';
import { chosenFiles } from '../src/write/language-model.ts';

const file = (name: string, text = '{}') => new File([text], name);
const tokenizer = file('tokenizer.json', '{"version":"1.0"}');
const config = file('tokenizer_config.json', '{"eos_token":"</s>"}');

describe('files of a language model', () => {
  test('a model, its tokenizer and its weights', async () => {
    const [model, weights] = [file('decoder_q4.onnx'), file('decoder_q4.onnx_data')];
    expect(await chosenFiles([weights, config, model, tokenizer])).toEqual({
      model,
      tokenizer: { version: '1.0' },
      config: { eos_token: '</s>' },
      externalData: { 'decoder_q4.onnx_data': weights },
    });
  });

  test.each([
    ['no model', [tokenizer, config]],
    ['two models', [tokenizer, config, file('a.onnx'), file('b.onnx')]],
    ['no tokenizer', [config, file('a.onnx')]],
  ])('%s: it is said what to choose', async (_, files) => {
    await expect(chosenFiles(files)).rejects.toThrow('one model, tokenizer.json and tokenizer_config.json');
  });
});
