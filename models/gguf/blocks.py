"""Weights of a GGUF file as codes in blocks, the form of com.microsoft's MatMulNBits: value = (code - zero) * scale.

Nothing is rounded anew: every type here keeps integers with a scale, and perhaps an offset, for each block, and these are
taken over. Codes of more than 4 bits become bytes. Types that have no such form come as floats.
"""

from dataclasses import dataclass

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type


@dataclass
class Blocks:
    bits: int  # 4 or 8
    block: int  # elements of a row that share a scale
    codes: np.ndarray  # uint8 [rows, columns]
    scales: np.ndarray  # float32 [rows, blocks]
    zeros: np.ndarray | None  # float32 [rows, blocks]; without: 2^(bits - 1)

    def values(self) -> np.ndarray:
        zeros = 2 ** (self.bits - 1) if self.zeros is None else self.zeros[..., None]
        parts = self.codes.reshape(*self.scales.shape, self.block).astype(np.float32)
        return ((parts - zeros) * self.scales[..., None]).reshape(self.codes.shape)

    def rows(self, order: np.ndarray) -> "Blocks":
        zeros = None if self.zeros is None else self.zeros[order]
        return Blocks(self.bits, self.block, self.codes[order], self.scales[order], zeros)


def half(raw: np.ndarray, at: int) -> np.ndarray:
    """The float16 at byte `at` of each block, [rows, blocks, 1]."""
    return np.ascontiguousarray(raw[..., at : at + 2]).view(np.float16).astype(np.float32)


def scales_of_4_or_5_bits(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of Q4_K and Q5_K: eight parts of a block have 6 bits for their scale and their offset each."""
    flat = np.ascontiguousarray(raw[..., 4:16]).reshape(-1, 12)
    scales, offsets = gguf.quants.Q4_K.get_scale_min(flat)
    shape = (*raw.shape[:2], 8)
    return half(raw, 0) * scales.reshape(shape), -half(raw, 2) * offsets.reshape(shape)


def scales_of_6_bits(raw: np.ndarray) -> tuple[np.ndarray, None]:
    return half(raw, 208) * np.ascontiguousarray(raw[..., 192:208]).view(np.int8), None


# Bits and block of the result, and what gives scales and offsets, [rows, blocks, parts], of raw blocks.
FORMS = {
    Type.Q4_0: (4, 32, lambda raw: (half(raw, 0), None)),
    Type.Q4_1: (4, 32, lambda raw: (half(raw, 0), half(raw, 2))),
    Type.Q5_0: (8, 32, lambda raw: (half(raw, 0), None)),
    Type.Q5_1: (8, 32, lambda raw: (half(raw, 0), half(raw, 2))),
    Type.Q8_0: (8, 32, lambda raw: (half(raw, 0), None)),
    Type.Q4_K: (4, 32, scales_of_4_or_5_bits),
    Type.Q5_K: (8, 32, scales_of_4_or_5_bits),
    Type.Q6_K: (8, 16, scales_of_6_bits),
}


def read(tensor: gguf.ReaderTensor) -> Blocks | np.ndarray:
    """A tensor of the file: blocks where its type has them, else float32."""
    values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
    if tensor.tensor_type not in FORMS:
        return values
    bits, block, scales_and_offsets = FORMS[tensor.tensor_type]
    rows, columns = values.shape
    size = gguf.GGML_QUANT_SIZES[tensor.tensor_type][1]
    scales, offsets = scales_and_offsets(tensor.data.reshape(rows, -1, size))
    scales = scales.reshape(rows, columns // block)
    # A block of equal numbers has the scale 0: its codes are 0, and their zero point makes the number.
    steps = np.where(scales == 0, 1, scales).astype(np.float32)
    zeros = None if offsets is None else -offsets.reshape(scales.shape) / steps
    middle = np.float32(2 ** (bits - 1)) if zeros is None else zeros[..., None]
    codes = np.rint(values.reshape(*scales.shape, block) / steps[..., None] + middle)
    result = Blocks(bits, block, codes.astype(np.uint8).reshape(values.shape), steps, zeros)
    error = np.abs(result.values() - values).max()
    if not error <= 1e-5 * max(np.abs(values).max(), 1e-30):
        raise ValueError(f"{tensor.name}: the codes give other numbers than the file, by {error}")
    return result
