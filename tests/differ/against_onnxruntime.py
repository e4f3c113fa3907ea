"""Runs cases that `nm_differ --write FOLDER` has written through onnxruntime and says where it computes something else.

    pip install onnxruntime onnx
    build/native/nm_differ --count 2000 --seed 3 --write build/differ-cases
    python tests/differ/against_onnxruntime.py build/differ-cases

How much a number may differ is measured: onnxruntime also runs inputs that are off by some last bits.
"""

import argparse
import collections
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

LOOSENESS = {np.dtype(np.float16): 4e-3, np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-4}


def tensors(folder, prefix):
    files = sorted(folder.glob(f"{prefix}_*.pb"), key=lambda p: int(p.stem.rsplit("_", 1)[1]))
    return [onnx.TensorProto.FromString(f.read_bytes()) for f in files]


def as_numbers(array):
    return array.astype(np.float64) if array.dtype.kind in "fiub" or array.dtype.name == "bfloat16" else array


class Case:
    def __init__(self, folder):
        self.model = onnx.load(folder / "model.onnx")
        data = folder / "test_data_set_0"
        self.inputs = {t.name: numpy_helper.to_array(t) for t in tensors(data, "input")}
        self.expected = [numpy_helper.to_array(t) for t in tensors(data, "output")]
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(self.model.SerializeToString(), options, ["CPUExecutionProvider"])

    def run(self, inputs):
        return self.session.run(None, inputs)

    def nudged(self, seed):
        rng = np.random.default_rng(seed)
        moved = {}
        for name, value in self.inputs.items():
            by = 1 + rng.uniform(-1e-6, 1e-6, value.shape)
            moved[name] = (value * by).astype(value.dtype) if value.dtype.kind == "f" else value
        return moved

    def difference(self):
        """None where both say the same."""
        actual = self.run(self.inputs)
        others = None
        for o, (theirs, ours) in enumerate(zip(actual, self.expected)):
            if theirs.shape != ours.shape or theirs.dtype != ours.dtype:
                return f"output {o} is {ours.dtype}{list(ours.shape)}, onnxruntime has {theirs.dtype}{list(theirs.shape)}"
            x, y = as_numbers(theirs), as_numbers(ours)
            finite = np.abs(x[np.isfinite(x)])
            largest = finite.max() if finite.size else 0
            loose = LOOSENESS.get(theirs.dtype, 0)
            allowed = loose * (np.abs(x) + 0.05 * largest) + (1e-5 if loose else 0)
            with np.errstate(invalid="ignore"):
                same = (x == y) | (np.isnan(x) & np.isnan(y)) | (np.abs(x - y) <= allowed)
            if same.all():
                continue
            if others is None:
                others = [self.run(self.nudged(seed)) for seed in range(8)]
            for other in others:
                z = as_numbers(other[o])
                with np.errstate(invalid="ignore"):
                    moved = np.abs(z - x)
                    same |= ~np.isfinite(moved) & ~((x == z) | (np.isnan(x) & np.isnan(z)))
                    same |= np.abs(x - y) <= allowed + 30 * np.where(np.isfinite(moved), moved, 0)
            if not same.all():
                at = tuple(int(i) for i in np.argwhere(~same)[0])
                return f"output {o}{list(at)} is {y[at]}, onnxruntime has {x[at]}"
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    counts = collections.Counter()
    refused = collections.Counter()
    for folder in sorted(p.parent for p in arguments.folder.glob("*/model.onnx")):
        try:
            case = Case(folder)
            found = case.difference()
        except Exception as error:  # onnxruntime has many kinds
            counts["refused by onnxruntime"] += 1
            refused[str(error).replace("\n", " ")[:160]] += 1
            continue
        counts["different" if found else "same"] += 1
        if found:
            print(f"{folder}: {' '.join(n.op_type for n in case.model.graph.node)}\n  {found}")
    for message, count in refused.most_common(25):
        print(f"{count:6} refused: {message}")
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    raise SystemExit(counts["different"] > 0)


if __name__ == "__main__":
    main()
