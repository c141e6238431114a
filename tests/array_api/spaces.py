"""Array namespaces and devices, and problems, options and comparisons of the tests on them."""

import os

import numpy as np
import pytest
from numpy.testing import assert_allclose
from problems import parameters
from sklearn.datasets import make_classification
from sklearn.utils import _array_api

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._backend.compat import to_host

# SciPy reads SCIPY_ARRAY_API when it is imported
ON = os.environ.get("SCIPY_ARRAY_API") == "1"
# earlier versions of scikit-learn lack its move_estimator_to and checks of the namespace
COMPLETE = hasattr(_array_api, "move_estimator_to")
REASON = "runs where SCIPY_ARRAY_API=1, with scikit-learn 1.9"
needs_array_api = pytest.mark.skipif(not (ON and COMPLETE), reason=REASON)
# a few iterations do not converge, and do not have to
few_iterations = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# device2 makes float32 unless asked for float64; neither it nor no_float64 converts to NumPy
SPACES = ("torch", "strict:device2", "strict:no_float64")
METHODS = ("predict_proba", "predict_log_proba", "decision_function", "transform")
FULL_BATCH = (
    {"solver": "lbfgs", "max_iter": 25},
    {"solver": "adam", "batch_size": 120, "max_iter": 25},
    {"solver": "sgd", "batch_size": 120, "max_iter": 25},
)
MINIBATCH = (
    {"solver": "adam", "batch_size": 25, "max_iter": 8},
    {"solver": "sgd", "batch_size": 25, "max_iter": 8},
)


class Space:
    """An array namespace and a device of it."""

    def __init__(self, name):
        self.name = name
        if name == "torch":
            self.xp, self.device = pytest.importorskip("torch"), "cpu"
        else:
            self.xp = pytest.importorskip("array_api_strict")
            self.device = self.xp.Device(name.partition(":")[2] or "CPU_DEVICE")

    def __call__(self, values):
        return self.xp.asarray(values, device=self.device)

    def holds(self, array, dtype):
        """Return True if an array of a dtype is here."""
        example = self(np.zeros(1, dtype))
        return (type(array), array.dtype, array.device) == (
            type(example),
            example.dtype,
            example.device,
        )


def problem(n_classes=3, dtype=np.float64, n_samples=120):
    X, y = make_classification(
        n_samples, 6, n_informative=4, n_classes=n_classes, shift=2.0, random_state=0
    )
    return X.astype(dtype), y


def classifier(hidden_units=7, *, n_init=1, alpha=1.0, **options):
    return TwoLayerMLPClassifier(
        hidden_units, n_init=n_init, alpha=alpha, random_state=0, **options
    )


def namespace_and_device(space, values):
    xp, _, device = _array_api.get_namespace_and_device(space(values))
    return xp, device


def assert_same_network(model, reference, tolerance):
    for ours, theirs in zip(parameters(model), parameters(reference), strict=True):
        assert_allclose(to_host(ours), theirs, rtol=0, atol=tolerance)
    assert_allclose(model.loss_curve_, reference.loss_curve_, rtol=tolerance)
    assert (model.n_iter_, model.best_iter_) == (reference.n_iter_, reference.best_iter_)
