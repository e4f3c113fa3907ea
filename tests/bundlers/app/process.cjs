// In a CommonJS script.
const { readFileSync } = require('node:fs');
const { Session, Tensor } = require('neuromancer');

async function main() {
  const session = await Session.load(readFileSync('handwriting.onnx'));
  const ink = JSON.parse(readFileSync('digit.json', 'utf8'));
  const { probabilities } = await session.run({ image: new Tensor('float32', ink, [1, 1, 28, 28]) });
  console.log(JSON.stringify({ plain: { digit: probabilities.argmax(), ...session.engine } }));
}

main();
