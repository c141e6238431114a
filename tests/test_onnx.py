"""ONNX graphs against the estimators they were made from."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV
from sk_mlp._network.activations import ACTIVATIONS

onnx = pytest.importorskip("onnx")
from onnx.reference import ReferenceEvaluator

from sk_mlp.onnx import to_onnx
from sk_mlp.onnx.graph import ACTIVATION_NODES

try:
    from onnxruntime import InferenceSession
except ImportError:
    InferenceSession = None

# of probabilities; double precision differs by the order of sums and by exp and tanh
TOLERANCE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-12}


def reference(model, feeds):
    names = [output.name for output in model.graph.output]
    return dict(zip(names, ReferenceEvaluator(model).run(None, feeds), strict=True))


def runtime(model, feeds):
    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds), strict=True))


ENGINES = [
    reference,
    pytest.param(
        runtime, marks=pytest.mark.skipif(InferenceSession is None, reason="needs onnxruntime")
    ),
]


@pytest.fixture(params=ENGINES)
def run(request):
    return request.param


def fit(X, y, hidden_units=8, **options):
    options = {"solver": "lbfgs", "n_init": 1, "tol": 1e-3, "random_state": 0, **options}
    return TwoLayerMLPClassifier(hidden_units, **options).fit(X, y)


def assert_same(got, model, X, *, hidden=False, tolerance=None):
    tolerance = tolerance or TOLERANCE[X.dtype]
    expected = model.predict(X)
    assert got["label"].shape == expected.shape
    assert_array_equal(got["label"], expected)
    assert_allclose(got["probabilities"], model.predict_proba(X), rtol=0, atol=tolerance)
    assert got["probabilities"].dtype == X.dtype
    assert ("hidden" in got) == hidden
    if hidden:
        H = model.transform(X)
        assert_allclose(got["hidden"], H, rtol=0, atol=10 * tolerance * np.abs(H).max())


def test_every_activation_has_nodes():
    assert ACTIVATION_NODES.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation, dtype, run):
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


def test_the_graph_may_have_another_precision(run):
    X, y = load_iris(return_X_y=True)
    model = fit(X, y)
    single = run(to_onnx(model, dtype=np.float32), {"X": X.astype(np.float32)})
    assert single["probabilities"].dtype == np.float32
    assert_allclose(single["probabilities"], model.predict_proba(X), rtol=0, atol=1e-6)
    model32 = fit(X.astype(np.float32), y)
    double = run(to_onnx(model32, dtype=np.float64), {"X": X.astype(np.float32).astype(float)})
    assert double["probabilities"].dtype == np.float64
    with pytest.raises(ValueError, match="dtype must be float32 or float64; got int64"):
        to_onnx(model, dtype=np.int64)


def test_any_number_of_rows(run):
    X, y = load_breast_cancer(return_X_y=True)
    model = fit(X, y)
    for rows in (X[:1], X[:7]):
        assert_same(run(to_onnx(model), {"X": rows}), model, rows)


def test_versions_are_those_of_old_runtimes():
    X, y = load_iris(return_X_y=True)
    graph = to_onnx(fit(X, y))
    assert {(entry.domain, entry.version) for entry in graph.opset_import} == {("", 18)}
    assert graph.ir_version == 9
    assert graph.producer_name == "sk_mlp"
    onnx.checker.check_model(graph, full_check=True)


def test_after_partial_fit(run):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(8, random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    assert_same(run(to_onnx(model), {"X": X}), model, X)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_the_search_over_alpha(in_pipeline, run):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifierCV(4, alphas=[1.0], cv=2, random_state=0)
    if in_pipeline:
        pytest.importorskip("skl2onnx")
        model = make_pipeline(StandardScaler(), model)
    model.fit(X, y)
    assert_same(run(to_onnx(model), {"X": X}), model, X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", [False, True])
def test_classifier_at_the_end_of_a_pipeline(hidden, dtype, run):
    pytest.importorskip("skl2onnx")
    X, y = load_breast_cancer(return_X_y=True)
    X = X.astype(dtype)
    net = TwoLayerMLPClassifier(8, solver="lbfgs", n_init=1, tol=1e-3, random_state=0)
    model = make_pipeline(StandardScaler(), net).fit(X, y)
    graph = to_onnx(model, hidden=hidden)
    got = run(graph, {"X": X})
    # the scaler of the graph and that of scikit-learn differ in the last digits
    tolerance = TOLERANCE[np.dtype(dtype)] * (3 if dtype == np.float32 else 1)
    assert_array_equal(got["label"], model.predict(X))
    assert_allclose(got["probabilities"], model.predict_proba(X), rtol=0, atol=tolerance)
    assert ("hidden" in got) == hidden
    if hidden:
        H = model[:1].transform(X)
        assert_allclose(got["hidden"], model[-1].transform(H), rtol=0, atol=30 * tolerance)
    assert graph.ir_version == 9
    assert max(entry.version for entry in graph.opset_import) <= 18


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transformer_in_the_middle_of_a_pipeline(dtype, run):
    pytest.importorskip("skl2onnx")
    X, y = load_breast_cancer(return_X_y=True)
    X = X.astype(dtype)
    net = TwoLayerMLPClassifier(4, solver="lbfgs", n_init=1, tol=1e-3, random_state=0)
    model = make_pipeline(StandardScaler(), net, LogisticRegression()).fit(X, y)
    got = run(to_onnx(model), {"X": X})
    assert_array_equal(got["label"], model.predict(X))
    # the linear classifier of ONNX computes in single precision, whatever its input
    assert_allclose(got["probabilities"], model.predict_proba(X), rtol=0, atol=3e-6)


def test_two_networks_of_which_one_is_part_of_a_union(run):
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True)
    first = TwoLayerMLPClassifier(3, activation="tanh", max_iter=None, random_state=0)
    last = TwoLayerMLPClassifier(4, solver="lbfgs", n_init=1, random_state=0)
    union = FeatureUnion([("net", first), ("scaled", StandardScaler())])
    model = make_pipeline(union, last).fit(X, y)
    got = run(to_onnx(model, hidden=True), {"X": X})
    assert_array_equal(got["label"], model.predict(X))
    assert_allclose(got["probabilities"], model.predict_proba(X), rtol=0, atol=1e-12)
    assert got["hidden"].shape == (150, 4)


def test_columns_of_a_data_frame(run):
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True, as_frame=True)
    X.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    X["colour"] = np.array(["blue", "white", "violet"])[np.arange(150) % 3]
    columns = ColumnTransformer(
        [
            ("number", StandardScaler(), X.columns[:4].tolist()),
            ("text", OneHotEncoder(), ["colour"]),
        ]
    )
    net = TwoLayerMLPClassifier(4, solver="lbfgs", n_init=1, random_state=0)
    model = make_pipeline(columns, net).fit(X, y)
    graph = to_onnx(model, X[:1])
    feeds = {name: X[[name]].to_numpy() for name in X}
    got = run(graph, feeds)
    assert_array_equal(got["label"], model.predict(X))
    assert_allclose(got["probabilities"], model.predict_proba(X), rtol=0, atol=1e-6)


def test_only_networks_that_are_fitted():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(NotFittedError):
        to_onnx(TwoLayerMLPClassifier())
    with pytest.raises(TypeError, match="needs a fitted network or a Pipeline with one"):
        to_onnx(LogisticRegression(max_iter=1000).fit(X, y))


def test_a_bare_estimator_needs_onnx_alone():
    code = (
        "import sys; sys.modules['skl2onnx'] = None\n"
        "import sk_mlp\n"
        "assert 'onnx' not in sys.modules\n"
        "from sk_mlp.onnx import to_onnx\n"
        "assert 'onnx' not in sys.modules\n"
        "model = sk_mlp.TwoLayerMLPClassifier(2, random_state=0).fit([[0.0], [1.0]], [0, 1])\n"
        "to_onnx(model)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
