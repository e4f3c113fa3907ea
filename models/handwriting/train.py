"""Trains the small model that ships: digits and capital letters drawn with a pen.

    python train.py [--fonts FOLDER …] [--steps N]

writes handwriting.onnx and labels.json beside this file and prints the held-out accuracies. Needs requirements.txt.
"""

import argparse
import json
import pathlib
import time

import export
import jax
import jax.numpy as jnp
import numpy as np
import onnxruntime
import optax
import rasters
import strokes
from glyphs import LABELS

HERE = pathlib.Path(__file__).parent
CHANNELS = [16, 32, 48]


@jax.jit
def draw(lines, width):
    """Ink of line segments (n, segments, 4) drawn with a round pen of `width` (n) pixels: (n, 28, 28), 0 to 1."""
    centres = jnp.arange(strokes.SIZE) + 0.5
    pixel = jnp.stack(jnp.meshgrid(centres, centres), axis=-1)[None, :, :, None, :]
    a, b = lines[:, None, None, :, :2], lines[:, None, None, :, 2:]
    along = b - a
    share = jnp.clip(((pixel - a) * along).sum(-1) / jnp.maximum((along**2).sum(-1), 1e-9), 0, 1)
    nearest = jnp.sqrt(((pixel - a - share[..., None] * along) ** 2).sum(-1).min(-1))
    return jnp.clip(width[:, None, None] / 2 + 0.5 - nearest, 0, 1)


def initial(rng):
    convolutions, inputs = [], 1
    for outputs in CHANNELS:
        convolutions.append((rng.normal(0, np.sqrt(2 / (9 * inputs)), (outputs, inputs, 3, 3)), np.zeros(outputs)))
        inputs = outputs
    features = inputs * (strokes.SIZE // 8) ** 2
    classifier = (rng.normal(0, np.sqrt(1 / features), (features, len(LABELS))), np.zeros(len(LABELS)))
    return jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), {"convolutions": convolutions, "classifier": classifier})


def logits(parameters, images, drop=None):
    value = images[:, None]
    for kernel, bias in parameters["convolutions"]:
        value = jax.lax.conv_general_dilated(value, kernel, (1, 1), "SAME") + bias[None, :, None, None]
        value = jax.lax.reduce_window(jax.nn.relu(value), -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    value = value.reshape(len(value), -1)
    if drop is not None:
        value = value * jax.random.bernoulli(drop, 0.7, value.shape) / 0.7
    matrix, bias = parameters["classifier"]
    return value @ matrix + bias


def loss(parameters, images, classes, drop):
    targets = optax.smooth_labels(jax.nn.one_hot(classes, len(LABELS)), 0.05)
    return optax.softmax_cross_entropy(logits(parameters, images, drop), targets).mean()


def accuracy(session, images, classes, among=None):
    """Share of pictures named rightly, when the answer is known to be one of the first `among` classes."""
    scores = session.run(None, {"image": images[:, None].astype(np.float32)})[0][:, :among]
    return float((scores.argmax(1) == classes).mean())


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--fonts", nargs="*", default=["/usr/share/fonts"])
    arguments.add_argument("--steps", type=int, default=2000)
    arguments = arguments.parse_args()
    rng = np.random.default_rng(1)

    fonts = rasters.fonts(arguments.fonts)
    rng.shuffle(fonts)
    held = max(1, len(fonts) // 7)
    print(f"{len(fonts)} fonts, {held} of them held out", flush=True)
    printed, printed_classes = rasters.printed(fonts[held:], 3, rng)
    digits, digit_classes = rasters.digits()
    order = rng.permutation(len(digits))
    digit_train, digit_test = order[450:], order[:450]

    parameters = initial(rng)
    optimiser = optax.adamw(optax.cosine_onecycle_schedule(arguments.steps, 3e-3, 0.15), weight_decay=1e-3)
    state = optimiser.init(parameters)

    @jax.jit
    def update(parameters, state, lines, width, pictures, classes, key):
        noise, drop = jax.random.split(key)
        images = jnp.concatenate([draw(lines, width), pictures])
        images = jnp.clip(images + 0.04 * jax.random.normal(noise, images.shape), 0, 1)
        value, gradients = jax.value_and_grad(loss)(parameters, images, classes, drop)
        changes, state = optimiser.update(gradients, state, parameters)
        return optax.apply_updates(parameters, changes), state, value

    start = time.time()
    for step in range(arguments.steps):
        lines, classes = strokes.batch(80, rng)
        width = rng.uniform(1.6, 3.6, 80).astype(np.float32)
        print_pick = rng.integers(len(printed), size=40)
        digit_pick = rng.choice(digit_train, 8)
        pictures = np.concatenate([printed[print_pick], digits[digit_pick]])
        classes = np.concatenate([classes, printed_classes[print_pick], digit_classes[digit_pick]])
        parameters, state, value = update(parameters, state, lines, width, pictures, classes, jax.random.key(step))
        if step % 250 == 0:
            print(f"step {step}: loss {value:.3f}, {time.time() - start:.0f} s", flush=True)

    export.save(jax.tree.map(np.asarray, parameters), len(LABELS), HERE / "handwriting.onnx")
    (HERE / "labels.json").write_text(json.dumps(LABELS) + "\n")

    session = onnxruntime.InferenceSession(HERE / "handwriting.onnx")
    rng = np.random.default_rng(2)
    lines, classes = strokes.batch(4000, rng)
    drawn = np.concatenate([draw(part, np.full(len(part), 2.4, np.float32)) for part in np.split(lines, 20)])
    is_digit = classes < 10
    fresh, fresh_classes = rasters.printed(fonts[:held], 1, rng)
    print(f"drawn, new samples, 36 classes:          {accuracy(session, drawn, classes):.4f}")
    print(f"drawn, new samples, digits:              {accuracy(session, drawn[is_digit], classes[is_digit], 10):.4f}")
    print(f"printed, held-out fonts, 36 classes:     {accuracy(session, fresh, fresh_classes):.4f}")
    print(f"scikit-learn's digits, held out, digits: {accuracy(session, digits[digit_test], digit_classes[digit_test], 10):.4f}")


main()
