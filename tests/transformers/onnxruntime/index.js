export * from 'neuromancer/ort';
export { default } from 'neuromancer/ort';
