#!/usr/bin/env -S node --no-warnings
// A host for the command line program as a WASI command, which sees the files of this machine: wasi.mjs PROGRAM [ARGUMENT…]
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const args = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args, env: { PWD: process.cwd() }, preopens: { '/': '/' } });
const { instance } = await WebAssembly.instantiate(await readFile(args[0]), wasi.getImportObject());
process.exitCode = wasi.start(instance);
