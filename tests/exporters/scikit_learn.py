#!/usr/bin/env python3
"""Writes models of scikit-learn, XGBoost and LightGBM as folders that `neuromancer check` reads.

    pip install scikit-learn skl2onnx xgboost lightgbm onnxmltools onnxruntime pandas
    tests/exporters/scikit_learn.py FOLDER
    neuromancer check --rtol 1e-3 --atol 1e-4 FOLDER/*

Each case is trained on random data, converted, and run by onnxruntime, whose outputs are the expectation. FOLDER's
families.json says to which family each case belongs and which could not be converted or run, and why; with
`--table RESULTS.json`, what `check --json` wrote, the script prints the table of docs/exporters.md instead.
"""

import argparse
import importlib.metadata
import json
import pathlib
import warnings

import numpy as np
import onnx
import onnxruntime
from estimators import (
    BINARY,
    COLUMNS,
    MULTI,
    MULTILABEL,
    POSITIVE,
    SCORES,
    TEST,
    TEXT_LABELS,
    TRAIN,
    WORDS,
    X,
    classifiers,
    multilabel_classifiers,
    outliers_and_clusters,
    regressors,
    transformers,
)
from onnx import numpy_helper

warnings.filterwarnings("ignore")


def accept_numpy_scalars():
    """skl2onnx writes NumPy's integers and booleans, which protobuf has ceased to take."""
    make_attribute = onnx.helper.make_attribute

    def plain(value):
        number = value.item() if isinstance(value, np.generic) else value
        return int(number) if isinstance(number, bool) else number

    def make(key, value, *others, **options):
        value = [plain(v) for v in value] if isinstance(value, list) else value
        return make_attribute(key, value, *others, **options)

    onnx.helper.make_attribute = make


class Writer:
    """Converts fitted models, runs them and writes what goes in and out."""

    def __init__(self, folder):
        self.folder, self.cases = folder, []

    def add(self, family, name, convert, inputs):
        name = f"{len(self.cases):03}_{name}".replace(" ", "_")
        case = {"family": family, "name": name}
        self.cases.append(case)
        try:
            model = convert()
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            outputs = session.run(None, inputs)
        except Exception as problem:  # an optional tool that cannot do one thing must not stop the others
            case["refused"] = f"{type(problem).__name__}: {problem}".splitlines()[0][:400]
            return
        data_set = self.folder / name / "test_data_set_0"
        data_set.mkdir(parents=True, exist_ok=True)
        (self.folder / name / "model.onnx").write_bytes(model.SerializeToString())
        for i, port in enumerate(session.get_inputs()):
            self.write(data_set / f"input_{i}.pb", inputs[port.name])
        for i, value in enumerate(outputs):
            if isinstance(value, list) and isinstance(value[0], np.ndarray):
                (data_set / f"output_{i}.pb").write_bytes(numpy_helper.from_list(value).SerializeToString())
            elif isinstance(value, list):  # ZipMap's maps, whose entries stand in the order of the model's labels
                self.write(data_set / f"output_{i}.tensor.pb", np.array([list(m.values()) for m in value], np.float32))
                (data_set / f"output_{i}.pb").touch()
            else:
                self.write(data_set / f"output_{i}.pb", np.asarray(value))

    @staticmethod
    def write(path, array):
        array = array.astype(object) if array.dtype.kind in "US" else array
        path.write_bytes(numpy_helper.from_array(array).SerializeToString())


def to_onnx(model, x, **options):
    from skl2onnx import to_onnx as convert

    opsets = {"": 18, "ai.onnx.ml": 3}
    return convert(model, x[:1], target_opset=opsets, options={id(model): options} if options else None)


def scikit_learn(writer):
    from sklearn.base import clone
    from sklearn.svm import LinearSVC

    def add(family, model, x, y, variant, **options):
        name = f"{type(model).__name__}_{variant}"
        model = clone(model)
        try:
            model.fit(x[TRAIN], y[TRAIN]) if y is not None else model.fit(x[TRAIN])
        except (ValueError, TypeError):
            return  # this model takes no such labels or targets
        # What has one output only knows no such option.
        if isinstance(model, LinearSVC):
            options = {}
        writer.add(family, name, lambda: to_onnx(model, x, **options), {"X": x[TEST]})

    for family, model in classifiers():
        x = np.floor(POSITIVE * 2).astype(np.float32) if "NB" in type(model).__name__ else X
        if "CategoricalNB" in type(model).__name__:
            x = x.astype(np.int64)
        add(family, model, x, BINARY, "binary", zipmap=False)
        add(family, model, x, MULTI, "multiclass", zipmap=False)
        add(family, model, x, TEXT_LABELS, "text_labels")
        if x is X:
            add(family, model, X.astype(np.float64), MULTI, "double", zipmap=False)
    for family, model in multilabel_classifiers():
        add(family, model, X, MULTILABEL, "multilabel", zipmap=False)
    for family, model in regressors():
        y = np.exp(SCORES / 4)
        add(family, model, X, y[:, 0], "single")
        add(family, model, X, y, "targets")
        add(family, model, X.astype(np.float64), y[:, 0], "double")
    for family, model in outliers_and_clusters():
        add(family, model, X, None, "")
    for family, model in transformers():
        x = np.where(np.random.default_rng(3).random(X.shape) < 0.2, np.nan, X) if family == "imputing" else X
        add(family, model, x.astype(np.float32), MULTI, "float")
        add(family, model, x.astype(np.float64), MULTI, "double")


def pipelines(writer):
    import pandas
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
    from sklearn import (
        compose,
        ensemble,
        feature_extraction,
        impute,
        linear_model,
        naive_bayes,
        pipeline,
        preprocessing,
    )
    from sklearn.base import clone

    random = np.random.default_rng(5)
    colours = random.choice(["red", "green", "blue"], (len(X), 2)).astype(object)
    numbers = random.integers(0, 4, (len(X), 2)).astype(np.int64)
    texts = StringTensorType([None, 1])

    def add(family, name, model, x, y, inputs, types):
        def convert():
            model.fit(x.iloc[TRAIN] if hasattr(x, "iloc") else x[TRAIN], None if y is None else y[TRAIN])
            # onnxruntime asks the system for the converter's default, en_US, which few containers have.
            text = feature_extraction.text.CountVectorizer
            steps = [step for _, step in getattr(model, "steps", [("", model)]) if isinstance(step, text)]
            options = {id(step): {"locale": "C"} for step in steps} or None
            opsets = {"": 18, "ai.onnx.ml": 3}
            return convert_sklearn(model, initial_types=types, target_opset=opsets, options=options)

        writer.add(family, name, convert, inputs)

    for encoder in (
        preprocessing.OneHotEncoder(handle_unknown="ignore"),
        preprocessing.OneHotEncoder(drop="first"),
        preprocessing.OrdinalEncoder(),
    ):
        name = type(encoder).__name__
        two = [("x", StringTensorType([None, 2]))]
        add("encoding", name + "_text", encoder, colours, None, {"x": colours[TEST]}, two)
        two = [("x", Int64TensorType([None, 2]))]
        add("encoding", name + "_int", encoder, numbers, None, {"x": numbers[TEST]}, two)
    for y, kind in ((colours[:, 0], StringTensorType), (numbers[:, 0], Int64TensorType)):
        for encoder in (preprocessing.LabelEncoder(), preprocessing.LabelBinarizer()):
            fitted = encoder.fit(y[TRAIN])

            def convert(fitted=fitted, kind=kind):
                types = [("x", kind([None]))]
                return convert_sklearn(fitted, initial_types=types, target_opset={"": 18, "ai.onnx.ml": 3})

            writer.add("encoding", type(encoder).__name__, convert, {"x": y[TEST]})
    for vectoriser in (
        feature_extraction.text.CountVectorizer(),
        feature_extraction.text.CountVectorizer(ngram_range=(1, 2), binary=True),
        feature_extraction.text.TfidfVectorizer(),
        feature_extraction.text.TfidfVectorizer(ngram_range=(1, 3), norm=None, sublinear_tf=True),
    ):
        words = {"x": WORDS[TEST].reshape(-1, 1).astype(object)}
        add("text", type(vectoriser).__name__, vectoriser, WORDS, None, words, [("x", texts)])
        full = pipeline.make_pipeline(clone(vectoriser), linear_model.LogisticRegression())
        add("text", type(vectoriser).__name__ + "_model", full, WORDS, TEXT_LABELS, words, [("x", texts)])
    bayes = pipeline.make_pipeline(feature_extraction.text.CountVectorizer(), naive_bayes.MultinomialNB())
    add("text", "CountVectorizer_bayes", bayes, WORDS, MULTI, words, [("x", texts)])

    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": colours[:, 0], "d": numbers[:, 0]})
    given = {k: frame[[k]].to_numpy()[TEST] for k in frame.columns}
    given["c"] = given["c"].astype(object)
    columns = [("a", FloatTensorType([None, 1])), ("b", FloatTensorType([None, 1])), ("c", texts)]
    columns.append(("d", Int64TensorType([None, 1])))
    numeric = pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler())
    for model in (
        linear_model.LogisticRegression(),
        ensemble.RandomForestClassifier(n_estimators=5, random_state=0),
        ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0),
    ):
        mixed = compose.ColumnTransformer(
            [
                ("numeric", numeric, ["a", "b"]),
                ("text", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["c"]),
                ("rest", preprocessing.OrdinalEncoder(), ["d"]),
            ]
        )
        full = pipeline.make_pipeline(mixed, model)
        add("pipelines", "columns_" + type(model).__name__, full, frame, TEXT_LABELS, given, columns)
    union = pipeline.make_union(preprocessing.StandardScaler(), preprocessing.PolynomialFeatures(2))
    full = pipeline.make_pipeline(union, linear_model.Ridge())
    add("pipelines", "union", full, X, SCORES[:, 0], {"x": X[TEST]}, [("x", FloatTensorType([None, COLUMNS]))])


def boosters(writer):
    import lightgbm
    import xgboost
    from onnxmltools import convert_lightgbm, convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    types = [("x", FloatTensorType([None, COLUMNS]))]
    holes = np.where(np.random.default_rng(3).random(X.shape) < 0.1, np.nan, X).astype(np.float32)

    def add(family, name, model, y, x=X, **options):
        def convert():
            model.fit(x[TRAIN], y[TRAIN])
            if family == "XGBoost":
                return convert_xgboost(model, initial_types=types, target_opset=15)
            return convert_lightgbm(model, initial_types=types, target_opset=15, **options)

        writer.add(family, name, convert, {"x": x[TEST]})

    small = {"n_estimators": 9, "max_depth": 4}
    one, count = SCORES[:, 0], np.floor(np.exp(SCORES[:, 0] / 3))
    for x, kind in ((X, ""), (holes, "_holes")):
        add("XGBoost", "classifier_binary" + kind, xgboost.XGBClassifier(**small), BINARY, x)
        add("XGBoost", "classifier_multi" + kind, xgboost.XGBClassifier(**small), MULTI, x)
        add("XGBoost", "regressor" + kind, xgboost.XGBRegressor(**small), one, x)
    add("XGBoost", "classifier_softmax", xgboost.XGBClassifier(**small, objective="multi:softmax"), MULTI)
    add("XGBoost", "classifier_dart", xgboost.XGBClassifier(**small, booster="dart"), MULTI)
    add("XGBoost", "classifier_base", xgboost.XGBClassifier(**small, base_score=0.3), BINARY)
    add("XGBoost", "regressor_base", xgboost.XGBRegressor(**small, base_score=1.5), one)
    add("XGBoost", "regressor_logistic", xgboost.XGBRegressor(**small, objective="reg:logistic"), BINARY)
    add("XGBoost", "regressor_poisson", xgboost.XGBRegressor(**small, objective="count:poisson"), count)
    add("XGBoost", "regressor_gamma", xgboost.XGBRegressor(**small, objective="reg:gamma"), count + 1)
    add("XGBoost", "regressor_linear", xgboost.XGBRegressor(n_estimators=9, booster="gblinear"), one)
    add("XGBoost", "forest_classifier", xgboost.XGBRFClassifier(**small), MULTI)
    add("XGBoost", "forest_regressor", xgboost.XGBRFRegressor(**small), one)
    add("XGBoost", "ranker", xgboost.XGBRegressor(**small, objective="reg:squarederror", max_leaves=5), one)
    light = {"n_estimators": 9, "num_leaves": 9, "min_child_samples": 3, "verbose": -1}
    for x, kind in ((X, ""), (holes, "_holes")):
        add("LightGBM", "classifier_binary" + kind, lightgbm.LGBMClassifier(**light), BINARY, x)
        add("LightGBM", "classifier_multi" + kind, lightgbm.LGBMClassifier(**light), MULTI, x, zipmap=False)
        add("LightGBM", "regressor" + kind, lightgbm.LGBMRegressor(**light), one, x)
    add("LightGBM", "classifier_text", lightgbm.LGBMClassifier(**light), TEXT_LABELS)
    add("LightGBM", "classifier_dart", lightgbm.LGBMClassifier(**light, boosting_type="dart"), MULTI)
    add("LightGBM", "classifier_ova", lightgbm.LGBMClassifier(**light, objective="multiclassova"), MULTI)
    forest = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}
    add("LightGBM", "forest_classifier", lightgbm.LGBMClassifier(**light, **forest), BINARY)
    for objective in ("poisson", "gamma", "tweedie", "mae", "huber", "quantile"):
        y = count + 1 if objective in ("poisson", "gamma", "tweedie") else one
        add("LightGBM", "regressor_" + objective, lightgbm.LGBMRegressor(**light, objective=objective), y)
    add("LightGBM", "regressor_split", lightgbm.LGBMRegressor(**light), one, split=2)


def print_table(folder, results):
    families = json.loads((folder / "families.json").read_text())
    outcomes = {r["name"]: r["outcome"] for r in json.loads(pathlib.Path(results).read_text())}
    table = {}
    for case in families["cases"]:
        tool = case["family"] if case["family"] in ("XGBoost", "LightGBM") else "scikit-learn: " + case["family"]
        row = table.setdefault(tool, [0, 0, 0])
        if "refused" in case:
            row[2] += 1
        else:
            row[0] += 1
            row[1] += outcomes[case["name"]] == "passed"
    print(", ".join(f"{k} {v}" for k, v in families["versions"].items()) + "\n")
    print("| family | models | agree | not exported |\n|---|---:|---:|---:|")
    for tool, (models, agree, refused) in table.items():
        print(f"| {tool} | {models} | {agree} | {refused} |")
    total = [sum(column) for column in zip(*table.values())]
    print(f"| **all** | {total[0]} | {total[1]} | {total[2]} |")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--table", metavar="RESULTS.json")
    given = arguments.parse_args()
    if given.table:
        return print_table(given.folder, given.table)
    onnxruntime.set_default_logger_severity(4)
    accept_numpy_scalars()
    writer = Writer(given.folder)
    scikit_learn(writer)
    pipelines(writer)
    boosters(writer)
    tools = "onnx scikit-learn skl2onnx xgboost lightgbm onnxmltools onnxruntime".split()
    versions = {tool: importlib.metadata.version(tool) for tool in tools}
    (given.folder / "families.json").write_text(json.dumps({"versions": versions, "cases": writer.cases}, indent=1))
    written = sum("refused" not in case for case in writer.cases)
    print(f"{written} models written, {len(writer.cases) - written} not exported (see families.json)")


if __name__ == "__main__":
    main()
