"""Whisper's encoder and its decoder as ONNX, with the names of optimum's exports: encoder_model.onnx and
decoder_model_merged.onnx, whose input use_cache_branch says whether the keys and values of the encoder's output are in the
cache. Weights stay float16 in the file and are cast to float32."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INTEGERS = TensorProto.FLOAT, TensorProto.INT64
VERSIONS = [helper.make_opsetid("", 20)]


class Graph:
    """Nodes over the weights of one part of the model; `prefix` is the part's name, `scope` is before the nodes' names."""

    def __init__(self, weights: dict[str, np.ndarray], prefix: str, scope: str = ""):
        self.weights, self.prefix, self.scope = weights, prefix, scope
        self.heads = int(weights[f"{prefix}/num_heads"])
        self.width = weights[f"{prefix}/position_encodings/encodings"].shape[1]
        self.per_head = self.width // self.heads
        self.layers = sum(name.endswith("self_attention/linear_0/weight") for name in weights if name.startswith(prefix))
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.casts: dict[str, str] = {}

    def node(self, operator: str, *inputs: str, name: str | None = None, **attributes) -> str:
        name = name or f"{self.scope}{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, **attributes))
        return name

    def constant(self, values, form=np.int64) -> str:
        array = np.array(values, form)
        name = f"{array.dtype}_{array.tolist()}".replace(" ", "")
        self.constants.setdefault(name, numpy_helper.from_array(array, name))
        return name

    def weight(self, name: str, transposed: bool = False) -> str:
        """A weight of this part as float32."""
        full = f"{name}.T" if transposed else name
        if full not in self.casts:
            array = self.weights[f"{self.prefix}/{name}"]
            stored = np.ascontiguousarray(array.T if transposed else array)
            self.constants[full] = numpy_helper.from_array(stored, full)
            self.casts[full] = self.node("Cast", full, name=f"{self.scope}{full}.float32", to=FLOAT)
        return self.casts[full]

    def linear(self, x: str, name: str) -> str:
        return self.node("Add", self.node("MatMul", x, self.weight(f"{name}/weight", True)), self.weight(f"{name}/bias"))

    def norm(self, x: str, name: str) -> str:
        return self.node("LayerNormalization", x, self.weight(f"{name}/gamma"), self.weight(f"{name}/beta"), axis=-1, epsilon=1e-5)

    def split(self, x: str, parts: int) -> list[str]:
        names = [f"{x}.{i}" for i in range(parts)]
        self.nodes.append(helper.make_node("Split", [x], names, f"{x}.split", axis=-1, num_outputs=parts))
        return names

    def to_heads(self, x: str, name: str | None = None) -> str:
        four = self.node("Reshape", x, self.constant([0, 0, self.heads, self.per_head]))
        return self.node("Transpose", four, name=name, perm=[0, 2, 1, 3])

    def attend(self, query: str, key: str, value: str, mask: str | None = None) -> str:
        scaled = self.node("Mul", query, self.constant(self.per_head**-0.5, np.float32))
        scores = self.node("MatMul", scaled, self.node("Transpose", key, perm=[0, 1, 3, 2]))
        if mask is not None:
            scores = self.node("Add", scores, mask)
        mixed = self.node("MatMul", self.node("Softmax", scores, axis=-1), value)
        return self.node("Reshape", self.node("Transpose", mixed, perm=[0, 2, 1, 3]), self.constant([0, 0, self.width]))

    def feed_forward(self, x: str, layer: str) -> str:
        inner = self.node("Gelu", self.linear(self.norm(x, f"{layer}/ffn/layer_norm"), f"{layer}/ffn/linear_0"))
        return self.node("Add", x, self.linear(inner, f"{layer}/ffn/linear_1"))

    def model(self, inputs: list, outputs: list) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, self.prefix, inputs, outputs, list(self.constants.values()))
        return helper.make_model(graph, opset_imports=VERSIONS, ir_version=9, producer_name="neuromancer")


def encoder(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    g = Graph(weights, "encoder")
    x = "input_features"
    for name, stride in (("conv1", 1), ("conv2", 2)):
        convolved = g.node("Conv", x, g.weight(f"{name}/weight"), g.weight(f"{name}/bias"), pads=[1, 1], strides=[stride])
        x = g.node("Gelu", convolved)
    x = g.node("Add", g.node("Transpose", x, perm=[0, 2, 1]), g.weight("position_encodings/encodings"))
    for i in range(g.layers):
        attention = f"layer_{i}/self_attention"
        parts = g.split(g.linear(g.norm(x, f"{attention}/layer_norm"), f"{attention}/linear_0"), 3)
        query, key, value = (g.to_heads(part) for part in parts)
        x = g.node("Add", x, g.linear(g.attend(query, key, value), f"{attention}/linear_1"))
        x = g.feed_forward(x, f"layer_{i}")
    x = g.norm(x, "layer_norm")
    g.node("Identity", x, name="last_hidden_state")
    frames, width = weights["encoder/position_encodings/encodings"].shape
    bands = weights["encoder/conv1/weight"].shape[1]
    return g.model(
        [helper.make_tensor_value_info("input_features", FLOAT, ["batch_size", bands, 2 * frames])],
        [helper.make_tensor_value_info("last_hidden_state", FLOAT, ["batch_size", frames, width])],
    )


def from_encoder(g: Graph, layer: int) -> tuple[str, str]:
    """Keys and values of the encoder's output: from the cache, or made now and put there."""
    inner = Graph(g.weights, g.prefix, f"layer_{layer}.made.")
    parts = inner.split(inner.linear("encoder_hidden_states", f"layer_{layer}/attention/linear_1"), 2)
    # The branch's weights and numbers belong to the graph around it.
    kinds = ("key", "value")
    made = [inner.to_heads(part, f"made.{layer}.{kind}") for part, kind in zip(parts, kinds)]
    for name, constant in inner.constants.items():
        g.constants.setdefault(name, constant)
    names = [f"present.{layer}.encoder.{kind}" for kind in kinds]
    kept = [f"kept.{layer}.{kind}" for kind in kinds]
    copies = [
        helper.make_node("Identity", [f"past_key_values.{layer}.encoder.{kind}"], [name], name)
        for kind, name in zip(kinds, kept)
    ]

    def branch(title: str, nodes: list, outputs: list[str]) -> onnx.GraphProto:
        infos = [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs]
        return helper.make_graph(nodes, title, [], infos)

    g.nodes.append(
        helper.make_node(
            "If",
            ["use_cache_branch"],
            names,
            f"layer_{layer}.encoder",
            then_branch=branch("kept", copies, kept),
            else_branch=branch("made", inner.nodes, made),
        )
    )
    return names[0], names[1]


def decoder(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    g = Graph(weights, "decoder")
    length = g.node("Gather", g.node("Shape", "input_ids"), g.constant(1))
    past = g.node("Gather", g.node("Shape", "past_key_values.0.decoder.key"), g.constant(2))
    total = g.node("Add", past, length)
    places = g.node("Range", past, total, g.constant(1))
    later = g.node("Greater", g.node("Range", g.constant(0), total, g.constant(1)), g.node("Unsqueeze", places, g.constant([1])))
    lowest, zero = g.constant(float(np.finfo(np.float32).min), np.float32), g.constant(0.0, np.float32)
    mask = g.node("Unsqueeze", g.node("Where", later, lowest, zero), g.constant([0, 1]))
    table = g.weight("embeddings/weight")
    x = g.node("Add", g.node("Gather", table, "input_ids"), g.node("Gather", g.weight("position_encodings/encodings"), places))
    for i in range(g.layers):
        attention = f"layer_{i}/self_attention"
        parts = g.split(g.linear(g.norm(x, f"{attention}/layer_norm"), f"{attention}/linear_0"), 3)
        query, new_key, new_value = (g.to_heads(part) for part in parts)
        key, value = (
            g.node("Concat", f"past_key_values.{i}.decoder.{kind}", new, name=f"present.{i}.decoder.{kind}", axis=2)
            for kind, new in (("key", new_key), ("value", new_value))
        )
        x = g.node("Add", x, g.linear(g.attend(query, key, value, mask), f"{attention}/linear_1"))
        attention = f"layer_{i}/attention"
        query = g.to_heads(g.linear(g.norm(x, f"{attention}/layer_norm"), f"{attention}/linear_0"))
        x = g.node("Add", x, g.linear(g.attend(query, *from_encoder(g, i)), f"{attention}/linear_2"))
        x = g.feed_forward(x, f"layer_{i}")
    g.node("MatMul", g.norm(x, "layer_norm"), g.node("Transpose", table, perm=[1, 0]), name="logits")

    def caches(prefix: str, kind: str) -> list[onnx.ValueInfoProto]:
        names = [(i, part, half) for i in range(g.layers) for part in ("decoder", "encoder") for half in ("key", "value")]
        return [
            helper.make_tensor_value_info(f"{prefix}.{i}.{part}.{half}", FLOAT, ["batch_size", g.heads, f"{part}_{kind}", g.per_head])
            for i, part, half in names
        ]

    words = weights["decoder/embeddings/weight"].shape[0]
    return g.model(
        [
            helper.make_tensor_value_info("input_ids", INTEGERS, ["batch_size", "decoder_sequence_length"]),
            helper.make_tensor_value_info("encoder_hidden_states", FLOAT, ["batch_size", "encoder_sequence_length", g.width]),
            *caches("past_key_values", "past_length"),
            helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1]),
        ],
        [
            helper.make_tensor_value_info("logits", FLOAT, ["batch_size", "decoder_sequence_length", words]),
            *caches("present", "total_length"),
        ],
    )
