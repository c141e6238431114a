"""Problems and networks that are quickly fitted, and comparisons of fits."""

import warnings

import numpy as np
from numpy.testing import assert_array_equal
from scipy.special import expit
from sklearn.datasets import make_circles, make_classification
from sklearn.exceptions import ConvergenceWarning

from sk_mlp import TwoLayerMLPClassifier

# written out here, so that the tests do not compare the package with itself
ACTIVATIONS = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "gelu": lambda z: z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z * expit(z),
}
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform"]


def data(n_classes=3, n_samples=150, **options):
    """Return six features, four of them informative, and labels that overlap."""
    options = {"n_features": 6, "n_informative": 4, "random_state": 0, **options}
    return make_classification(n_samples, n_classes=n_classes, **options)


def circles(n_samples=500, noise=0.1):
    """Return two circles, one inside the other."""
    return make_circles(n_samples, noise=noise, factor=0.4, random_state=0)


def make(solver="lbfgs", **options):
    """Return a small network that takes few full-batch steps unless told otherwise."""
    options = {"hidden_units": 5, "batch_size": 1000, "max_iter": 20, "random_state": 0, **options}
    return TwoLayerMLPClassifier(solver=solver, **options)


def fit(model, *args, **kwargs):
    """Fit without the warning that few steps do not converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **kwargs)


def parameters(model):
    """Return all weights and intercepts of a fitted network."""
    return [*model.coefs_, *model.intercepts_]


def assert_same_fit(a, b):
    """Assert that two networks have the same parameters, bit for bit."""
    for one, other in zip(parameters(a), parameters(b), strict=True):
        assert one.dtype == other.dtype
        assert_array_equal(one, other)
