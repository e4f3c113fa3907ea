// The package as it is installed: its files lie beside this script.
import { filesBeside } from './files-beside.js';
import { useFiles } from './own-files.js';

useFiles(filesBeside);

export * from './api.js';
