#!/usr/bin/env python3
"""Writes what onnxruntime's own tools make of models: optimised, quantised and halved, for `neuromancer check`.

    pip install onnx onnxruntime sympy
    tests/exporters/ort_models.py FOLDER OUT [--only WORD...]
    neuromancer check --quiet --rtol 1e-2 --atol 1e-2 --json RESULTS.json OUT/*
    tests/exporters/ort_models.py FOLDER OUT --table RESULTS.json

FOLDER holds models with inputs, as torch_models.py writes them. Each is taken through every tool below; onnxruntime runs
what comes out, without rewriting it further, and its outputs are the expectation. OUT/cases.json says which operators
each tool brought in, and what a tool or onnxruntime refused. Numbers that are rounded to 8 bits, or to 16-bit floats,
fall to the other side now and then, hence the tolerances.
"""

import argparse
import collections
import importlib.metadata
import json
import logging
import pathlib
import re
import shutil

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime import quantization

logging.disable(logging.WARNING)


def options(level):
    chosen = onnxruntime.SessionOptions()
    chosen.graph_optimization_level = level
    return chosen


class Samples(quantization.CalibrationDataReader):
    def __init__(self, sets):
        self.sets = iter(sets)

    def get_next(self):
        return next(self.sets, None)


def optimized(source, target, sets):
    """What a session saves: fusions into operators of com.microsoft."""
    chosen = options(onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED)
    chosen.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(source), chosen, providers=["CPUExecutionProvider"])


def fused(source, target, sets):
    """The tool for transformers: attention, embeddings and skip connections as single operators."""
    from onnxruntime.transformers import optimizer

    model = optimizer.optimize_model(str(source), "bert", num_heads=4, hidden_size=32, opt_level=0)
    if not any(node.domain == "com.microsoft" for node in model.model.graph.node):
        raise ValueError("nothing was fused")
    model.save_model_to_file(str(target))


def half(source, target, sets):
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=True), target)


def dynamic_int8(source, target, sets):
    quantization.quantize_dynamic(source, target, weight_type=quantization.QuantType.QInt8, per_channel=True)


def static(form, **settings):
    def quantize(source, target, sets):
        quantization.quantize_static(source, target, Samples(sets), quant_format=form, **settings)

    return quantize


def blocks(bits):
    def quantize(source, target, sets):
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        tool = MatMulNBitsQuantizer(
            onnx.load(source), bits=bits, block_size=16, is_symmetric=bits == 4, accuracy_level=1
        )
        tool.process()
        if not any(node.op_type == "MatMulNBits" for node in tool.model.model.graph.node):
            raise ValueError("no product has constant weights")
        tool.model.save_model_to_file(str(target))

    return quantize


U8, S8 = quantization.QuantType.QUInt8, quantization.QuantType.QInt8
TOOLS = {
    "optimised": optimized,
    "fused attention": fused,
    "float16": half,
    "int8, dynamic": dynamic_int8,
    "int8, QDQ": static(quantization.QuantFormat.QDQ, per_channel=True, activation_type=U8, weight_type=S8),
    "int8, QOperator": static(quantization.QuantFormat.QOperator, activation_type=U8, weight_type=U8),
    "4-bit products": blocks(4),
    "8-bit products": blocks(8),
}


def read_sets(folder, names):
    for data in sorted(folder.glob("test_data_set_*")):
        arrays = [numpy_helper.to_array(onnx.load_tensor(data / f"input_{i}.pb")) for i in range(len(names))]
        yield dict(zip(names, arrays))


def write_case(source, target, tool):
    plain = options(onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    before = onnx.load(source / "model.onnx")
    sets = list(read_sets(source, [value.name for value in before.graph.input]))
    target.mkdir(parents=True)
    tool(source / "model.onnx", target / "model.onnx", sets)
    model = onnx.load(target / "model.onnx")
    session = onnxruntime.InferenceSession(str(target / "model.onnx"), plain, providers=["CPUExecutionProvider"])
    for number, values in enumerate(sets):
        results = session.run(None, values)
        data = target / f"test_data_set_{number}"
        data.mkdir()
        for kind, arrays in (("input", [values[port.name] for port in session.get_inputs()]), ("output", results)):
            for i, array in enumerate(arrays):
                (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(np.asarray(array)).SerializeToString())
    old = {(node.domain, node.op_type) for node in before.graph.node}
    new = collections.Counter((node.domain, node.op_type) for node in model.graph.node)
    return {"operators": {f"{d}.{o}".lstrip("."): n for (d, o), n in new.items() if (d, o) not in old}}


def print_table(out, results):
    outcomes = {r["name"]: r["outcome"] for r in json.loads(pathlib.Path(results).read_text())}
    listing = json.loads((out / "cases.json").read_text())
    print(", ".join(f"{k} {v}" for k, v in listing["versions"].items()) + "\n")
    print("| tool | models | agree | refused | operators that it brings in |\n|---|---:|---:|---:|---|")
    for tool in TOOLS:
        cases = {name: case for name, case in listing["cases"].items() if case["tool"] == tool}
        written = [name for name, case in cases.items() if "refused" not in case]
        brought = sorted({operator for name in written for operator in cases[name]["operators"]})
        agree = sum(outcomes.get(name) == "passed" for name in written)
        print(f"| {tool} | {len(written)} | {agree} | {len(cases) - len(written)} | {', '.join(brought)} |")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--only", nargs="+", metavar="WORD", default=[""])
    arguments.add_argument("--table", metavar="RESULTS.json")
    given = arguments.parse_args()
    if given.table:
        return print_table(given.out, given.table)
    onnxruntime.set_default_logger_severity(4)
    given.out.mkdir(parents=True, exist_ok=True)
    listing = given.out / "cases.json"
    cases = json.loads(listing.read_text())["cases"] if listing.exists() else {}
    for source in sorted(path.parent for path in given.folder.glob("*/model.onnx")):
        if not any(word in source.name for word in given.only):
            continue
        for tool, convert in TOOLS.items():
            name = source.name + "_" + re.sub(r"[^a-z0-9]+", "_", tool.lower())
            shutil.rmtree(given.out / name, ignore_errors=True)
            try:
                case = write_case(source, given.out / name, convert)
            except Exception as problem:  # what one tool cannot do must not stop the others
                shutil.rmtree(given.out / name, ignore_errors=True)
                case = {"refused": f"{type(problem).__name__}: {problem}".strip().splitlines()[0][:400]}
            cases[name] = {"tool": tool, "model": source.name, **case}
            print(f"{name}: {case.get('refused', 'ok')}", flush=True)
        versions = {tool: importlib.metadata.version(tool) for tool in ("onnx", "onnxruntime")}
        listing.write_text(json.dumps({"versions": versions, "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
