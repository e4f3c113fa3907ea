// Puts neuromancer/ort where transformers.js looks for its runtime. Import this before '@huggingface/transformers'.
import * as ort from './ort.js';
import { offer } from './transformers/offer.js';

offer(ort);
