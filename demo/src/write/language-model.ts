import { Template } from '@huggingface/jinja';
import { Tokenizer } from '@huggingface/tokenizers';
import type { Session, Source } from 'neuromancer';
import { type TextModel, textModel } from 'neuromancer/generate';
import type { Notice } from '../notice.ts';
import { openSession } from '../sessions.ts';
import { fileNames } from './language-model-files.ts';

export interface LanguageModelFiles {
  readonly model: Source;
  readonly tokenizer: object;
  readonly config: TokenizerConfig;
  /** Files of weights beside the model, by name. */
  readonly externalData: Readonly<Record<string, Source>>;
}

interface TokenizerConfig {
  readonly chat_template?: string | null;
  readonly eos_token?: string | { readonly content: string };
}

export interface LanguageModel {
  readonly session: Session;
  readonly writer: TextModel;
}

/** What the site carries (demo/vite/language-model.ts). */
export async function carriedFiles(): Promise<LanguageModelFiles> {
  const address = (name: string) => new URL(`models/language/${name}`, document.baseURI).href;
  const json = async (name: string) => (await fetch(address(name))).json();
  const [tokenizer, config] = await Promise.all([json(fileNames.tokenizer), json(fileNames.config)]);
  return { model: address(fileNames.model), tokenizer, config, externalData: {} };
}

/** Of files that the visitor chose. */
export async function chosenFiles(files: readonly File[]): Promise<LanguageModelFiles> {
  const named = (name: string) => files.find((file) => file.name === name);
  const models = files.filter(({ name }) => name.endsWith('.onnx') || name.endsWith('.nm'));
  const [model, tokenizer, config] = [models[0], named(fileNames.tokenizer), named(fileNames.config)];
  if (models.length !== 1 || model === undefined || tokenizer === undefined || config === undefined) {
    throw new Error(
      `Choose three files together: one model, ${fileNames.tokenizer} and ${fileNames.config}; and the model's files of weights if it has any.`,
    );
  }
  const others = files.filter((file) => file !== model && file !== tokenizer && file !== config);
  const externalData = Object.fromEntries(others.map((file) => [file.name, file]));
  const json = async (file: File) => JSON.parse(await file.text());
  return { model, tokenizer: await json(tokenizer), config: await json(config), externalData };
}

export async function openLanguageModel(
  files: LanguageModelFiles,
  notice: Notice,
  signal: AbortSignal,
): Promise<LanguageModel> {
  const { chat_template: template, eos_token: eos } = files.config;
  if (!template) throw new Error(`${fileNames.config} has no chat template: the model was not made for conversations.`);
  const tokenizer = new Tokenizer(files.tokenizer, files.config);
  const end = eos === undefined ? undefined : tokenizer.token_to_id(typeof eos === 'string' ? eos : eos.content);
  const session = await openSession('the language model', files.model, notice, signal, files.externalData);
  const writer = textModel(session, {
    tokenizer,
    template: new Template(template),
    ...(end === undefined ? {} : { eos: end }),
  });
  return { session, writer };
}
