// Which of onnxruntime's execution providers a session asks for. This engine computes on the CPU, whichever it is.
import type { InferenceSession } from 'onnxruntime-common';

/** The names under which onnxruntime-common finds this engine; the first are the ones it takes by itself. */
export const providerNames = ['wasm', 'cpu', 'webgpu', 'webnn', 'webgl'] as const;

const onCpu: readonly string[] = ['wasm', 'cpu'];

const said = new Set<string>();

/** Says once for each name that there is no such device here. */
export function noteProviders({ executionProviders = [] }: InferenceSession.SessionOptions): void {
  const [first] = executionProviders.map((provider) => (typeof provider === 'string' ? provider : provider.name));
  if (first === undefined || onCpu.includes(first) || said.has(first)) return;
  said.add(first);
  console.warn(
    `neuromancer/ort: "${first}" is not here; the CPU computes instead. executionProviders: ['wasm'] says so.`,
  );
}
