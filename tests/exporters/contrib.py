#!/usr/bin/env python3
"""Cases of onnxruntime's contributed operators, with its own CPU answers.

    python3 tests/exporters/contrib.py FOLDER [NAME...]
    neuromancer check --quiet --atol 1e-4 FOLDER/*

Needs PyPI's numpy, onnx and onnxruntime, none of which the build does. Each case is a model of one node, once with all
of its inputs given to the run and once with all but the first as initialisers, in the layout of ONNX's backend tests.
NAME keeps the cases whose name contains it.
"""
import itertools
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

CASES = []


def case(name, op, inputs, outputs=1, domain="com.microsoft", wants=None, constants=True, **attributes):
    """`inputs`: arrays, or None where an optional one is left out. `wants`: which outputs, all unless given."""
    CASES.append((name, op, inputs, outputs, domain, wants, constants, attributes))


def model_of(op, inputs, outputs, domain, wants, attributes, constant):
    names = [f"x{i}" if x is not None else "" for i, x in enumerate(inputs)]
    given = [i for i, x in enumerate(inputs) if x is not None and not (constant and i > 0)]
    fixed = [i for i, x in enumerate(inputs) if x is not None and constant and i > 0]
    results = [f"y{o}" if wants is None or o in wants else "" for o in range(outputs)]
    node = helper.make_node(op, names, results, domain=domain, name="node", **attributes)
    graph = helper.make_graph(
        [node],
        "case",
        [helper.make_tensor_value_info(names[i], helper.np_dtype_to_tensor_dtype(inputs[i].dtype), inputs[i].shape)
         for i in given],
        # A fourth output's type is not always inferred; it is float in all cases.
        [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) if n == "y3"
         else helper.make_empty_tensor_value_info(n) for n in results if n],
        [numpy_helper.from_array(inputs[i], names[i]) for i in fixed],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10), given


def write(folder, name, op, inputs, outputs, domain, wants, constants, attributes):
    count = 0
    for constant in (False, True) if constants else (False,):
        model, given = model_of(op, inputs, outputs, domain, wants, attributes, constant)
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        try:
            session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
            results = session.run(None, {f"x{i}": inputs[i] for i in given})
        except Exception as error:  # what onnxruntime refuses is no case, but somebody should know
            print(f"{name}: onnxruntime refuses: {str(error).splitlines()[0][:300]}", file=sys.stderr)
            return 0
        for value, result in zip(model.graph.output, results):
            value.CopyFrom(helper.make_tensor_value_info(
                value.name, helper.np_dtype_to_tensor_dtype(result.dtype), result.shape))
        place = folder / (name + ("_constant" if constant else ""))
        data = place / "test_data_set_0"
        data.mkdir(parents=True, exist_ok=True)
        (place / "model.onnx").write_bytes(model.SerializeToString())
        for k, i in enumerate(given):
            (data / f"input_{k}.pb").write_bytes(numpy_helper.from_array(inputs[i], f"x{i}").SerializeToString())
        for k, (value, result) in enumerate(zip(model.graph.output, results)):
            (data / f"output_{k}.pb").write_bytes(numpy_helper.from_array(result, value.name).SerializeToString())
        count += 1
    return count


random = np.random.default_rng(7)


def f32(*shape, scale=1.0):
    return (random.standard_normal(shape) * scale).astype(np.float32)


def ints(dtype, low, high, *shape):
    return random.integers(low, high, shape).astype(dtype)


def u8(*shape):
    return ints(np.uint8, 0, 256, *shape)


def i8(*shape):
    return ints(np.int8, -128, 128, *shape)


def scalar(value, dtype=np.float32):
    return np.array(value, dtype)


def quantized():
    for dtype, values, zero in ((np.uint8, u8, 130), (np.int8, i8, -3)):
        tag = np.dtype(dtype).name
        head = [values(2, 3, 4, 5), scalar(0.05), scalar(zero, dtype)]
        tail = [scalar(0.01), scalar(zero // 2, dtype)]
        case(f"qlinear_sigmoid_{tag}", "QLinearSigmoid", head + tail)
        case(f"qlinear_sigmoid_no_zero_{tag}", "QLinearSigmoid", [head[0], head[1], None] + tail)
        case(f"qlinear_leaky_relu_{tag}", "QLinearLeakyRelu", head + tail, alpha=0.2)
        case(f"qlinear_leaky_relu_default_{tag}", "QLinearLeakyRelu", head + [scalar(0.04), scalar(zero, dtype)])
        for axis, opset in ((-1, 13), (1, 13), (1, 11), (2, 12)):
            case(f"qlinear_softmax_{axis}_{opset}_{tag}", "QLinearSoftmax",
                 head + [scalar(1 / 256), scalar(0 if dtype == np.uint8 else -128, dtype)], axis=axis, opset=opset)
        for last, pads, include in itertools.product((0, 1), ([0, 0, 0, 0], [1, 0, 1, 1]), (0, 1)):
            case(f"qlinear_average_pool_last{last}_{sum(pads)}_{include}_{tag}", "QLinearAveragePool",
                 head + [scalar(0.0371), scalar(zero, dtype)], channels_last=last, kernel_shape=[2, 2], pads=pads,
                 strides=[1, 2], count_include_pad=include)
        for last in (0, 1):
            case(f"qlinear_global_average_pool_{last}_{tag}", "QLinearGlobalAveragePool",
                 head + [scalar(0.0213), scalar(zero, dtype)], channels_last=last)
        parts = []
        for size in (1, 2, 3):
            parts += [values(2, size, 4), scalar(0.01 * size), scalar(zero + size, dtype)]
        case(f"qlinear_concat_{tag}", "QLinearConcat", [scalar(0.02), scalar(zero, dtype)] + parts, axis=1)
        case(f"qlinear_where_{tag}", "QLinearWhere",
             [random.integers(0, 2, (3, 1)).astype(bool), values(3, 4), scalar(0.02), scalar(zero, dtype), values(4),
              scalar(0.03), scalar(zero + 4, dtype), scalar(0.025), scalar(zero + 1, dtype)])
        case(f"qlinear_add_{tag}", "QLinearAdd",
             [values(3, 4), scalar(0.02), scalar(zero, dtype), values(4), scalar(0.0313), scalar(zero, dtype),
              scalar(0.04), scalar(zero, dtype)])
        case(f"qlinear_mul_{tag}", "QLinearMul",
             [values(3, 4), scalar(0.02), scalar(zero, dtype), values(4), scalar(0.0313), scalar(zero, dtype),
              scalar(0.08), scalar(zero, dtype)])
        case(f"nhwc_max_pool_{tag}", "NhwcMaxPool", [values(2, 5, 6, 3)], kernel_shape=[3, 2], strides=[2, 1],
             pads=[1, 0, 1, 1])
        case(f"quantize_linear_{tag}", "QuantizeLinear", [f32(3, 4), scalar(0.03), scalar(zero, dtype)])
        case(f"quantize_linear_axis_{tag}", "QuantizeLinear",
             [f32(3, 4), np.array([0.1, 0.2, 0.3], np.float32), np.array([zero, 0, 3], dtype)], axis=0)
        case(f"dequantize_linear_{tag}", "DequantizeLinear", [values(3, 4), scalar(0.03), scalar(zero, dtype)])
        case(f"dequantize_linear_axis_{tag}", "DequantizeLinear",
             [values(3, 4), np.array([0.1, 0.2, 0.3], np.float32), np.array([zero, 0, 3], dtype)], axis=0)
        for last in (0, 1):
            x = values(1, 6, 7, 4) if last else values(1, 4, 6, 7)
            case(f"qlinear_conv_{last}_{tag}", "QLinearConv",
                 [x, scalar(0.02), scalar(zero, dtype), i8(5, 4, 3, 3), f32(5) ** 2 * 0.01 + 0.001,
                  np.zeros(5, np.int8), scalar(0.3), scalar(zero, dtype), ints(np.int32, -900, 900, 5)],
                 channels_last=last, pads=[1, 1, 1, 1], strides=[2, 1])
        # Dynamic and static products.
        for name, columns in (("tensor", False), ("columns", True)):
            b_scale = np.abs(f32(6)) * 0.01 if columns else scalar(0.02)
            b_zero = values(6) if columns else scalar(zero, dtype)
            b = values(8, 6)
            case(f"dynamic_quantize_matmul_{name}_{tag}", "DynamicQuantizeMatMul",
                 [f32(2, 5, 8), b, b_scale, b_zero, f32(6)])
            case(f"dynamic_quantize_matmul_{name}_no_zero_{tag}", "DynamicQuantizeMatMul", [f32(5, 8), b, b_scale])
            case(f"matmul_integer_to_float_{name}_{tag}", "MatMulIntegerToFloat",
                 [u8(2, 5, 8), b, scalar(0.01), b_scale, scalar(120, np.uint8), b_zero, f32(6)])
            for a, at in ((0, 0), (1, 1), (0, 1)):
                for y in (False, True):
                    args = [values(8, 5) if a else values(5, 8), scalar(0.01), scalar(zero, dtype),
                            b.T.copy() if at else b, b_scale, b_zero, ints(np.int32, -500, 500, 6)]
                    args += [scalar(0.05), scalar(zero, dtype)] if y else []
                    case(f"qgemm_{name}_{a}{at}_{int(y)}_{tag}", "QGemm", args, transA=a, transB=at, alpha=0.5)
    w = i8(6, 24)
    for causal in (0, 1):
        case(f"q_attention_{causal}", "QAttention",
             [u8(2, 3, 6), w, f32(24), scalar(0.02), scalar(0.01), ints(np.int32, 1, 4, 2), scalar(127, np.uint8),
              scalar(2, np.int8)], num_heads=2, unidirectional=causal)
    case("q_attention_past", "QAttention",
         [u8(2, 3, 6), w, f32(24), scalar(0.02), scalar(0.01), None, scalar(127, np.uint8), scalar(2, np.int8),
          f32(2, 2, 2, 5, 4)], outputs=2, num_heads=2, unidirectional=1)
    words = ints(np.int32, 0, 9, 2, 4)
    tables = [u8(9, 8), u8(6, 8), u8(2, 8), u8(8), u8(8)]
    scales = [scalar(s) for s in (0.01, 0.02, 0.03, 0.01, 0.01)]
    zeros = [scalar(z, np.uint8) for z in (120, 130, 100, 20, 128)]
    case("q_embed_layer_norm", "QEmbedLayerNormalization",
         [words, ints(np.int32, 0, 2, 2, 4)] + tables + [ints(np.int32, 0, 2, 2, 4)] + scales + zeros, outputs=2)


def fused():
    for ta, tb, ba, bb in itertools.product((0, 1), repeat=4):
        a, b = np.zeros((2, 3, 4, 5)), np.zeros((2, 3, 5, 6))
        a = np.swapaxes(a, 2, 3) if ta else a
        b = np.swapaxes(b, 2, 3) if tb else b
        a = np.moveaxis(a, 2, 0) if ba else a
        b = np.moveaxis(b, 2, 0) if bb else b
        case(f"fused_matmul_{ta}{tb}{ba}{bb}", "FusedMatMul", [f32(*a.shape), f32(*b.shape)], transA=ta, transB=tb,
             transBatchA=ba, transBatchB=bb, alpha=0.5)
    case("transpose_matmul", "TransposeMatMul", [f32(5, 4), f32(5, 6)], transA=1)
    for name, more in (("Relu", {}), ("LeakyRelu", {"activation_alpha": 0.2}), ("Tanh", {}), ("Sigmoid", {}),
                       ("Elu", {"activation_alpha": 0.7}), ("Softplus", {}),
                       ("HardSigmoid", {"activation_alpha": 0.3, "activation_beta": 0.4})):
        case(f"fused_gemm_{name}", "FusedGemm", [f32(4, 5), f32(6, 5), f32(6)], transB=1, alpha=0.5, beta=2.0,
             activation=name, **more)
        if name in ("Elu", "Softplus"):
            continue  # not among those of convolutions
        case(f"fused_conv_{name}", "FusedConv", [f32(1, 4, 6, 6), f32(5, 4, 3, 3), f32(5)],
             activation=name, **({"activation_params": list(more.values())} if more else {}))
    case("fused_conv_residual", "FusedConv", [f32(1, 4, 6, 6), f32(5, 4, 3, 3), f32(5), f32(1, 5, 4, 4)],
         activation="Relu")
    case("gelu", "Gelu", [f32(3, 4)])
    case("quick_gelu", "QuickGelu", [f32(3, 4)], alpha=1.5)
    case("fast_gelu", "FastGelu", [f32(2, 3, 4), f32(4)])
    case("fast_gelu_plain", "FastGelu", [f32(2, 3, 4)])
    case("bias_gelu", "BiasGelu", [f32(2, 3, 4), f32(4)])
    case("trilu", "Trilu", [f32(2, 3, 4), scalar(1, np.int64)], upper=0)
    case("unique", "Unique", [np.array([2, 1, 1, 3, 4, 3], np.float32)], outputs=3)
    case("range", "Range", [scalar(1.5), scalar(7), scalar(0.7)])
    case("range_default", "Range", [scalar(3, np.int32), scalar(9, np.int32)])
    case("expand_dims", "ExpandDims", [f32(2, 3), scalar(-1, np.int32)])
    case("pad", "Pad", [f32(2, 3), np.array([0, 2, 1, -1]), scalar(4.5)])
    case("pad_row", "Pad", [f32(2, 3), np.array([[0, 2, 1, 1]]), np.array([4.5], np.float32)])
    case("pad_edge", "Pad", [f32(2, 3), np.array([0, 2, 1, 1])], mode="edge")
    case("gather_nd", "GatherND", [f32(2, 3, 4), np.array([[0, 1], [1, 2]])])
    case("grid_sample", "GridSample", [f32(1, 2, 4, 5), f32(1, 3, 3, 2, scale=0.5)], align_corners=1)
    case("grid_sample_bicubic", "GridSample", [f32(1, 2, 4, 5), f32(1, 3, 3, 2)], mode="bicubic",
         padding_mode="border")
    case("gated_add", "GatedAdd", [f32(2, 3, 4), f32(2, 3, 4), f32(2, 3, 1)])
    case("scaled_silu", "ScaledSiLU", [f32(2, 3)], alpha=0.7)
    case("sample_op", "SampleOp", [f32(2, 3)])


def nbits():
    for bits, block, k, zeros, rows in itertools.product((2, 4, 8), (16, 32, 64), (64, 72), (None, "packed", "float"),
                                                         (1, 6, 70)):
        blocks, n = -(-k // block), 37
        if bits == 8 and zeros == "float":
            continue  # onnxruntime refuses them
        z = {None: None, "packed": u8(n, -(-blocks * bits // 8)), "float": f32(n, blocks)}[zeros]
        case(f"matmul_nbits_{bits}_{block}_{k}_{zeros}_{rows}", "MatMulNBits",
             [f32(rows, k), u8(n, blocks, block * bits // 8), f32(n, blocks), z, None, f32(n) if rows > 1 else None],
             K=k, N=n, bits=bits, block_size=block)
    case("matmul_nbits_groups", "MatMulNBits",
         [f32(2, 3, 64), u8(5, 2, 16), f32(5, 2), None, ints(np.int32, 0, 2, 64)], K=64, N=5, bits=4, block_size=32)
    for bits, shape, block, indices in itertools.product((2, 4, 8), ((9, 64), (3, 5, 32)), (16, 32),
                                                         (np.array([1, 0, -1]), np.array([[2], [0]], np.int32))):
        per = 8 // bits
        data = u8(*shape[:-1], shape[-1] // per)
        blocks = shape[-1] // block
        scales = f32(*shape[:-1], blocks)
        for zeros in (None, u8(*shape[:-1], -(-blocks * bits // 8))):
            case(f"gather_block_quantized_{bits}_{len(shape)}_{block}_{indices.ndim}_{zeros is not None}",
                 "GatherBlockQuantized", [data, indices, scales, zeros], bits=bits, block_size=block,
                 quantize_axis=len(shape) - 1, gather_axis=0)


def attention():
    b, s, l, n, d, dv = 2, 5, 7, 2, 8, 4
    for name, bias, mask, scores, causal in (
        ("plain", None, None, None, 0),
        ("bias", f32(2 * n * d + n * dv), None, None, 0),
        ("lengths", None, np.array([3, 7], np.int32), None, 0),
        ("keys", f32(2 * n * d + n * dv), ints(np.int32, 0, 2, b, l), None, 0),
        ("queries", None, ints(np.int32, 0, 2, b, s, l), f32(1, n, s, l), 0),
        ("scores", None, None, f32(b, 1, s, l), 0),
        ("scores_keys", None, ints(np.int32, 0, 2, b, l), f32(b, n, s, l), 0),
    ):
        case(f"mha_{name}", "MultiHeadAttention",
             [f32(b, s, n * d), f32(b, l, n * d), f32(b, l, n * dv), bias, mask, scores], num_heads=n,
             unidirectional=causal)
    x = [f32(b, s, n * d), f32(b, s, n * d), f32(b, s, n * d)]
    case("mha_causal", "MultiHeadAttention", x, num_heads=n, unidirectional=1, scale=0.3)
    case("mha_causal_keys", "MultiHeadAttention", x + [f32(3 * n * d), ints(np.int32, 0, 2, b, s)], num_heads=n,
         unidirectional=1)
    case("mha_present", "MultiHeadAttention", x + [f32(3 * n * d)], outputs=3, num_heads=n)
    case("mha_cross", "MultiHeadAttention", [f32(b, s, n * d), f32(b, n, l, d), f32(b, n, l, d)], num_heads=n)
    case("mha_cross_bias", "MultiHeadAttention",
         [f32(b, s, n * d), f32(b, n, l, d), f32(b, n, l, d), f32(3 * n * d)], num_heads=n)
    past = [f32(b, n, 3, d), f32(b, n, 3, d)]
    case("mha_past", "MultiHeadAttention", x + [f32(3 * n * d), None, None] + past, outputs=3, num_heads=n)
    case("mha_past_causal", "MultiHeadAttention", x + [None, None, None] + past, outputs=3, num_heads=n,
         unidirectional=1)
    case("mha_past_masks", "MultiHeadAttention",
         x + [f32(3 * n * d), ints(np.int32, 0, 2, b, s + 3), f32(1, 1, s, s + 3)] + past, outputs=3, num_heads=n)
    one = [v[:, :1] for v in x]
    case("mha_decode", "MultiHeadAttention", one + [None, None, f32(1, n, 1, 4)] + past, outputs=3, num_heads=n)
    case("mha_qk", "MultiHeadAttention", x + [None] * 5, outputs=4, num_heads=n)

    w, bias = f32(6, 3 * n * d), f32(3 * n * d)
    for name, mask, causal in (("plain", None, 0), ("causal", None, 1), ("lengths", np.array([2, 5], np.int32), 0),
                               ("ends_starts", np.array([5, 4, 1, 0], np.int32), 0),
                               ("keys", ints(np.int32, 0, 2, b, s), 0), ("keys_causal", ints(np.int32, 0, 2, b, s), 1),
                               ("queries", ints(np.int32, 0, 2, b, s, s), 0)):
        case(f"attention_{name}", "Attention", [f32(b, s, 6), w, bias, mask], num_heads=n, unidirectional=causal)
    case("attention_sizes", "Attention", [f32(b, s, 6), f32(6, 2 * n * d + n * dv), f32(2 * n * d + n * dv)],
         num_heads=n, qkv_hidden_sizes=[n * d, n * d, n * dv])
    case("attention_past", "Attention", [f32(b, s, 6), w, bias, ints(np.int32, 0, 2, b, s + 3), f32(2, b, n, 3, d)],
         outputs=2, num_heads=n, unidirectional=1)
    case("attention_scores", "Attention", [f32(b, s, 6), w, bias, None, None, f32(b, n, s, s)], num_heads=n)
    case("attention_filter", "Attention", [f32(b, s, 6), w, bias, ints(np.int32, 0, 2, b, s)], num_heads=n,
         mask_filter_value=-2.0)

    cos, sin = f32(20, d // 2), f32(20, d // 2)
    for inter, shape in itertools.product((0, 1), ((b, s, n * d), (b, n, s, d))):
        tag = f"{inter}_{len(shape)}"
        case(f"rotary_{tag}", "RotaryEmbedding", [f32(*shape), ints(np.int64, 0, 20, b, s), cos, sin],
             interleaved=inter)
        case(f"rotary_offset_{tag}", "RotaryEmbedding", [f32(*shape), np.array([3]), cos, sin], interleaved=inter)
        case(f"rotary_part_{tag}", "RotaryEmbedding",
             [f32(*shape), ints(np.int64, 0, 20, b, s), cos[:, :2].copy(), sin[:, :2].copy()], interleaved=inter,
             num_heads=n, rotary_embedding_dim=4)

    heads, kv, d = 4, 2, 16  # rotation wants heads of a multiple of 16
    cos, sin = f32(20, d // 2), f32(20, d // 2)

    def gqa(name, length, past, total, lengths, capacity=None, batch=2, packed=False, rotary=0, more=(), outputs=3,
            **attributes):
        q = [f32(batch, length, (heads + 2 * kv) * d), None, None] if packed else [
            f32(batch, length, heads * d), f32(batch, length, kv * d), f32(batch, length, kv * d)]
        rows = past if capacity is None else capacity
        cache = [None, None] if past is None else [f32(batch, kv, rows, d), f32(batch, kv, rows, d)]
        tail = [np.array(lengths, np.int32) - 1, scalar(total, np.int32)]
        tail += [cos, sin] if rotary else [None, None]
        case(f"gqa_{name}", "GroupQueryAttention", q + cache + tail + list(more), outputs=outputs, constants=False,
             num_heads=heads, kv_num_heads=kv, do_rotary=rotary, **attributes)

    gqa("prompt", 5, None, 5, [5, 5])
    gqa("prompt_empty_past", 5, 0, 5, [5, 5])
    gqa("prompt_capacity", 5, 0, 5, [5, 5], capacity=12)
    gqa("prompt_rotary", 5, 0, 5, [5, 5], rotary=1)
    gqa("prompt_packed", 5, 0, 5, [5, 5], rotary=1, packed=True)
    gqa("decode", 1, 6, 7, [7, 7], rotary=1)
    gqa("decode_ragged", 1, 6, 7, [7, 4], rotary=1)
    gqa("decode_capacity", 1, 6, 7, [7, 5], rotary=1, capacity=16)
    gqa("decode_interleaved", 1, 6, 7, [7, 7], rotary=1, rotary_interleaved=1, packed=True)
    gqa("decode_positions", 1, 6, 7, [7, 7], rotary=1, more=[np.array([[6], [6]])])
    gqa("continue", 3, 6, 9, [9], rotary=1, batch=1)
    gqa("continue_window", 3, 6, 9, [9], rotary=1, batch=1, local_window_size=4)
    gqa("prompt_window", 5, 0, 5, [5, 5], local_window_size=2)
    gqa("decode_window", 1, 6, 7, [7, 5], local_window_size=3)
    gqa("softcap", 5, 0, 5, [5, 5], softcap=1.5)
    gqa("smooth", 5, 0, 5, [5, 5], smooth_softmax=1)
    gqa("smooth_decode", 1, 6, 7, [7, 5], smooth_softmax=1)
    gqa("sinks", 5, 0, 5, [5, 5], more=[None, None, f32(heads)])
    gqa("scores", 5, 0, 5, [5, 5], more=[None, f32(1, heads, 5, 5)])
    gqa("scores_decode", 1, 6, 7, [7, 7], more=[None, f32(2, 1, 1, 7)])
    gqa("scale", 5, 0, 5, [5, 5], scale=0.2)
    gqa("both_ways", 5, 0, 5, [5, 5], causal=0)
    gqa("qk_before", 5, 0, 5, [5, 5], outputs=4, qk_output=1, causal=0, softcap=2.0)
    gqa("qk_after", 1, 6, 7, [7, 7], outputs=4, qk_output=2)


def rest():
    case("inverse", "Inverse", [f32(2, 3, 4, 4)])
    case("ngram_repeat_block", "NGramRepeatBlock", [ints(np.int64, 0, 4, 3, 12), f32(3, 4)], ngram_size=3)
    for axis, step in ((-1, 1), (1, 2), (0, 1)):
        case(f"unfold_tensor_{axis}", "UnfoldTensor", [f32(3, 7, 4)], dim=axis, size=2, step=step)
    for mode, size in itertools.product(("bilinear", "nearest"), ((3, 4), (1, 1))):
        case(f"crop_and_resize_{mode}_{size[0]}", "CropAndResize",
             [f32(2, 3, 6, 7), np.array([[0, 0, 1, 1], [0.1, 0.7, 0.9, 0.2], [-0.3, 0.2, 0.4, 1.3]], np.float32),
              np.array([0, 1, 1], np.int32), np.array(size, np.int32)], mode=mode, extrapolation_value=0.5)
    for values in (f32(5), ints(np.int64, -9, 9, 5), ints(np.uint32, 0, 99, 5), f32(5).astype(np.float64)):
        case(f"murmur_hash_{values.dtype}", "MurmurHash3", [values], seed=3)
    case("murmur_hash_signed", "MurmurHash3", [f32(5)], positive=0)
    for shape in ((6, 9), (1, 5, 3), (1, 7)):
        case(f"dynamic_time_warping_{len(shape)}_{shape[-1]}", "DynamicTimeWarping", [f32(*shape)])
    for metric in ("sqeuclidean", "euclidean"):
        case(f"cdist_{metric}", "CDist", [f32(4, 6), f32(5, 6)], metric=metric)
    case("gated_rms_norm", "GatedRMSNorm", [f32(2, 3, 8), f32(4), f32(2, 3, 8)])
    case("matmul_integer16", "MatMulInteger16", [ints(np.int16, -300, 300, 3, 4), ints(np.int16, -300, 300, 4, 5)])
    words = ints(np.int32, 0, 9, 2, 4)
    for mask in (None, ints(np.int32, 0, 2, 2, 4)):
        case(f"embed_layer_norm_{mask is not None}", "EmbedLayerNormalization",
             [words, ints(np.int32, 0, 2, 2, 4), f32(9, 8), f32(6, 8), f32(2, 8), f32(8), f32(8), mask], outputs=2)
    for op, extra in (("SkipLayerNormalization", [f32(8), f32(8), f32(8)]),
                      ("SkipSimplifiedLayerNormalization", [f32(8), f32(8)])):
        case(op.lower(), op, [f32(2, 3, 8), f32(2, 3, 8)] + extra, outputs=4, wants=(0, 3), epsilon=1e-5)


def main():
    folder = pathlib.Path(sys.argv[1])
    for make in (quantized, fused, nbits, attention, rest):
        make()
    wanted = [c for c in CASES if len(sys.argv) < 3 or any(n in c[0] for n in sys.argv[2:])]
    print(f"{sum(write(folder, *c) for c in wanted)} cases in {folder}")


if __name__ == "__main__":
    main()
