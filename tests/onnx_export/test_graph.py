"""The network in operators of ONNX, against its predictions."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from onnx_export.models import RUNTIME, assert_same, fit, runtime, small
from sk_mlp._network.activations import ACTIVATIONS
from sk_mlp.onnx import to_onnx
from sk_mlp.onnx.graph import ACTIVATION_NODES


def test_every_activation_has_nodes():
    assert ACTIVATION_NODES.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation, dtype, run):
    if run is runtime and activation == "silu" and dtype == np.float64 and RUNTIME < (1, 22):
        pytest.skip("onnxruntime fuses silu to a kernel that it has in single precision only")
    X, y = load_iris(return_X_y=True)
    X = X.astype(dtype)
    model = fit(X, y, activation=activation)
    assert_same(run(to_onnx(model, hidden=True), {"X": X}), model, X, hidden=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("data", [load_breast_cancer, load_digits])
def test_binary_and_multiclass(data, dtype, run):
    X, y = data(return_X_y=True)
    X = X.astype(dtype)
    model = fit(X, y)
    assert_same(run(to_onnx(model), {"X": X}), model, X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_multilabel(dtype, run):
    X, y = load_iris(return_X_y=True)
    X = X.astype(dtype)
    model = fit(X, np.column_stack([y == 0, y >= 1, X[:, 0] > 6]).astype(int))
    assert_same(run(to_onnx(model, hidden=True), {"X": X}), model, X, hidden=True)


NAMES = np.array(["setosa", "versicolor", "virginica"])


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: y == 1,
        lambda y: y.astype(np.int8) - 1,
        lambda y: y.astype(np.uint32),
        lambda y: y.astype(float),
        lambda y: NAMES[y],
        lambda y: NAMES.astype(object)[y],
        lambda y: NAMES[np.minimum(y, 1)],
    ],
    ids=["bool", "int8", "uint32", "float", "str", "object", "binary str"],
)
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_labels(labels, in_pipeline, run):
    X, y = load_iris(return_X_y=True)
    model = fit(X, labels(y))
    if in_pipeline:
        pytest.importorskip("skl2onnx")
        model = make_pipeline(StandardScaler(), model).fit(X, labels(y))
    got = run(to_onnx(model), {"X": X})
    assert_same(got, model, X)
    if labels(y).dtype.kind == "b":
        assert got["label"].dtype == bool


def test_labels_that_onnx_does_not_have():
    X, y = load_iris(return_X_y=True)
    dates = np.array(["2024-01-01", "2024-01-02", "2024-01-03"], dtype="datetime64[D]")
    model = fit(X, y)
    model.classes_ = dates
    with pytest.raises(ValueError, match="numbers, strings and booleans only"):
        to_onnx(model)


def test_labels_above_those_of_int64():
    X, y = load_iris(return_X_y=True)
    labels = np.array([1, 2, 2**63 + 5], dtype=np.uint64)
    with pytest.raises(ValueError, match=r"below 2\*\*63 only; got 9223372036854775813"):
        to_onnx(small().fit(X, labels[y]))


def test_any_number_of_rows(run):
    X, y = load_breast_cancer(return_X_y=True)
    model = fit(X, y)
    for rows in (X[:1], X[:7]):
        assert_same(run(to_onnx(model), {"X": rows}), model, rows)


def test_versions_are_those_of_old_runtimes():
    from onnx import checker

    X, y = load_iris(return_X_y=True)
    graph = to_onnx(fit(X, y))
    assert {(entry.domain, entry.version) for entry in graph.opset_import} == {("", 18)}
    assert graph.ir_version == 9
    assert graph.producer_name == "sk_mlp"
    checker.check_model(graph, full_check=True)
