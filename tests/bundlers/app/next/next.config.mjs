export { default } from './isolated.mjs';
