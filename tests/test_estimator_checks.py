"""The common checks of scikit-learn, all of them, with no exception."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_mlp import TwoLayerMLPClassifier

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
]

# The check of sample weights compares to seven digits, which rounding spoils in the flat
# valleys of a long fit; hence few iterations.
BASE = {
    "lbfgs": {"hidden_units": 4, "alpha": 1.0, "max_iter": 20, "n_init": 1},
    "adam": {"hidden_units": 4, "alpha": 1.0, "max_iter": 20, "learning_rate_init": 0.1},
    "sgd": {"hidden_units": 4, "alpha": 1.0, "max_iter": 20, "learning_rate_init": 0.1},
}
OPTIONS = [
    {},
    {"early_stopping": True},
    {"class_weight": "balanced"},
    {"n_init": 3},
    {"standardize": False},
]
# Many checks fit twice and expect the same, so a warm start has to begin at the minimum:
# these penalties make it unique, and these fits reach it.
EXACT = {"batch_size": 1000, "tol": 0.0, "warm_start": True, "hidden_units": 3}
WARM = {
    # of the activations the one whose checks pass for all penalties from 20 to 50: it has no kink
    "lbfgs": {"activation": "silu", "alpha": 30.0, "max_iter": 500, "n_init": 1},
    "adam": {
        "activation": "relu",
        "alpha": 30.0,
        "max_iter": 600,
        "learning_rate": "adaptive",
        "learning_rate_init": 0.02,
    },
    "sgd": {
        "activation": "relu",
        "alpha": 2.0,
        "max_iter": 1500,
        "learning_rate": "constant",
        "learning_rate_init": 0.3,
        "n_iter_no_change": 20,
    },
}


def instances():
    for solver, base in BASE.items():
        for activation in ("tanh", "relu"):
            for option in OPTIONS:
                yield TwoLayerMLPClassifier(
                    solver=solver, activation=activation, **{**base, **option}
                )
        yield TwoLayerMLPClassifier(solver=solver, **EXACT, **WARM[solver])
    for activation in ("identity", "logistic", "leaky_relu", "gelu", "silu"):
        yield TwoLayerMLPClassifier(solver="lbfgs", activation=activation, **BASE["lbfgs"])
    yield TwoLayerMLPClassifier(hidden_units=4, alpha=1.0, max_iter=20, n_init=1)
    yield TwoLayerMLPClassifier(hidden_units=40, max_iter=20)  # alpha="auto"


@parametrize_with_checks(list(instances()))
def test_sklearn_compatible(estimator, check):
    check(estimator)
