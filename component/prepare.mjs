// Makes a program of a core module for hosts that take no components:
//   node prepare.mjs CORE FILE
// FILE's instances begin with the memory that CORE's exported function `prepare` leaves.
import { readFileSync, writeFileSync } from 'node:fs';
import { prepared } from './prepared.mjs';

const [core, file] = process.argv.slice(2);
writeFileSync(file, await prepared(readFileSync(core)));
