// The order of models/handwriting/labels.json. A script, because hosts do not agree on how JSON is imported.
export default [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
