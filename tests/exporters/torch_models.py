#!/usr/bin/env python3
"""Writes models of PyTorch's world, with random weights, as folders that `neuromancer check` reads.

    pip install torch torchvision timm transformers diffusers onnxscript onnx onnxruntime
    tests/exporters/torch_models.py FOLDER [--only WORD...]
    neuromancer check --quiet --rtol 1e-3 --atol 1e-4 --json RESULTS.json FOLDER/*
    tests/exporters/torch_models.py FOLDER --table RESULTS.json

Every model of torch_families.py is exported by both exporters of torch.onnx, each with an old and a new operator set.
Where a family has several sets of inputs, the axes in which the first two differ are exported as dynamic.
onnxruntime's outputs are the expectation; where they depend on whether it optimises, the case is "unsteady" and decides
nothing. FOLDER/cases.json says what was written, with which operators, and what could
not be exported or run, and why. A family is kept whose name contains a WORD.
"""

import argparse
import collections
import importlib.metadata
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import time
import traceback
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch_families import FAMILIES

warnings.filterwarnings("ignore")
LIMIT_SECONDS = 420
EXPORTS = (("script", 13), ("script", 17), ("dynamo", 18), ("dynamo", 23))


def randomize(model, seed=0):
    """Weights for which all of a model matters: not the zeros and hundredths that it would be trained from."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in list(model.named_parameters()) + list(model.named_buffers()):
            if not p.is_floating_point() or p.numel() == 0:
                continue
            if p.dim() >= 2 and isinstance(p, torch.nn.Parameter):
                fan = p[0].numel() if p.dim() > 2 or p.shape[0] < 4096 else p.shape[1]
                p.normal_(0, max(fan**-0.5, 0.02), generator=generator)
            elif name.endswith("running_var") or (name.endswith("weight") and isinstance(p, torch.nn.Parameter)):
                p.uniform_(0.6, 1.4, generator=generator)
            elif name.endswith(("running_mean", "bias")):
                p.normal_(0, 0.1, generator=generator)


def calibrate(family):
    """Batch normalisation with the statistics of its own inputs, as after training: nothing explodes, nothing dies."""
    norms = [m for m in family.model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    try:
        family.call(family.model, max(family.sets(), key=lambda x: sum(t.numel() for t in x.values())))
    except ValueError:  # one pixel of one image has no variance
        pass
    for norm in norms:
        norm.eval()
        if norm.running_var is not None:
            norm.running_var.nan_to_num_(1.0).clamp_(min=0.01)
            norm.running_mean.nan_to_num_(0.0)


def tensors_of(value):
    """All tensors of an output, in their order: those of dictionaries, tuples and caches too."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif hasattr(value, "layers"):
        value = [t for layer in value.layers for t in (layer.keys, layer.values)]
    elif not isinstance(value, (list, tuple)):
        return []
    return [t for item in value for t in tensors_of(item)]


class Flat(torch.nn.Module):
    """A model whose inputs and outputs are tensors by position."""

    def __init__(self, family, names):
        super().__init__()
        self.model, self.call, self.names = family.model, family.call, names

    def forward(self, *tensors):
        return tuple(tensors_of(self.call(self.model, dict(zip(self.names, tensors)))))


def dynamic_axes(inputs, others):
    """The axes in which two sets of inputs differ. Axes with the same two sizes share a name."""
    axes = {}
    for name, tensor in inputs.items():
        pairs = zip(tensor.shape, others[name].shape)
        axes[name] = {axis: f"n{a}_{b}" for axis, (a, b) in enumerate(pairs) if a != b}
    return axes


def export(module, sets, exporter, opset, path):
    names, values = list(sets[0]), tuple(sets[0].values())
    axes = dynamic_axes(sets[0], sets[min(1, len(sets) - 1)])
    if exporter == "script":
        torch.onnx.export(module, values, path, dynamo=False, opset_version=opset, input_names=names, dynamic_axes=axes)
        return
    dynamic = (tuple({axis: torch.export.Dim.DYNAMIC for axis in axes[name]} for name in names),)
    torch.onnx.export(
        module,
        values,
        path,
        dynamo=True,
        opset_version=opset,
        input_names=names,
        dynamic_shapes=dynamic,
        external_data=False,
        verbose=False,
    )


def session_of(path, level):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, "ORT_" + level)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def write(path, array):
    path.write_bytes(numpy_helper.from_array(np.asarray(array)).SerializeToString())


def write_case(folder, make, exporter, opset):
    """Exports and runs one model. Returns what cases.json says of it."""
    torch.manual_seed(0)
    np.random.seed(0)
    family = make()
    family.model.eval()
    randomize(family.model)
    with torch.no_grad():
        calibrate(family)
    sets = family.sets()
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        module = Flat(family, list(sets[0])).eval()
        export(module, sets, exporter, opset, str(folder / "model.onnx"))
    model = onnx.load(folder / "model.onnx")
    operators = collections.Counter(operator_names(model.graph))
    for function in model.functions:
        operators.update(operator_names(function))
    session, plain = (session_of(str(folder / "model.onnx"), level) for level in ("ENABLE_ALL", "DISABLE_ALL"))
    case = {"opset": {i.domain or "ai.onnx": i.version for i in model.opset_import}, "operators": operators, "sets": 0}
    for number, values in enumerate(sets):
        try:
            given = {port.name: values[port.name].numpy() for port in session.get_inputs()}
            results, again = session.run(None, given), plain.run(None, given)
        except Exception as problem:
            if number == 0:
                raise
            case["other_shapes"] = first_line(problem)
            break
        data_set = folder / f"test_data_set_{number}"
        data_set.mkdir()
        for i, port in enumerate(session.get_inputs()):
            write(data_set / f"input_{i}.pb", values[port.name].numpy())
        for i, result in enumerate(results):
            write(data_set / f"output_{i}.pb", result)
        case["sets"] += 1
        if not all(
            a.shape == b.shape and np.allclose(a, b, 1e-3, 1e-4, equal_nan=True) for a, b in zip(results, again)
        ):
            case["unsteady"] = number
    return case


def operator_names(graph):
    for node in graph.node:
        yield (node.domain + "." if node.domain not in ("", "ai.onnx") else "") + node.op_type
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from operator_names(inner)


def first_line(problem):
    chain = [problem]
    while chain[-1].__cause__:
        chain.append(chain[-1].__cause__)
    texts = [f"{type(p).__name__}: {p}".strip().splitlines()[0] for p in chain]
    return re.sub(r"\s+", " ", texts[-1])[:400]


def in_child(queue, *arguments):
    for stream in (1, 2):  # the exporters' progress and whole graphs
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    try:
        queue.put(write_case(*arguments))
    except BaseException as problem:
        queue.put({"refused": first_line(problem), "trace": "".join(traceback.format_exception(problem))[-6000:]})


def attempt(*arguments):
    """One export in a process of its own, which may crash, hang or leave things behind."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=in_child, args=(queue, *arguments))
    child.start()
    end = time.time() + LIMIT_SECONDS
    while queue.empty() and child.is_alive() and time.time() < end:
        time.sleep(0.05)
    if queue.empty():
        late = child.is_alive()
        child.kill()
        child.join()
        return {"refused": f"no end in {LIMIT_SECONDS} s" if late else f"the exporter crashed ({child.exitcode})"}
    case = queue.get()
    child.join()
    return case


def print_table(folder, results):
    outcomes = {r["name"]: r["outcome"] for r in json.loads(pathlib.Path(results).read_text())}
    listing = json.loads((folder / "cases.json").read_text())
    columns = [f"{exporter} {opset}" for exporter, opset in EXPORTS]
    print(", ".join(f"{k} {v}" for k, v in listing["versions"].items()) + "\n")
    print("| family | " + " | ".join(columns) + " | operators |")
    print("|---|" + "---|" * len(columns) + "---:|")
    rows, agree = {}, 0
    for name, case in listing["cases"].items():
        rows.setdefault(case["family"], {})[f"{case['exporter']} {case['asked']}"] = (name, case)
    for family, row in sorted(rows.items(), key=lambda r: r[0].lower()):
        cells, operators = [], set()
        for column in columns:
            name, case = row.get(column, (None, {}))
            operators.update(case.get("operators", {}))
            if not case:
                cells.append("")
            elif "refused" in case:
                cells.append("–")
            else:
                agrees = outcomes.get(name) == "passed"
                agree += agrees
                marks = " ¹" * ("other_shapes" in case) + " ²" * ("unsteady" in case)
                cells.append(("yes" if agrees else "**no**") + marks)
        print(f"| {family} | " + " | ".join(cells) + f" | {len(operators)} |")
    written = sum("refused" not in case for case in listing["cases"].values())
    print(f"\n{len(rows)} families, {written} models of which {agree} agree, ", end="")
    print(f"{len(listing['cases']) - written} not exported.")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--only", nargs="+", metavar="WORD", default=[""])
    arguments.add_argument("--exports", nargs="+", metavar="EXPORTER:OPSET", help="such as dynamo:21")
    arguments.add_argument("--missing", action="store_true", help="only what was not exported before")
    arguments.add_argument("--table", metavar="RESULTS.json")
    given = arguments.parse_args()
    if given.table:
        return print_table(given.folder, given.table)
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # a fused kernel that no exporter knows
    onnxruntime.set_default_logger_severity(4)
    given.folder.mkdir(parents=True, exist_ok=True)
    listing = given.folder / "cases.json"
    tools = "torch torchvision timm transformers diffusers onnxscript onnx onnxruntime".split()
    versions = {tool: importlib.metadata.version(tool) for tool in tools}
    cases = json.loads(listing.read_text())["cases"] if listing.exists() else {}
    exports = [(e, int(o)) for e, o in (x.split(":") for x in given.exports)] if given.exports else EXPORTS
    for family, make in FAMILIES.items():
        if not any(word.lower() in family.lower() for word in given.only):
            continue
        for exporter, opset in exports:
            name = re.sub(r"[^a-z0-9]+", "_", family.lower()).strip("_") + f"_{exporter}{opset}"
            if given.missing and name in cases and not {"refused", "other_shapes"} & cases[name].keys():
                continue
            shutil.rmtree(given.folder / name, ignore_errors=True)
            start = time.time()
            case = attempt(given.folder / name, make, exporter, opset)
            if "refused" in case:
                shutil.rmtree(given.folder / name, ignore_errors=True)
            cases[name] = {"family": family, "exporter": exporter, "asked": opset, **case}
            listing.write_text(json.dumps({"versions": versions, "cases": cases}, indent=1))
            print(
                f"{name} ({time.time() - start:.0f} s): {case.get('refused', case.get('other_shapes', 'ok'))}",
                flush=True,
            )


if __name__ == "__main__":
    main()
