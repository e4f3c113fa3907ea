import * as ort from 'neuromancer/ort';
import { behaviour } from './behaviour.ts';

behaviour(ort, 'ours');
