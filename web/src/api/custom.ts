// Operators that the engine does not have and a page computes: what a caller says of them, and how they are called.

import type { WebAbortSignal } from '../host/host-types.js';
import type { DType } from '../values/dtypes.js';
import { elementTypes, isDType } from '../values/dtypes.js';
import type { Tensor, TensorLike, TensorWithDims } from '../values/tensor.js';
import { checkedTensor, type Value } from '../values/values.js';
import { NeuromancerError, sentence } from './errors.js';
import { checkOptions, type OptionRules, plainly, suggestion } from './names.js';

/** What an output of a custom operator is like, as far as that follows from the inputs. */
export interface CustomOutput {
  /** Its element type; by default that of the input it is like, or else of the first one. */
  type?: DType;
  /** The input whose shape it has. Without it the shape is known only when it has been computed. */
  like?: number;
}

/** An attribute: a number (a bigint where a number cannot hold it), a text, a list of these, or a tensor. */
export type CustomAttribute = number | bigint | string | Tensor | readonly (number | bigint | string)[];

/** The node that is computed. */
export interface CustomNode {
  readonly domain: string;
  readonly operator: string;
  /** The node's own name in the model; may be empty. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, CustomAttribute>>;
  /** How many outputs it has. */
  readonly outputs: number;
}

/** One tensor, or a list with one for each of the node's outputs. */
export type CustomResult = TensorLike | TensorWithDims | readonly (TensorLike | TensorWithDims | undefined)[];

/** An operator that the engine does not have, for the option `operators` of `Session.load`. */
export interface CustomOperator {
  /** As the model has it; by default that of ONNX's own operators. */
  domain?: string;
  name: string;
  /**
   * What its outputs are like, in their order. By default there may be any number of them, each with the first input's
   * type and a shape that is known when it has been computed. The more is said, the more the engine can plan beforehand.
   */
  outputs?: readonly CustomOutput[];
  /**
   * Computes a node. The inputs are copies, to be kept or written to; one that the node leaves out is undefined, a sequence
   * an array. What it throws fails the run. `signal` is the run's.
   */
  run(
    inputs: readonly Tensor[],
    node: CustomNode,
    signal: WebAbortSignal | undefined,
  ): CustomResult | PromiseLike<CustomResult>;
}

/** What the engine has to know of an operator before it loads a model; can be posted. */
export interface Declaration {
  readonly domain: string;
  readonly name: string;
  /** Of each output: 0 for none, or the element type's number; and the input whose shape it has, or -1. */
  readonly types: readonly number[];
  readonly like: readonly number[];
}

/** The operators as a session has them. */
export interface Custom {
  readonly declarations: readonly Declaration[];
  compute(node: CustomNode, inputs: readonly Value[], signal: WebAbortSignal | undefined): Promise<readonly Value[]>;
}

const isText = (value: unknown) => typeof value === 'string';

const operatorRules: OptionRules = {
  domain: ['a text', isText],
  name: ['a text', isText],
  outputs: ['an array of { type, like }', Array.isArray],
  run: ['a function', (value) => typeof value === 'function'],
};

const outputRules: OptionRules = {
  type: ["the name of an element type, like 'float32'", (value) => isText(value) && isDType(value as string)],
  like: ["an input's number, from 0", (value) => Number.isInteger(value) && Number(value) >= 0],
};

/** `operators` after a check; undefined when there are none. */
export function customOf(operators: readonly CustomOperator[] | undefined): Custom | undefined {
  if (operators === undefined) return undefined;
  const byName = new Map<string, CustomOperator['run']>();
  const declarations = operators.map((operator, i) => {
    const what = `operators[${i}]`;
    checkOptions(what, operator, operatorRules);
    const { domain = '', name, outputs = [] } = operator;
    if (!name || operator.run === undefined) {
      throw new NeuromancerError('invalid_argument', `${what} needs a "name" and a function "run".`);
    }
    outputs.forEach((output, o) => {
      checkOptions(`${what}.outputs[${o}]`, output, outputRules);
    });
    const key = fullName(domain, name);
    if (byName.has(key)) {
      throw new NeuromancerError('invalid_argument', `The custom operator ${key} is given twice, by ${what} again.`);
    }
    byName.set(key, (...given) => operator.run(...given));
    const types = outputs.map(({ type }) => (type === undefined ? 0 : elementTypes[type].number));
    return { domain: standard(domain), name, types, like: outputs.map(({ like = -1 }) => like) };
  });
  return {
    declarations,
    compute: async (node, inputs, signal) => {
      try {
        const run = byName.get(fullName(node.domain, node.operator));
        if (run === undefined) throw new Error('it is not among those that the session was opened with');
        return checkedResult(await run(inputs as readonly Tensor[], node, signal), node.outputs);
      } catch (error) {
        throw operatorFailed(node, error);
      }
    },
  };
}

const standard = (domain: string) => (domain === 'ai.onnx' ? '' : domain);

function fullName(domain: string, name: string): string {
  return `${standard(domain)}${standard(domain) && '.'}${name}`;
}

/** One tensor for each output, those that are left out undefined. */
function checkedResult(result: CustomResult, count: number): Value[] {
  const list = Array.isArray(result) ? (result as readonly unknown[]) : [result];
  if (list.length !== count) {
    const outputs = count === 1 ? 'one output' : `${count} outputs`;
    throw new NeuromancerError('invalid_argument', `its node has ${outputs}, and it returned ${list.length}`);
  }
  return list.map((value) => (value === undefined ? undefined : checkedTensor(value, 'an output')));
}

/** The failure of a run whose custom operator has failed. */
export function operatorFailed({ domain, operator, name }: CustomNode, cause: unknown): NeuromancerError {
  const reason = cause instanceof Error ? cause.message : plainly(cause);
  const node = name === '' ? '' : ` (node "${name}")`;
  return new NeuromancerError(
    'operator_failed',
    sentence(`the custom operator ${fullName(domain, operator)}${node} failed: ${reason}`),
    { operator, node: name },
    cause,
  );
}

/** The error of a model that could not be loaded, with how to give an operator that is missing. */
export function withRemedy(error: unknown, custom: Custom | undefined): unknown {
  if (!(error instanceof NeuromancerError) || !error.message.endsWith('as a custom operator.')) return error;
  const { code, message, operator = '' } = error.toRecord();
  const given = custom?.declarations ?? [];
  const names = given.map(({ name }) => name);
  const other = given.find(({ name }) => name === operator);
  const near = other ? ` The one of that name is of the domain "${other.domain}".` : suggestion(operator, names);
  const how = 'by the option "operators" of Session.load: [{ domain, name, run }]';
  return new NeuromancerError(code, `${message.slice(0, -1)}, ${how}.${near}`, error);
}
