"""ONNX graphs against the estimators they were made from."""

import subprocess
import sys

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV
from sk_mlp._network.activations import ACTIVATIONS

onnx = pytest.importorskip("onnx")
from onnx.reference import ReferenceEvaluator

from sk_mlp.onnx import to_onnx
from sk_mlp.onnx.graph import ACTIVATION_NODES


def minor(version):
    return tuple(map(int, version.split(".")[:2]))


try:
    from onnxruntime import InferenceSession, __version__

    RUNTIME = minor(__version__)
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
    options = {"alpha": 1.0, "solver": "lbfgs", "n_init": 1, "tol": 1e-3, **options}
    return TwoLayerMLPClassifier(hidden_units, random_state=0, **options).fit(X, y)


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
    with pytest.raises(TypeError, match="needs a fitted model with a network"):
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


def small(hidden_units=4, **options):
    options = {"solver": "lbfgs", "n_init": 1, "alpha": 1.0, "tol": 1e-3, **options}
    return TwoLayerMLPClassifier(hidden_units, random_state=0, **options)


def scaled():
    return make_pipeline(StandardScaler(), small())


NAMED = [("one", small()), ("other", scaled())]
GRID = {"alpha": [1.0, 10.0]}
ENSEMBLES = {
    "sigmoid": CalibratedClassifierCV(small(), cv=3),
    "isotonic": CalibratedClassifierCV(small(), cv=3, method="isotonic"),
    "one calibrator": CalibratedClassifierCV(small(), cv=2, ensemble=False),
    "sigmoid of a Pipeline": CalibratedClassifierCV(
        make_pipeline(make_union(small(3), StandardScaler()), small()), cv=2
    ),
    "sigmoid at the end": make_pipeline(
        make_union(small(3), StandardScaler()), CalibratedClassifierCV(scaled(), cv=2)
    ),
    "bagging": BaggingClassifier(scaled(), n_estimators=3, random_state=0),
    "voting": VotingClassifier([*NAMED, ("none", "drop")], voting="soft", weights=[1, 3, 2]),
    "one versus rest": OneVsRestClassifier(small()),
    "stacking": StackingClassifier(NAMED, cv=2),
    "stacking by a network": StackingClassifier(NAMED, small(2), cv=2),
    "search": GridSearchCV(small(), GRID, cv=2),
    "search in a Pipeline": make_pipeline(
        "passthrough", RandomizedSearchCV(small(), GRID, n_iter=1, cv=2, random_state=0)
    ),
    "search for a calibrated one": GridSearchCV(
        CalibratedClassifierCV(small(), cv=2), {"estimator__alpha": [1.0, 10.0]}, cv=2
    ),
}


def rounding(model):
    """Error of the probabilities for one of 1e-12 in a logit, which isotonic steps enlarge."""
    steps = [
        np.max(np.diff(calibrator.y_thresholds_) / np.diff(calibrator.X_thresholds_), initial=1.0)
        for part in getattr(model, "calibrated_classifiers_", ())
        for calibrator in part.calibrators
        if hasattr(calibrator, "X_thresholds_")
    ]
    return 1e-12 * max(steps, default=1.0)


@pytest.mark.parametrize("data", [load_breast_cancer, load_iris])
@pytest.mark.parametrize("name", ENSEMBLES)
def test_ensembles_and_searches(name, data):
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    X, y = data(return_X_y=True)
    y = np.array(["no", "perhaps", "yes"])[y]
    model = clone(ENSEMBLES[name]).fit(X, y)
    assert_same(runtime(to_onnx(model), {"X": X}), model, X, tolerance=rounding(model))
    # nothing stays behind for the next export
    net = model[-1] if name == "search in a Pipeline" else small().fit(X, y)
    assert_same(runtime(to_onnx(net), {"X": X}), net, X)
    if name == "isotonic":
        with pytest.raises(ValueError, match="and a network or dtype of single precision"):
            to_onnx(model, dtype=np.float32)
        with pytest.raises(ValueError, match=r"pass dtype=np\.float64"):
            to_onnx(model, X.astype(np.float32))
        return
    single = runtime(to_onnx(model, dtype=np.float32), {"X": X.astype(np.float32)})
    assert single["probabilities"].dtype == np.float32
    assert_allclose(single["probabilities"], model.predict_proba(X), rtol=0, atol=3e-5)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (VotingClassifier(NAMED), "with voting='hard' cannot be exported exactly"),
        (BaggingClassifier(small(), n_estimators=2, max_features=2), "on a part of the features"),
        (StackingClassifier(NAMED, cv=2, passthrough=True), "with passthrough=True"),
        (StackingClassifier(NAMED, GaussianNB(), cv=2), "with the final estimator GaussianNB"),
        (VotingClassifier([("a", small()), ("b", GaussianNB())], voting="soft"), "GaussianNB"),
        (CalibratedClassifierCV(small(), cv=2, method="temperature"), "method='temperature'"),
        (ClassifierChain(small()), "ClassifierChain with a network cannot be exported. What can"),
        (
            GridSearchCV(small(), GRID, cv=2, refit=False),
            "needs a fitted model with a network; got GridSearchCV",
        ),
    ],
)
def test_what_would_not_be_exact(model, message):
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True)
    if "temperature" in message and minor(sklearn.__version__) < (1, 8):
        pytest.skip("scikit-learn 1.8 brings method='temperature'")
    target = np.column_stack([y == 0, y == 1]) if isinstance(model, ClassifierChain) else y
    model = clone(model).fit(X, target)
    with pytest.raises((ValueError, TypeError), match=message):
        to_onnx(model)


def test_hidden_needs_a_network_at_the_end():
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True)
    for model in (make_pipeline(small(), LogisticRegression()), ENSEMBLES["sigmoid"]):
        with pytest.raises(ValueError, match="hidden=True needs a network as the last step"):
            to_onnx(clone(model).fit(X, y), hidden=True)


def test_labels_above_those_of_int64():
    X, y = load_iris(return_X_y=True)
    labels = np.array([1, 2, 2**63 + 5], dtype=np.uint64)
    with pytest.raises(ValueError, match=r"below 2\*\*63 only; got 9223372036854775813"):
        to_onnx(small().fit(X, labels[y]))


@pytest.mark.parametrize("offset", [-(2**40), 2**33])
def test_labels_above_those_of_int32(offset):
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    X, y = load_iris(return_X_y=True)
    model = OneVsRestClassifier(small()).fit(X, y + offset)
    assert_same(runtime(to_onnx(model), {"X": X}), model, X)
    linear = LogisticRegression(max_iter=1000)
    for model in (make_pipeline(small(), linear), StackingClassifier(NAMED, linear, cv=2)):
        with pytest.raises(ValueError, match="labels of 32 bits only"):
            to_onnx(model.fit(X, y + offset))


def test_a_dask_estimator_names_its_local_network():
    pytest.importorskip("distributed")
    from sk_mlp.dask import DaskTwoLayerMLPClassifier

    network = DaskTwoLayerMLPClassifier()
    for model in (network, make_pipeline(StandardScaler(), network)):
        with pytest.raises(TypeError, match=r"DaskTwoLayerMLPClassifier .* to_local\(\)"):
            to_onnx(model)


TEXTS = ["red apple", "blue sky", "Red sky at a night", "grüner apple", "don't! sky_2", "müll x"]


@pytest.mark.parametrize(
    "vectorizer", [TfidfVectorizer(), CountVectorizer(), TfidfVectorizer(ngram_range=(1, 2))]
)
@pytest.mark.parametrize("dtype", [None, np.float64])
def test_texts(vectorizer, dtype):
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    y = [0, 1, 1, 0, 1, 0]
    model = make_pipeline(vectorizer, small(2, alpha=0.1)).fit(TEXTS, y)
    got = runtime(to_onnx(model, TEXTS[:1], dtype=dtype), {"X": np.array(TEXTS)})
    assert_array_equal(got["label"], model.predict(TEXTS))
    assert_allclose(got["probabilities"], model.predict_proba(TEXTS), rtol=0, atol=1e-6)
    assert got["probabilities"].dtype == (dtype or np.float32)
    with pytest.raises(ValueError, match="pass some rows of it as X"):
        to_onnx(model)


def test_dtype_is_that_of_the_columns_too():
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    X, y = load_iris(return_X_y=True, as_frame=True)
    X.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    model = make_pipeline(SimpleImputer(), small()).fit(X, y)
    graph = to_onnx(model, X[:1], dtype=np.float32)
    kinds = {each.type.tensor_type.elem_type for each in graph.graph.input}
    assert kinds == {onnx.TensorProto.FLOAT}


def test_registered_converters():
    code = (
        "import numpy as np, skl2onnx\n"
        "from sklearn.calibration import CalibratedClassifierCV\n"
        "from sklearn.datasets import load_iris\n"
        "from onnxruntime import InferenceSession\n"
        "from sk_mlp import TwoLayerMLPClassifier\n"
        "from sk_mlp.onnx import register_converters\n"
        "register_converters()\n"
        "X, y = load_iris(return_X_y=True)\n"
        "for y in (y, y == 1):\n"
        "    network = TwoLayerMLPClassifier(2, alpha=1.0, random_state=0)\n"
        "    for model in (network, CalibratedClassifierCV(network, cv=2)):\n"
        "        model.fit(X, y)\n"
        "        options = {id(model): {'zipmap': False}}\n"
        "        graph = skl2onnx.to_onnx(model, X, options=options, target_opset=18)\n"
        "        P = InferenceSession(graph.SerializeToString()).run(None, {'X': X})[1]\n"
        "        assert abs(P - model.predict_proba(X)).max() < 1e-12\n"
    )
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_the_extra_is_named():
    code = (
        "import sys\n"
        "import sk_mlp\n"
        "from sk_mlp.onnx import register_converters, to_onnx\n"
        "model = sk_mlp.TwoLayerMLPClassifier(2, random_state=0).fit([[0.0], [1.0]], [0, 1])\n"
        "sys.modules['onnx'] = sys.modules['skl2onnx'] = None\n"
        "for call in (lambda: to_onnx(model), register_converters):\n"
        "    try:\n"
        "        call()\n"
        "    except ImportError as error:\n"
        "        assert 'pip install \"sk_mlp[onnx]\"' in str(error), error\n"
        "    else:\n"
        "        raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
