// The API of onnxruntime-web on this engine. The classes and types are onnxruntime-common's own; what is registered there
// is the engine.
import * as ort from 'onnxruntime-common';
import { filesBeside } from './files-beside.js';
import { useFiles } from './host/own-files.js';
import { register } from './ort/backend.js';
import { inWorkers, startThreads } from './workers-beside.js';

useFiles({ ...filesBeside, inWorkers, startThreads });
register();

export * from 'onnxruntime-common';
export type { ErrorCode, ErrorPlace } from './api/errors.js';
export { NeuromancerError } from './api/errors.js';
export type { NeuromancerFlags } from './ort/environment.js';
export { OtherValue } from './ort/other-value.js';
export { tensorOf } from './ort/values.js';
export default ort;
