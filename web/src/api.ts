export type { CacheType } from './api/cache-type.js';
export type { CustomAttribute, CustomNode, CustomOperator, CustomOutput, CustomResult } from './api/custom.js';
export type {
  EngineInfo,
  MemoryUse,
  ModelDescription,
  Profile,
  Step,
  TimedStep,
  TracedStep,
  ValueInfo,
} from './api/description.js';
export type { ErrorCode, ErrorPlace, ErrorRecord } from './api/errors.js';
export { NeuromancerError } from './api/errors.js';
export { Session } from './api/session.js';
export type { Progress, Source } from './download/fetch.js';
export type { KeptPart, Limits, LoadOptions, Outputs, RunOptions, Values } from './engine/backend.js';
export type { EngineErrorCode } from './engine/c-abi.js';
export { detectFeatures, type Features } from './engine/features.js';
export type { Artefact, EngineOptions } from './engine/loader.js';
export type { DataOf, DType } from './values/dtypes.js';
export { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './values/float16.js';
export {
  describe,
  type NestedArray,
  Tensor,
  type TensorLike,
  type TensorSource,
  type TensorWithDims,
} from './values/tensor.js';
export type { Scalar, Value, ValueLike, ValueMap } from './values/values.js';
