"""What `to_onnx` exports, and its errors."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from onnx_export.models import assert_same, fit
from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV
from sk_mlp.onnx import to_onnx


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


def test_a_dask_estimator_names_its_local_network():
    pytest.importorskip("distributed")
    from sk_mlp.dask import DaskTwoLayerMLPClassifier

    network = DaskTwoLayerMLPClassifier()
    for model in (network, make_pipeline(StandardScaler(), network)):
        with pytest.raises(TypeError, match=r"DaskTwoLayerMLPClassifier .* to_local\(\)"):
            to_onnx(model)


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
