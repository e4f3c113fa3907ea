// The package as it is installed: its files lie beside this script.
import { filesBeside } from './files-beside.js';
import { useFiles } from './host/own-files.js';
import { inWorkers } from './workers/in-workers.js';

useFiles({ ...filesBeside, inWorkers });

export * from './api.js';
