// functions-framework --target=digits
import { http } from '@google-cloud/functions-framework';
import { nodeHandler } from '../shared/node.js';

http('digits', await nodeHandler(new URL('../digits.wasm', import.meta.url)));
