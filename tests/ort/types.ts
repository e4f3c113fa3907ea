// Compiled, not run: the published declarations of onnxruntime-common and onnxruntime-web against those of neuromancer/ort.
import oursByDefault, * as ours from 'neuromancer/ort';
import type * as common from 'onnxruntime-common';
import type * as web from 'onnxruntime-web';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const holds = <_Condition extends true>() => {};

// Whoever expects either package takes ours.
export const asCommon: typeof common = ours;
export const asWeb: typeof web = ours;
export const asDefault: typeof common = oursByDefault;

// What both have is the same in both directions.
holds<Same<Pick<typeof ours, keyof typeof web>, typeof web>>();
holds<Same<ours.InferenceSession, web.InferenceSession>>();
holds<Same<ours.InferenceSession.SessionOptions, web.InferenceSession.SessionOptions>>();
holds<Same<ours.InferenceSession.RunOptions, web.InferenceSession.RunOptions>>();
holds<Same<ours.InferenceSession.FeedsType, web.InferenceSession.FeedsType>>();
holds<Same<ours.InferenceSession.FetchesType, web.InferenceSession.FetchesType>>();
holds<Same<ours.InferenceSession.ReturnType, web.InferenceSession.ReturnType>>();
holds<Same<ours.InferenceSession.ValueMetadata, web.InferenceSession.ValueMetadata>>();
holds<Same<ours.InferenceSession.ExecutionProviderConfig, web.InferenceSession.ExecutionProviderConfig>>();
holds<Same<ours.Tensor, web.Tensor>>();
holds<Same<ours.TypedTensor<'int64'>, web.TypedTensor<'int64'>>>();
holds<Same<ours.Tensor.Type, web.Tensor.Type>>();
holds<Same<ours.Tensor.DataTypeMap, web.Tensor.DataTypeMap>>();
holds<Same<ours.Env, web.Env>>();
holds<Same<ours.Backend, common.Backend>>();
holds<Same<ours.InferenceSessionHandler, common.InferenceSessionHandler>>();
holds<Same<ours.OnnxValue, common.OnnxValue>>();
// @ts-expect-error What differs is seen.
holds<Same<ours.Tensor, ours.InferenceSession>>();

/** An application's code, as it is written for onnxruntime-web. */
export async function application(ort: typeof web, canvas: HTMLCanvasElement): Promise<Float32Array> {
  ort.env.wasm.numThreads = 2;
  ort.env.wasm.wasmPaths = { wasm: '/ort.wasm' };
  ort.env.logLevel = 'error';
  const options: web.InferenceSession.SessionOptions = {
    executionProviders: ['webgpu', { name: 'wasm' }],
    graphOptimizationLevel: 'all',
    freeDimensionOverrides: { batch: 1 },
    externalData: [{ path: 'weights', data: new Blob() }, 'more'],
    preferredOutputLocation: { logits: 'cpu' },
  };
  const session: web.InferenceSession = await ort.InferenceSession.create('model.onnx', options);
  const image: web.TypedTensor<'float32'> | web.TypedTensor<'uint8'> = await ort.Tensor.fromImage(
    canvas.getContext('2d')?.getImageData(0, 0, 2, 2) as ImageData,
    {},
  );
  const ids = new ort.Tensor('int64', [1n, 2n], [1, 2]);
  const outputs = await session.run({ image, ids }, ['logits'], { tag: 'once' });
  await session.release();
  return outputs.logits?.data as Float32Array;
}

export const result = (canvas: HTMLCanvasElement) => application(ours, canvas);

// What there is beyond onnxruntime-web.
export const half: ours.Tensor = ours.tensorOf('bfloat16', Uint16Array.of(0x3f80), [1]);
ours.env.neuromancer = {
  artefact: 'wasm',
  onProfile: (runs) => console.log(runs.length),
} satisfies ours.NeuromancerFlags;
// @ts-expect-error No such type.
ours.tensorOf('float7', new Uint8Array(1), [1]);
