"""Models that skl2onnx converts together with their networks."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import StackingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from onnx_export.models import NAMED, TOLERANCE, assert_same, runtime, small
from sk_mlp import TwoLayerMLPClassifier
from sk_mlp.onnx import to_onnx


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


def test_dtype_is_that_of_the_columns_too():
    from onnx import TensorProto

    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    X, y = load_iris(return_X_y=True, as_frame=True)
    X.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    model = make_pipeline(SimpleImputer(), small()).fit(X, y)
    graph = to_onnx(model, X[:1], dtype=np.float32)
    kinds = {each.type.tensor_type.elem_type for each in graph.graph.input}
    assert kinds == {TensorProto.FLOAT}


def test_dtype_is_that_of_encoded_numbers_too(run):
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True)
    for dtype in (np.float32, np.float64):
        codes = X.round().astype(dtype)
        model = make_pipeline(OneHotEncoder(), small()).fit(codes, y)
        assert_same(run(to_onnx(model, codes), {"X": codes}), model, codes)


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
