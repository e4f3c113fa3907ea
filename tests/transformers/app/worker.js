import * as transformers from '@huggingface/transformers';
import { runHere } from './in-browser.js';

postMessage(await runHere(transformers));
