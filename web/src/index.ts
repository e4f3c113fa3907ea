// The package as it is installed: its files lie beside this script.
import { filesBeside } from './files-beside.js';
import { inWorkers } from './in-workers.js';
import { useFiles } from './own-files.js';

useFiles({ ...filesBeside, inWorkers });

export * from './api.js';
