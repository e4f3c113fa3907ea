// The API of onnxruntime-web on this engine. The classes and types are onnxruntime-common's own; what is registered there
// is the engine.
import * as ort from 'onnxruntime-common';
import { filesBeside } from './files-beside.js';
import { inWorkers } from './in-workers.js';
import { register } from './ort/backend.js';
import { useFiles } from './own-files.js';

useFiles({ ...filesBeside, inWorkers });
register();

export * from 'onnxruntime-common';
export type { ErrorCode, ErrorPlace } from './errors.js';
export { NeuromancerError } from './errors.js';
export type { NeuromancerFlags } from './ort/environment.js';
export { OtherValue } from './ort/other-value.js';
export { tensorOf } from './ort/values.js';
export default ort;
