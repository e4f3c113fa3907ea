"""Writes random cases of the main operator families, with outputs by onnxruntime (or onnx's reference where that has no
kernel), in the layout that `neuromancer check` reads.

    pip install onnx onnxruntime
    python tests/conformance/random_cases.py build/random-cases --count 3000 --seed 1
    build/native/neuromancer check --quiet --rtol 1e-3 --atol 1e-4 build/random-cases/*
"""

import argparse
import pathlib
import random
import warnings

import numpy as np
import onnx
import onnxruntime
from generate import to_proto
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

FLOATS = [np.float32, np.float32, np.float32, np.float64, np.float16]
INTEGERS = [np.int64, np.int32, np.int8, np.uint8, np.int16, np.uint16, np.uint32, np.uint64]
NUMBERS = FLOATS + INTEGERS


class Case:
    """A node and its inputs; `exact` where onnxruntime is known to be wrong or less exact than onnx's reference."""

    def __init__(self, op, inputs, outputs=1, opset=21, exact=False, **attributes):
        self.op, self.inputs, self.outputs, self.opset, self.exact = op, inputs, outputs, opset, exact
        self.attributes = {k: v for k, v in attributes.items() if v is not None}


class Source:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.n = np.random.default_rng(seed)

    def pick(self, *options):
        return self.r.choice(options)

    def integer(self, low, high):
        return self.r.randint(low, high)

    def maybe(self, value, chance=0.5):
        return value if self.r.random() < chance else None

    def shape(self, least=0, most=4, zero=0.05):
        return [0 if self.r.random() < zero else self.pick(1, 1, 2, 3, 4, 5, 7, 17) for _ in range(self.integer(least, most))]

    def axis(self, rank):
        return self.integer(-rank, rank - 1)

    def axes(self, rank):
        chosen = self.r.sample(range(rank), self.integer(0, rank))
        return [a - rank if self.r.random() < 0.3 else a for a in chosen]

    def tensor(self, shape, dtype=np.float32, low=-4, high=4):
        if dtype == np.bool_:
            return self.n.integers(0, 2, shape).astype(bool)
        if np.issubdtype(dtype, np.integer):
            info = np.iinfo(dtype)
            return self.n.integers(max(low, info.min), min(high, info.max) + 1, shape).astype(dtype)
        return self.n.uniform(low, high, shape).astype(dtype)

    def indices(self, shape, dim, dtype=np.int64):
        return self.n.integers(-dim, dim, shape).astype(dtype) if dim else np.zeros(shape, dtype)

    def broadcast(self):
        """Two shapes that go together."""
        whole = self.shape(0, 4)

        def part():
            shape = [1 if self.r.random() < 0.3 else d for d in whole]
            return shape[self.integer(0, len(shape)) :] if self.r.random() < 0.4 else shape

        return part(), part()


def i64(values):
    return np.asarray(values, np.int64)


UNARY = "Abs Neg Exp Log Sqrt Reciprocal Sigmoid Tanh Relu Erf Floor Ceil Round Sign Sin Cos Tan Atan Sinh Cosh Asinh"
UNARY += " Elu Selu LeakyRelu Celu Softplus Softsign HardSigmoid HardSwish Mish ThresholdedRelu Shrink Not IsNaN IsInf Gelu"


def unary(s):
    op = s.pick(*UNARY.split())
    types = [np.bool_] if op == "Not" else INTEGERS[:3] + FLOATS if op in ("Abs", "Neg", "Sign", "Relu") else FLOATS
    dtype = s.pick(*types)
    low = 0.1 if op in ("Log", "Sqrt") else -4
    attributes = {"approximate": s.pick("none", "tanh")} if op == "Gelu" else {}
    if op in ("Elu", "LeakyRelu", "Celu", "ThresholdedRelu") and s.maybe(True):
        attributes["alpha"] = s.pick(0.5, 1.0, 2.0)
    return Case(op, [s.tensor(s.shape(), dtype, low)], **attributes)


def binary(s):
    op = s.pick("Add", "Sub", "Mul", "Div", "Pow", "Mod", "PRelu", "Max", "Min", "Mean", "Sum", "Equal", "Less", "Greater")
    op = s.pick(op, "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "BitShift")
    a, b = s.broadcast()
    dtype = s.pick(*NUMBERS)
    low, high, attributes = -4, 4, {}
    if op in ("And", "Or", "Xor"):
        dtype = np.bool_
    if op in ("BitwiseAnd", "BitwiseOr", "BitShift"):
        dtype = s.pick(np.uint8, np.uint32, np.uint64)
    if op == "BitShift":
        attributes["direction"] = s.pick("LEFT", "RIGHT")
    if op in ("Mean", "PRelu", "Sum"):
        dtype = s.pick(*FLOATS)
    if op in ("Div", "Mod", "Pow"):
        low, high = 1, 5
    if op == "Mod" and not np.issubdtype(dtype, np.integer):
        attributes["fmod"] = 1
    if op == "PRelu":
        b = [1 if s.maybe(True) else d for d in a][s.integer(0, len(a)) :]
    x, y = s.tensor(a, dtype, low, high), s.tensor(b, dtype, low, high)
    if op == "Mod" and np.issubdtype(dtype, np.signedinteger):
        x = (x * s.pick(1, -1)).astype(dtype)
        attributes["fmod"] = s.pick(0, 1)
    inputs = [x, y] + ([s.tensor(b, dtype)] if op in ("Max", "Min", "Mean", "Sum") and s.maybe(True) else [])
    return Case(op, inputs, **attributes)


def where(s):
    a, b = s.broadcast()
    dtype = s.pick(*NUMBERS)
    return Case("Where", [s.tensor(a, np.bool_), s.tensor(b, dtype), s.tensor(s.pick(a, b, []), dtype)])


def clip(s):
    dtype = s.pick(np.float32, np.float64, np.int32, np.int64, np.uint8, np.int8)
    bounds = [s.maybe(np.asarray(v, dtype)) for v in (1, 3)]
    return Case("Clip", [s.tensor(s.shape(), dtype)] + bounds)


def reduce(s):
    op = s.pick("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare")
    shape = s.shape(0, 5, 0 if op == "Mean" else 0.05)  # the mean of nothing is not defined
    axes = s.axes(len(shape))
    dtype = s.pick(np.float32, np.float32, np.float64, np.int32, np.int64)
    if op.startswith("Log"):
        dtype = s.pick(*FLOATS[:4])  # of integers, onnxruntime takes logarithms of sums that have wrapped around
    low = 0.5 if op.startswith("Log") else -2
    return Case("Reduce" + op, [s.tensor(shape, dtype, low, 2), s.maybe(i64(axes), 0.8)], keepdims=s.pick(0, 1),
                noop_with_empty_axes=s.maybe(s.pick(0, 1), 0.3))


def arg(s):
    shape = s.shape(1, 4, 0)
    return Case(s.pick("ArgMax", "ArgMin"), [s.tensor(shape, s.pick(np.float32, np.int32, np.uint8), -3, 3)],
                axis=s.axis(len(shape)), keepdims=s.pick(0, 1), select_last_index=s.pick(0, 1))


def softmax(s):
    shape = s.shape(1, 4)
    op = s.pick("Softmax", "LogSoftmax", "Hardmax")
    opset = 13 if op == "Hardmax" else s.pick(11, 21)  # the reference knows one Hardmax only
    return Case(op, [s.tensor(shape, s.pick(*FLOATS[:4]))], opset=opset, axis=s.axis(len(shape)))


def top_k(s):
    shape = s.shape(1, 4, 0)
    axis = s.axis(len(shape))
    values = s.n.permutation(int(np.prod(shape))).reshape(shape).astype(s.pick(np.float32, np.int64, np.int32, np.float64))
    return Case("TopK", [values, i64([s.integer(0, shape[axis])])], 2, axis=axis, largest=s.pick(0, 1))


def cum_sum(s):
    shape = s.shape(1, 4)
    return Case("CumSum", [s.tensor(shape, s.pick(np.float32, np.int32, np.int64, np.float64)), np.asarray(s.axis(len(shape)))],
                exclusive=s.pick(0, 1), reverse=s.pick(0, 1))


def transpose(s):
    shape = s.shape(0, 6)
    order = list(range(len(shape)))
    s.r.shuffle(order)
    return Case("Transpose", [s.tensor(shape, s.pick(*NUMBERS, np.bool_))], perm=s.maybe(order, 0.8) if shape else None)


def reshape(s):
    shape = s.shape(0, 5)
    rest = int(np.prod(shape))
    target = []
    for _ in range(s.integer(0, 3)):
        d = s.pick(*[k for k in range(1, 18) if rest % k == 0]) if rest else s.pick(1, 2)
        target.append(d)
        rest //= d
    target.append(rest)
    if rest and s.maybe(True):
        target[s.integer(0, len(target) - 1)] = -1
    return Case("Reshape", [s.tensor(shape, s.pick(*NUMBERS)), i64(target)], allowzero=1 if 0 in shape else None)


def slices(s):
    shape = s.shape(1, 4)
    axes = s.axes(len(shape))
    starts = [s.integer(-20, 20) for _ in axes]
    steps = [s.pick(1, 1, 2, 3, -1, -2, -7) for _ in axes]
    given = s.maybe(i64(steps), 0.8)
    # Up to the end in the direction of the step; onnxruntime takes the other extreme for it too.
    ends = [s.pick(s.integer(-20, 20), -(2**63) if step < 0 and given is not None else 2**63 - 1) for step in steps]
    return Case("Slice", [s.tensor(shape, s.pick(*NUMBERS)), i64(starts), i64(ends), i64(axes)] + ([given] if given is not None else []))


def gather(s):
    shape = s.shape(1, 4, 0)
    axis = s.axis(len(shape))
    kind = s.pick("Gather", "GatherElements", "GatherND")
    dtype = s.pick(*NUMBERS, np.bool_)
    index = s.pick(np.int32, np.int64) if kind != "GatherND" else np.int64
    if kind == "Gather":
        return Case(kind, [s.tensor(shape, dtype), s.indices(s.shape(0, 2), shape[axis], index)], axis=axis)
    if kind == "GatherElements":
        chosen = [s.integer(1, d) for d in shape]
        chosen[axis] = s.integer(0, 5)
        return Case(kind, [s.tensor(shape, dtype), s.indices(chosen, shape[axis], index)], axis=axis)
    batch = s.integer(0, len(shape) - 1)
    depth = s.integer(1, len(shape) - batch)
    at = shape[:batch] + s.shape(0, 2, 0)
    columns = [s.indices(at, shape[batch + i]) for i in range(depth)]
    return Case(kind, [s.tensor(shape, dtype), np.stack(columns, -1)], batch_dims=batch)


def scatter(s):
    shape = s.shape(1, 3, 0)
    dtype = s.pick(np.float32, np.int64, np.int32, np.float64)
    axis = s.axis(len(shape))
    if s.maybe(True):
        chosen = [s.integer(1, d) for d in shape]
        where = np.argsort(s.n.random([*shape]), axis)  # no index twice
        where = where[tuple(slice(c) for c in chosen)]
        return Case("ScatterElements", [s.tensor(shape, dtype), i64(where), s.tensor(chosen, dtype)], axis=axis,
                    reduction=s.pick("none", "add", "mul", "max", "min"))
    depth = s.integer(1, len(shape))
    count = s.integer(0, 3)
    where = np.stack([s.indices([count], shape[i]) for i in range(depth)], -1)
    return Case("ScatterND", [s.tensor(shape, dtype), where, s.tensor([count] + shape[depth:], dtype)],
                reduction=s.pick("add", "max", "min"))


def concat(s):
    shape = s.shape(1, 4)
    axis = s.axis(len(shape))
    dtype = s.pick(*NUMBERS)
    parts = []
    for _ in range(s.integer(1, 4)):
        own = list(shape)
        own[axis] = s.integer(0, 4)
        parts.append(s.tensor(own, dtype))
    return Case("Concat", parts, axis=axis)


def split(s):
    shape = s.shape(1, 4)
    axis = s.axis(len(shape))
    lengths = [s.integer(0, 3) for _ in range(s.integer(1, 4))]
    if s.maybe(True):
        shape[axis] = sum(lengths)
        return Case("Split", [s.tensor(shape), i64(lengths)], len(lengths), axis=axis)
    return Case("Split", [s.tensor(shape)], len(lengths), axis=axis, num_outputs=len(lengths))


def pad(s):
    mode = s.pick("constant", "edge", "reflect", "wrap")
    shape = s.shape(1, 4, 0)
    least = -1 if mode == "constant" else 0
    most = [d - 1 if mode == "reflect" else d for d in shape]
    pads = [s.integer(least, min(3, m)) if m > 0 else 0 for m in most * 2]
    dtype = s.pick(np.float32, np.int32, np.int64, np.float64, np.uint8)
    value = s.maybe(np.asarray(2, dtype)) if mode == "constant" else None
    return Case("Pad", [s.tensor(shape, dtype), i64(pads)] + ([value] if value is not None else []), mode=mode)


def tile(s):
    shape = s.shape(0, 4)
    return Case("Tile", [s.tensor(shape, s.pick(*NUMBERS)), i64([s.integer(0, 3) for _ in shape])])


def expand(s):
    a, b = s.broadcast()
    return Case("Expand", [s.tensor(a, s.pick(*NUMBERS)), i64(b)])


def dims(s):
    shape = s.shape(0, 4)
    if s.maybe(True):
        ones = [i for i, d in enumerate(shape) if d == 1]
        axes = s.maybe(i64([a - len(shape) if s.maybe(True, 0.3) else a for a in ones]), 0.7)
        return Case("Squeeze", [s.tensor(shape), axes])
    rank = len(shape) + s.integer(0, 2)
    axes = s.r.sample(range(rank), rank - len(shape))
    return Case("Unsqueeze", [s.tensor(shape), i64([a - rank if s.maybe(True, 0.3) else a for a in axes])])


def find(s):
    shape = s.shape(1, 3)
    kind = s.pick("NonZero", "Compress", "Unique", "OneHot", "Trilu", "ReverseSequence")
    x = s.tensor(shape, s.pick(np.float32, np.int64, np.int32), -1, 1)
    axis = s.axis(len(shape))
    if kind == "Compress":
        chosen = s.maybe(axis)
        most = shape[axis] if chosen is not None else int(np.prod(shape))
        return Case(kind, [x, s.tensor([s.integer(0, most)], np.bool_)], axis=chosen)
    if kind == "Unique":
        axis = s.maybe(axis)
        return Case(kind, [x], 4, sorted=s.pick(0, 1) if axis is None else 1, axis=axis)
    if kind == "OneHot":
        return Case(kind, [s.indices(shape, 4), np.asarray(4), np.asarray([0, 1], s.pick(np.float32, np.int64))],
                    axis=s.integer(-len(shape) - 1, len(shape)))
    if kind == "Trilu":
        return Case(kind, [s.tensor([2, *shape]), np.asarray(s.integer(-3, 3))], upper=s.pick(0, 1))
    if kind == "ReverseSequence":
        lengths = s.n.integers(1, 4, [3])
        batch = s.pick(0, 1)
        return Case(kind, [s.tensor([3, 3, *shape]), i64(lengths)], batch_axis=batch, time_axis=1 - batch)
    return Case(kind, [x])


def matmul(s):
    dtype = s.pick(np.float32, np.float32, np.float64, np.int32, np.int64)
    a, b = s.broadcast()
    m, k, n = (s.pick(0, 1, 2, 3, 5, 8, 17, 33) for _ in range(3))
    if s.maybe(True, 0.2):
        return Case("MatMul", [s.tensor([k], dtype), s.tensor(s.pick([k], [k, n], b + [k, n]), dtype)])
    return Case("MatMul", [s.tensor(a[-2:] + [m, k], dtype), s.tensor(s.pick([k], b[-2:] + [k, n]), dtype)])


def gemm(s):
    m, k, n = (s.pick(1, 2, 3, 8, 17, 33) for _ in range(3))
    a, b = s.pick(0, 1), s.pick(0, 1)
    c = s.maybe(s.tensor(s.pick([], [1], [n], [1, n], [m, 1], [m, n])), 0.8)
    return Case("Gemm", [s.tensor([k, m] if a else [m, k]), s.tensor([n, k] if b else [k, n])] + ([c] if c is not None else []),
                transA=a, transB=b, alpha=s.pick(1.0, 0.5), beta=s.pick(1.0, 2.0))


def einsum(s):
    equation, *shapes = s.pick(("ij,jk->ik", [2, 3], [3, 4]), ("bij,bjk->bik", [2, 2, 3], [2, 3, 4]), ("ii->i", [3, 3]),
                               ("ij->ji", [2, 3]), ("...ij,...jk->...ik", [2, 1, 2, 3], [4, 3, 5]), ("i,j->ij", [3], [4]),
                               ("ij,ij->", [2, 3], [2, 3]), ("bhid,bhjd->bhij", [1, 2, 3, 4], [1, 2, 5, 4]),
                               ("ijk->k", [2, 3, 4]), ("a,ab,abc->abc", [2], [2, 3], [2, 3, 4]))
    return Case("Einsum", [s.tensor(x) for x in shapes], equation=equation)


def window(s, rank, image, transposed=False):
    kernel = [s.integer(1, 3) for _ in range(rank)]
    strides = [s.pick(1, 1, 2, 3) for _ in range(rank)]
    dilations = [s.pick(1, 1, 2) for _ in range(rank)]
    reach = [(k - 1) * d for k, d in zip(kernel, dilations)]
    pads = [s.integer(0, min(2, r)) for r in reach * 2]
    fits = all(d + pads[i] + pads[i + rank] > reach[i] for i, d in enumerate(image)) or transposed
    auto = s.pick("NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    if not fits:
        auto = "SAME_UPPER"
    # onnxruntime's pools forget dilations where they pad by themselves.
    return kernel, {"strides": s.maybe(strides), "dilations": s.maybe(dilations) if auto == "NOTSET" else None,
                    "pads": pads if auto == "NOTSET" else None, "auto_pad": auto}


def conv(s):
    rank = s.pick(1, 2, 2, 2, 3)
    image = [s.pick(3, 4, 5, 8, 13) for _ in range(rank)]
    kernel, attributes = window(s, rank, image)
    group = s.pick(1, 1, 2, 4)
    inside, out = s.pick(1, 2, 3), s.pick(1, 2, 4)
    if s.maybe(True, 0.3):
        inside, out, group = 1, 1, s.pick(3, 8, 16)
    dtype = s.pick(np.float32, np.float32, np.float32, np.float64)
    inputs = [s.tensor([s.integer(1, 2), group * inside, *image], dtype), s.tensor([group * out, inside, *kernel], dtype)]
    if s.maybe(True):
        inputs.append(s.tensor([group * out], dtype))
    return Case("Conv", inputs, group=group, **attributes)


def conv_transpose(s):
    rank = s.pick(1, 2, 2)
    image = [s.pick(2, 3, 5, 8) for _ in range(rank)]
    kernel, attributes = window(s, rank, image, True)
    attributes["auto_pad"] = "NOTSET"
    attributes["pads"] = [s.integer(0, (k - 1) // 2) for k in kernel * 2]
    strides = attributes["strides"] or [1] * rank
    attributes["output_padding"] = s.maybe([s.integer(0, d - 1) for d in strides], 0.3)
    group = s.pick(1, 1, 2)
    inside, out = s.pick(1, 2, 3), s.pick(1, 2)
    inputs = [s.tensor([s.integer(1, 2), group * inside, *image]), s.tensor([group * inside, out, *kernel])]
    if s.maybe(True):
        inputs.append(s.tensor([group * out]))
    return Case("ConvTranspose", inputs, group=group, **attributes)


def pool(s):
    rank = s.pick(1, 2, 2, 3)
    image = [s.pick(3, 4, 5, 8, 13) for _ in range(rank)]
    kernel, attributes = window(s, rank, image)
    op = s.pick("MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool")
    x = s.tensor([s.integer(1, 2), s.pick(1, 3, 8), *image])
    if op.startswith("Global"):
        return Case(op, [x])
    attributes["ceil_mode"] = s.pick(0, 0, 1) if attributes["auto_pad"] == "NOTSET" else 0
    if op == "AveragePool":
        attributes["count_include_pad"] = s.pick(0, 1)
    if op == "LpPool":
        attributes["p"] = s.pick(1, 2)
    indices = op == "MaxPool" and s.maybe(True, 0.3)
    if op == "MaxPool" and not indices and s.maybe(True, 0.3):
        x = s.tensor(x.shape, s.pick(np.int8, np.uint8), -100, 100)
    return Case(op, [x], 2 if indices else 1, kernel_shape=kernel, **attributes)


def norm(s):
    op = s.pick("LayerNormalization", "InstanceNormalization", "BatchNormalization", "LpNormalization", "LRN",
                "GroupNormalization", "MeanVarianceNormalization")
    shape = [s.integer(1, 3), s.pick(2, 4, 8)] + [s.integer(1, 5) for _ in range(2)]
    x = s.tensor(shape)
    channels = [s.tensor([shape[1]], low=0.5) for _ in range(4)]
    if op == "LayerNormalization":
        axis = s.axis(4)
        scale, bias = (s.tensor(shape[axis % 4 :]) for _ in range(2))
        return Case(op, [x, scale] + ([bias] if s.maybe(True) else []), s.pick(1, 3), axis=axis)
    if op == "InstanceNormalization":
        return Case(op, [x, *channels[:2]], epsilon=s.maybe(0.01))
    if op == "BatchNormalization":
        return Case(op, [x, *channels], epsilon=s.maybe(0.01))
    if op == "LpNormalization":
        return Case(op, [x], axis=s.axis(4), p=s.pick(1, 2))
    if op == "LRN":
        return Case(op, [x], size=s.pick(1, 3, 5), alpha=s.maybe(0.1), bias=s.maybe(2.0))
    if op == "GroupNormalization":
        return Case(op, [x, *channels[:2]], num_groups=s.pick(1, 2))
    return Case(op, [x], axes=s.maybe([0, 2, 3]))


def resize(s):
    rank = s.pick(1, 2, 2, 3)
    shape = [s.integer(1, 2), s.integer(1, 3)] + [s.integer(1, 7) for _ in range(rank)]
    mode = s.pick("nearest", "linear", "cubic") if rank == 2 else s.pick("nearest", "linear")
    attributes = {"mode": mode, "coordinate_transformation_mode": s.pick(
        "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric")}
    if mode == "nearest":
        attributes["nearest_mode"] = s.pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    if mode == "cubic":
        attributes["exclude_outside"] = s.pick(0, 1)
        attributes["cubic_coeff_a"] = s.pick(-0.75, -0.5)
    if s.maybe(True):
        scales = [1.0, 1.0] + [s.pick(0.5, 0.6, 1.0, 1.5, 2.0, 3.0) for _ in range(rank)]
        scales = [max(f, 1 / d) for f, d in zip(scales, shape)]
        # Where a scale leaves a fraction of a cell, onnxruntime drops it; the standard's own cases do not.
        if attributes["coordinate_transformation_mode"] in ("align_corners", "half_pixel_symmetric"):
            scales = [float(int(f + 0.9)) for f in scales]
        return Case("Resize", [s.tensor(shape), None, np.asarray(scales, np.float32)], opset=19, **attributes)
    sizes = shape[:2] + [s.integer(1, 9) for _ in range(rank)]
    return Case("Resize", [s.tensor(shape), None, None, i64(sizes)], opset=19, **attributes)


def space(s):
    block = s.pick(2, 3)
    if s.maybe(True):
        return Case("DepthToSpace", [s.tensor([s.integer(1, 2), block * block * 2, 2, 3])], blocksize=block, mode=s.pick("DCR", "CRD"))
    return Case("SpaceToDepth", [s.tensor([s.integer(1, 2), 2, block * 2, block * 3])], blocksize=block)


def quantize(s):
    shape = s.shape(1, 3, 0)
    axis = s.axis(len(shape))
    each = s.maybe(True)
    count = [shape[axis]] if each else []
    kind = s.pick(np.int8, np.uint8)
    scale, zero = s.tensor(count, low=0.05, high=0.3), s.tensor(count, kind, -5, 5)
    axis = axis if each else None
    if s.maybe(True):
        return Case("QuantizeLinear", [s.tensor(shape, low=-50, high=50), scale, zero], axis=axis)
    return Case("DequantizeLinear", [s.tensor(shape, kind, -128, 255), scale] + ([zero] if s.maybe(True) else []), axis=axis)


def integer_products(s):
    a_type, b_type = s.pick(np.uint8, np.int8), s.pick(np.uint8, np.int8)
    m, k, n = (s.integer(1, 9) for _ in range(3))
    kind = s.pick("MatMulInteger", "QLinearMatMul", "ConvInteger", "QLinearConv", "DynamicQuantizeLinear")
    if kind == "DynamicQuantizeLinear":
        return Case(kind, [s.tensor(s.shape(1, 3, 0))], 3)
    scale = [np.float32(0.02), np.float32(0.03), np.float32(s.pick(0.01, 0.5))]
    if "Conv" in kind:
        kernel, attributes = window(s, 2, [6, 6])
        a = s.tensor([1, 2, 6, 6], a_type, -128, 255)
        b = s.tensor([3, 2, *kernel], b_type, -128, 255)
    else:
        attributes = {}
        a, b = s.tensor([m, k], a_type, -128, 255), s.tensor([k, n], b_type, -128, 255)
    za, zb = np.asarray(3, a_type), np.asarray(5 if kind != "QLinearConv" else 0, b_type)
    if kind.startswith("QLinear"):
        return Case(kind, [a, scale[0], za, b, scale[1], zb, scale[2], np.asarray(7, a_type)], **attributes)
    return Case(kind, [a, b] + ([za, zb] if s.maybe(True) else []), **attributes)


def recurrent(s):
    op, gates = s.pick(("RNN", 1), ("GRU", 3), ("LSTM", 4))
    direction = s.pick("forward", "reverse", "bidirectional")
    d = 2 if direction == "bidirectional" else 1
    length, batch, size, hidden = s.integer(1, 5), s.integer(1, 3), s.integer(1, 4), s.pick(1, 3, 5)
    x, w = s.tensor([length, batch, size], low=-1, high=1), s.tensor([d, gates * hidden, size], low=-1, high=1)
    inputs = [x, w, s.tensor([d, gates * hidden, hidden], low=-1, high=1)]
    inputs.append(s.maybe(s.tensor([d, 2 * gates * hidden], low=-1, high=1)))
    inputs.append(s.maybe(s.n.integers(1, length + 1, [batch]).astype(np.int32)))
    inputs.append(s.maybe(s.tensor([d, batch, hidden], low=-1, high=1)))
    if op == "LSTM":
        inputs.append(s.maybe(s.tensor([d, batch, hidden], low=-1, high=1)))
        inputs.append(s.maybe(s.tensor([d, 3 * hidden], low=-1, high=1)))
    return Case(op, inputs, 3 if op == "LSTM" else 2, hidden_size=hidden, direction=direction, clip=s.maybe(0.5, 0.2),
                linear_before_reset=s.pick(0, 1) if op == "GRU" else None,
                input_forget=s.maybe(1, 0.2) if op == "LSTM" else None)


def cast(s):
    types = [np.float32, np.float64, np.float16, np.int32, np.int64, np.int8, np.uint8, np.bool_, np.int16, np.uint32]
    a, b = s.pick(*types), s.pick(*types)
    low = 0 if np.issubdtype(b, np.unsignedinteger) else -9
    return Case("Cast", [s.tensor(s.shape(), a, low, 9)], to=helper.np_dtype_to_tensor_dtype(np.dtype(b)))


def spectrum(s):
    n = s.pick(1, 2, 5, 8, 16, 31, 60, 97)
    sides = s.pick(0, 1)
    return Case("DFT", [s.tensor([2, n, 1 if sides else s.pick(1, 2)]), s.maybe(i64(s.integer(1, n + 3)))], opset=17,
                exact=True, onesided=sides, inverse=0 if sides else s.pick(0, 1))


def sampling(s):
    image = [s.integer(1, 5), s.integer(2, 6)]
    grid = s.tensor([2, 3, 4, 2], low=-1.4, high=1.4)
    return Case("GridSample", [s.tensor([2, 2, *image]), grid], opset=20, align_corners=s.pick(0, 1),
                mode=s.pick("linear", "nearest", "cubic"), padding_mode=s.pick("zeros", "border", "reflection"))


FAMILIES = [unary, unary, binary, binary, binary, where, clip, reduce, reduce, arg, softmax, top_k, cum_sum, transpose, reshape,
            slices, slices, gather, gather, scatter, concat, split, pad, pad, tile, expand, dims, find, find, matmul, matmul,
            gemm, einsum, conv, conv, conv, conv_transpose, pool, pool, pool, norm, norm, resize, resize, space, quantize,
            integer_products, integer_products, recurrent, recurrent, cast, spectrum, sampling]


def build(case, chance):
    """The model; inputs are initialisers with this chance, drawn for each."""
    names, feeds, infos, constants = [], {}, [], []
    for i, value in enumerate(case.inputs):
        names.append("" if value is None else f"x{i}")
        if value is None:
            continue
        value = np.asarray(value)
        if i > 0 and chance():
            constants.append(numpy_helper.from_array(value, names[-1]))
            continue
        feeds[names[-1]] = value
        infos.append(helper.make_tensor_value_info(names[-1], helper.np_dtype_to_tensor_dtype(value.dtype), value.shape))
    while names and not names[-1]:
        names.pop()
    outputs = [f"y{i}" for i in range(case.outputs)]
    node = helper.make_node(case.op, names, outputs, **case.attributes)
    graph = helper.make_graph([node], case.op, infos, [onnx.ValueInfoProto(name=o) for o in outputs], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", case.opset)], ir_version=10)
    return onnx.shape_inference.infer_shapes(model), feeds


def expect(model, feeds, exact):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        if not exact:
            return onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, feeds), "ort"
    except Exception:
        pass
    try:
        return ReferenceEvaluator(model).run(None, feeds), "reference"
    except Exception:
        return None, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family", help="only this one")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    families = [f for f in FAMILIES if arguments.family in (None, f.__name__)]
    written = 0
    for i in range(arguments.count):
        source = Source(arguments.seed * 1_000_000 + i)
        case = source.pick(*families)(source)
        model, feeds = build(case, lambda r=source.r: r.random() < 0.4)
        outputs, oracle = expect(model, feeds, case.exact)
        if outputs is None or any(o is None for o in outputs):
            continue
        for info, value in zip(model.graph.output, outputs):
            info.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(np.asarray(value).dtype)
            info.type.tensor_type.ClearField("shape")
        folder = arguments.folder / f"{case.op}_{oracle}_{i}"
        data = folder / "test_data_set_0"
        data.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        for j, info in enumerate(model.graph.input):
            (data / f"input_{j}.pb").write_bytes(to_proto(feeds[info.name], info).SerializeToString())
        for j, info in enumerate(model.graph.output):
            (data / f"output_{j}.pb").write_bytes(to_proto(np.asarray(outputs[j]), info).SerializeToString())
        written += 1
    print(f"{written} of {arguments.count} cases have outputs by onnxruntime {onnxruntime.__version__} or onnx {onnx.__version__}")


if __name__ == "__main__":
    main()
