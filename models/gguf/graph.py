"""The decoder of a Llama as ONNX, in the operators that onnxruntime-genai's model builder writes: weights of 4 or 8 bits in
MatMulNBits, grouped attention with its rotation and cache in one node."""

from dataclasses import dataclass

import numpy as np
import onnx
from blocks import Blocks
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"


@dataclass
class Form:
    """What the file's metadata say."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    per_head: int
    epsilon: float
    positions: int
    angles: np.ndarray  # float32 [per_head / 2], of one position


class Graph:
    def __init__(self, accuracy_level: int):
        self.accuracy_level = accuracy_level
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, array: np.ndarray, name: str) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, operator: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes) -> str:
        self.nodes.append(helper.make_node(operator, inputs, outputs, outputs[0], domain=domain, **attributes))
        return outputs[0]

    def linear(self, x: str, weight: Blocks | np.ndarray, name: str, output: str | None = None) -> str:
        output = output or f"{name}.output"
        if isinstance(weight, np.ndarray):
            return self.node("MatMul", [x, self.constant(weight.T, name)], [output])
        n, k = weight.codes.shape
        codes = weight.codes if weight.bits == 8 else weight.codes[:, ::2] | weight.codes[:, 1::2] << 4
        parameters = [
            self.constant(codes.reshape(n, k // weight.block, -1), f"{name}.codes"),
            self.constant(weight.scales, f"{name}.scales"),
        ]
        if weight.zeros is not None:
            parameters.append(self.constant(weight.zeros, f"{name}.zeros"))
        attributes = {"K": k, "N": n, "bits": weight.bits, "block_size": weight.block}
        if self.accuracy_level:
            attributes["accuracy_level"] = self.accuracy_level
        return self.node("MatMulNBits", [x, *parameters], [output], MICROSOFT, **attributes)

    def embedding(self, ids: str, table: Blocks | np.ndarray, shared: bool) -> str:
        """Rows of the table; it is `shared` with the product of the logits, which has it as output.weight."""
        if isinstance(table, np.ndarray):
            return self.node("Gather", [self.constant(table, "embedding"), ids], ["embedded"])
        if table.zeros is not None or table.bits != 8:
            return self.node("Gather", [self.constant(table.values(), "embedding"), ids], ["embedded"])
        if shared:
            shape = self.constant(np.array(table.codes.shape, np.int64), "embedding.shape")
            codes, scales = self.node("Reshape", ["output.codes", shape], ["embedding.codes"]), "output.scales"
        else:
            codes = self.constant(table.codes, "embedding.codes")
            scales = self.constant(table.scales, "embedding.scales")
        attributes = {"gather_axis": 0, "quantize_axis": 1, "block_size": table.block, "bits": 8}
        return self.node("GatherBlockQuantized", [codes, ids, scales], ["embedded"], MICROSOFT, **attributes)


def integers(name: str, *dims: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, dims)


def caches(form: Form, prefix: str, length: str) -> list[onnx.ValueInfoProto]:
    dims = ["batch_size", form.kv_heads, length, form.per_head]
    names = [f"{prefix}.{layer}.{part}" for layer in range(form.layers) for part in ("key", "value")]
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name in names]


def decoder(form: Form, weights: dict[str, Blocks | np.ndarray], accuracy_level: int) -> onnx.ModelProto:
    """`weights` by GGUF's names, without `.weight`."""
    g = Graph(accuracy_level)
    one = g.constant(np.array([1], np.int64), "one")
    # How many positions there are in all, and how many of a row are before its last one.
    count = g.node("ReduceSum", ["attention_mask", one], ["count"])
    lengths = g.node("Cast", [g.node("Sub", [count, one], ["last"])], ["lengths"], to=TensorProto.INT32)
    extents = g.node("Shape", ["attention_mask"], ["extents"])
    extent = g.node("Gather", [extents, g.constant(np.array(1, np.int64), "axis")], ["extent"])
    total = g.node("Cast", [extent], ["total"], to=TensorProto.INT32)
    turns = np.arange(form.positions, dtype=np.float64)[:, None] * form.angles
    cosines = g.constant(np.cos(turns).astype(np.float32), "cosines")
    sines = g.constant(np.sin(turns).astype(np.float32), "sines")

    def norm(root: str, skip: str | None, name: str) -> tuple[str, str]:
        """The normed sum and the sum."""
        scale = g.constant(weights[name], name)
        if skip is None:
            return g.node("SimplifiedLayerNormalization", [root, scale], [f"{name}.output"], axis=-1, epsilon=form.epsilon), root
        outputs = [f"{name}.output", "", "", f"{name}.sum"]
        g.node("SkipSimplifiedLayerNormalization", [root, skip, scale], outputs, MICROSOFT, epsilon=form.epsilon)
        return outputs[0], outputs[3]

    shared = "output" not in weights
    root, skip = g.embedding("input_ids", weights["token_embd"], shared), None
    for layer in range(form.layers):
        block = f"blk.{layer}"
        x, root = norm(root, skip, f"{block}.attn_norm")
        query, key, value = (g.linear(x, weights[f"{block}.attn_{part}"], f"{block}.attn_{part}") for part in "qkv")
        past = [f"past_key_values.{layer}.key", f"past_key_values.{layer}.value"]
        attended = g.node(
            "GroupQueryAttention",
            [query, key, value, *past, lengths, total, cosines, sines],
            [f"{block}.attended", f"present.{layer}.key", f"present.{layer}.value"],
            MICROSOFT,
            num_heads=form.heads,
            kv_num_heads=form.kv_heads,
            do_rotary=1,
            scale=form.per_head**-0.5,
        )
        skip = g.linear(attended, weights[f"{block}.attn_output"], f"{block}.attn_output")
        x, root = norm(root, skip, f"{block}.ffn_norm")
        gate = g.linear(x, weights[f"{block}.ffn_gate"], f"{block}.ffn_gate")
        opened = g.node("Mul", [gate, g.node("Sigmoid", [gate], [f"{block}.sigmoid"])], [f"{block}.silu"])
        inner = g.linear(x, weights[f"{block}.ffn_up"], f"{block}.ffn_up")
        hidden = g.node("Mul", [opened, inner], [f"{block}.hidden"])
        skip = g.linear(hidden, weights[f"{block}.ffn_down"], f"{block}.ffn_down")
    x, _ = norm(root, skip, "output_norm")
    head = weights["token_embd" if shared else "output"]
    g.linear(x, head, "output", "logits")
    words = (head.codes if isinstance(head, Blocks) else head).shape[0]
    graph = helper.make_graph(
        g.nodes,
        "decoder",
        [
            integers("input_ids", "batch_size", "sequence_length"),
            integers("attention_mask", "batch_size", "total_sequence_length"),
            *caches(form, "past_key_values", "past_sequence_length"),
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch_size", "sequence_length", words]),
            *caches(form, "present", "total_sequence_length"),
        ],
        g.constants,
    )
    versions = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=versions, ir_version=10, producer_name="neuromancer")
