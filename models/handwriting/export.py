"""Writes the trained network as ONNX: float32, opset 17, input float32[batch,1,28,28], output float32[batch,36]."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from strokes import SIZE


def save(parameters, classes, path):
    weights, nodes, value = [], [], "image"

    def constant(name, array):
        weights.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    def node(operator, inputs, output, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], f"{operator.lower()}_{len(nodes)}", **attributes))
        return output

    for i, (kernel, bias) in enumerate(parameters["convolutions"]):
        inputs = [value, constant(f"conv{i}.weight", kernel), constant(f"conv{i}.bias", bias)]
        value = node("Conv", inputs, f"conv{i}", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        value = node("Relu", [value], f"relu{i}")
        value = node("MaxPool", [value], f"pool{i}", kernel_shape=[2, 2], strides=[2, 2])
    value = node("Flatten", [value], "features", axis=1)
    matrix, bias = parameters["classifier"]
    value = node("Gemm", [value, constant("classifier.weight", matrix), constant("classifier.bias", bias)], "logits")
    node("Softmax", [value], "probabilities", axis=1)
    graph = helper.make_graph(
        nodes,
        "handwriting",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, SIZE, SIZE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", classes])],
        weights,
    )
    model = helper.make_model(
        graph, producer_name="neuromancer models/handwriting", opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
