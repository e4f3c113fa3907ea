export type { Limits, LoadOptions, Outputs, RunOptions, Values } from './backend.js';
export type { EngineErrorCode } from './c-abi.js';
export type { CustomAttribute, CustomNode, CustomOperator, CustomOutput, CustomResult } from './custom.js';
export type {
  EngineInfo,
  MemoryUse,
  ModelDescription,
  Profile,
  Step,
  TimedStep,
  TracedStep,
  ValueInfo,
} from './description.js';
export type { DataOf, DType } from './dtypes.js';
export type { ErrorCode, ErrorPlace, ErrorRecord } from './errors.js';
export { NeuromancerError } from './errors.js';
export { detectFeatures, type Features } from './features.js';
export type { Progress, Source } from './fetch.js';
export { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './float16.js';
export type { Artefact, EngineOptions } from './loader.js';
export { Session } from './session.js';
export {
  describe,
  type NestedArray,
  Tensor,
  type TensorLike,
  type TensorSource,
  type TensorWithDims,
} from './tensor.js';
export type { Scalar, Value, ValueLike, ValueMap } from './values.js';
