"""feature_importances_: what it finds among noise, and how it ranks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_moons
from sklearn.feature_selection import RFE, RFECV, SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

from sk_mlp import TwoLayerMLPClassifier

INFORMATIVE = [1, 4]  # columns of the moons below


@pytest.fixture(scope="module")
def moons():
    """Two moons among six columns of noise, in units from 0.1 to 100."""
    X, y = make_moons(400, noise=0.2, random_state=0)
    noise = np.random.default_rng(0).normal(size=(400, 6)) * [1, 10, 100, 0.1, 1, 1]
    return np.insert(noise, [1, 3], X, axis=1), y


@pytest.mark.parametrize(
    "selector",
    [
        lambda network: RFECV(network, cv=3, scoring="neg_log_loss"),
        lambda network: RFE(network, n_features_to_select=2),
        SelectFromModel,
    ],
    ids=["RFECV", "RFE", "SelectFromModel"],
)
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_selectors_find_the_informative_columns(moons, selector, solver):
    network = TwoLayerMLPClassifier(20, alpha=1.0, solver=solver, random_state=0)
    selected = selector(network).fit(*moons)
    assert_array_equal(selected.get_support(indices=True), INFORMATIVE)


# Measured on three splits, with 20 and with 100 units: .73 to .95, .56 to .84, .90 to .94.
@pytest.mark.parametrize(
    ("load", "least"), [(load_wine, 0.65), (load_breast_cancer, 0.45), (load_digits, 0.8)]
)
def test_rank_agrees_with_permutation_importance(load, least):
    X, y = load(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=0
    )
    network = TwoLayerMLPClassifier(20, random_state=0).fit(X_train, y_train)
    by_permutation = permutation_importance(
        network, X_test, y_test, scoring="neg_log_loss", n_repeats=5, random_state=0
    ).importances_mean
    assert spearmanr(network.feature_importances_, by_permutation).statistic > least


def test_is_the_mean_absolute_gradient_of_the_logits_times_the_deviation(moons):
    X, y = moons
    weights = np.random.default_rng(1).integers(0, 3, len(y)).astype(float)
    network = TwoLayerMLPClassifier(6, activation="tanh", alpha=1.0, random_state=0)
    network.fit(X, y, weights)
    step = 1e-6 * X.std(axis=0)
    gradient = np.empty(X.shape)
    for j in range(X.shape[1]):
        change = np.zeros(X.shape[1])
        change[j] = step[j]
        difference = network.decision_function(X + change) - network.decision_function(X - change)
        gradient[:, j] = difference / (2 * step[j])
    mean = np.average(X, axis=0, weights=weights)
    deviation = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weights))
    expected = np.average(np.abs(gradient), axis=0, weights=weights) * deviation
    assert_allclose(network.feature_importances_, expected / expected.sum(), rtol=1e-6)
