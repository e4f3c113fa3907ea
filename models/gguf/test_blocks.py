"""python -m unittest: every type of weights, drawn at random, gives what gguf's own reading of it gives."""

import unittest
from types import SimpleNamespace

import blocks
import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

# Where the float16 of a block of each type are.
HALVES = {
    Type.Q4_0: [0],
    Type.Q4_1: [0, 2],
    Type.Q5_0: [0],
    Type.Q5_1: [0, 2],
    Type.Q8_0: [0],
    Type.Q4_K: [0, 2],
    Type.Q5_K: [0, 2],
    Type.Q6_K: [208],
}


class Blocks(unittest.TestCase):
    def test_every_type(self):
        random = np.random.default_rng(1)
        self.assertEqual(set(HALVES), set(blocks.FORMS))
        for kind, halves in HALVES.items():
            with self.subTest(kind.name):
                raw = random.integers(0, 256, (7, 3, gguf.GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
                for at in halves:
                    numbers = random.normal(size=(7, 3, 1)).astype(np.float16)
                    raw[..., at : at + 2] = numbers.view(np.uint8).reshape(7, 3, 2)
                raw[0, 0, halves[0] : halves[0] + 2] = 0  # a block of equal numbers
                data = raw.reshape(7, -1)
                found = blocks.read(SimpleNamespace(name=kind.name, tensor_type=kind, data=data))
                self.assertIsInstance(found, blocks.Blocks)
                wanted = gguf.dequantize(data, kind)
                np.testing.assert_allclose(found.values(), wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())
                self.assertLess(found.codes.max(), 2**found.bits)


if __name__ == "__main__":
    unittest.main()
