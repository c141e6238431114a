"""Runtimes, small networks, and a comparison of a graph with its model."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mlp import TwoLayerMLPClassifier

pytest.importorskip("onnx")
from onnx.reference import ReferenceEvaluator


def minor(version):
    return tuple(map(int, version.split(".")[:2]))


try:
    from onnxruntime import InferenceSession, __version__

    RUNTIME = minor(__version__)
except ImportError:
    InferenceSession = RUNTIME = None

# of probabilities; double precision differs by the order of sums and by exp and tanh
TOLERANCE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-12}


def reference(model, feeds):
    names = [output.name for output in model.graph.output]
    return dict(zip(names, ReferenceEvaluator(model).run(None, feeds), strict=True))


def runtime(model, feeds):
    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds), strict=True))


def small(hidden_units=4, **options):
    options = {"solver": "lbfgs", "n_init": 1, "alpha": 1.0, "tol": 1e-3, **options}
    return TwoLayerMLPClassifier(hidden_units, random_state=0, **options)


def fit(X, y, hidden_units=8, **options):
    return small(hidden_units, **options).fit(X, y)


def scaled():
    return make_pipeline(StandardScaler(), small())


NAMED = [("one", small()), ("other", scaled())]
GRID = {"alpha": [1.0, 10.0]}


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
