"""Makes an ONNX model of a language model in GGUF, with its weights as they are:

    python convert.py MODEL.gguf FOLDER [--accuracy-level 0] [--positions N]

FOLDER gets model.onnx, tokenizer.json and tokenizer_config.json. Models of Llama's architecture are taken (SmolLM2 among
them), with weights of 4 to 8 bits in blocks (Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K) or as floats. With
accuracy level 4 activations may be rounded to 8 bits, as llama.cpp does; by default they are kept.
"""

import argparse
from pathlib import Path

import blocks
import gguf
import graph
import numpy as np
import onnx
import tokens


def form_of(fields: dict, factors: np.ndarray | None, positions: int | None) -> graph.Form:
    name = fields["general.architecture"]
    if name != "llama":
        raise ValueError(f"the architecture '{name}'; only 'llama' is understood")

    def number(key: str, default=None):
        return fields.get(f"{name}.{key}", default)

    heads, width = number("attention.head_count"), number("embedding_length")
    per_head = number("rope.dimension_count", width // heads)
    if per_head * heads != width:
        raise ValueError("heads that are rotated in part are not understood")
    angles = number("rope.freq_base", 10000.0) ** (-2.0 * np.arange(per_head // 2) / per_head)
    return graph.Form(
        layers=number("block_count"),
        width=width,
        heads=heads,
        kv_heads=number("attention.head_count_kv", heads),
        per_head=per_head,
        epsilon=number("attention.layer_norm_rms_epsilon"),
        positions=positions or min(number("context_length"), 8192),
        angles=angles if factors is None else angles / factors,
    )


def halves_in_order(weight, heads: int):
    """GGUF's Llama has the two numbers that are rotated together side by side, ONNX's operators in the two halves."""
    rows = (weight if isinstance(weight, np.ndarray) else weight.codes).shape[0]
    order = np.arange(rows).reshape(heads, -1, 2).swapaxes(1, 2).reshape(-1)
    return weight[order] if isinstance(weight, np.ndarray) else weight.rows(order)


def convert(source: str, folder: Path, accuracy_level: int, positions: int | None) -> None:
    reader = gguf.GGUFReader(source)
    fields = tokens.fields_of(reader)
    weights = {tensor.name.removesuffix(".weight"): blocks.read(tensor) for tensor in reader.tensors}
    form = form_of(fields, weights.pop("rope_freqs", None), positions)
    for layer in range(form.layers):
        for part, heads in (("q", form.heads), ("k", form.kv_heads)):
            name = f"blk.{layer}.attn_{part}"
            weights[name] = halves_in_order(weights[name], heads)
    unknown = [name for name in weights if name.endswith(".bias")]
    if unknown:
        raise ValueError(f"weights that are not understood: {', '.join(unknown)}")
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph.decoder(form, weights, accuracy_level), folder / "model.onnx")
    tokens.write(fields, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accuracy-level", type=int, default=0, choices=[0, 4])
    parser.add_argument("--positions", type=int)
    given = parser.parse_args()
    convert(given.source, given.folder, given.accuracy_level, given.positions)
