/** By the names of their files in docs/guides. */
export const titles: Readonly<Record<string, string>> = {
  'classify-an-image': 'Classify an image',
  'faces-from-a-camera': 'Faces from a camera',
  'embed-text': 'Search by meaning',
  'transcribe-speech': 'Transcribe speech',
  'in-a-worker': 'In a worker',
  'from-onnxruntime-web': 'From onnxruntime-web',
  'with-transformers-js': 'With transformers.js',
  deploy: 'Deploy',
};
