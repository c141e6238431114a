"""What the displays read from a network, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits

from sk_mlp import HiddenUnitsDisplay, ProjectionDisplay

WITH_DATA = [HiddenUnitsDisplay, ProjectionDisplay]


@pytest.mark.parametrize("display", WITH_DATA)
def test_wrong_data(display, network, circles):
    X, y = circles
    with pytest.raises(ValueError, match=r"one label per sample.*\(120, 2\)"):
        display.from_estimator(network, X, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        display.from_estimator(network, X, y[1:])
    with pytest.raises(ValueError, match="3 features"):
        display.from_estimator(network, np.ones((4, 3)))


@pytest.mark.parametrize("display", WITH_DATA)
def test_labels_encoded_otherwise(fit, display, circles):
    X, y = circles
    named = np.array(["ant", "bee"])[y]
    with pytest.raises(ValueError, match=r"labels \[0, 1\].*classes_ \['ant', 'bee'\]"):
        display.from_estimator(fit(X, named), X, y)
    with pytest.raises(ValueError, match=r"labels \['0', '1'\].*classes_ \[0, 1\]"):
        display.from_estimator(fit(X, y), X, y.astype(str))
    drawn = display.from_estimator(fit(X, y), X, y.astype(float))
    assert sum(len(scatter.get_offsets()) for scatter in drawn.scatters_) == len(X)


def test_regions_are_those_of_predict(fit, iris):
    X, y = iris[0].iloc[:, 2:], iris[1]
    drawn = HiddenUnitsDisplay.from_estimator(network := fit(X, y), X, y)
    xx0, xx1, margins = drawn.regions
    grid = pd.DataFrame(np.stack([xx0.ravel(), xx1.ravel()], axis=1), columns=X.columns)
    assert_array_equal(network.classes_[margins.argmax(axis=-1).ravel()], network.predict(grid))
    assert_array_equal((margins > 0).sum(axis=-1), 1)
    assert drawn.ax_.get_xlabel() == "petal length (cm)"
    assert drawn.ax_.get_ylabel() == "petal width (cm)"


def test_feature_names_of_the_user(iris, iris_network):
    X = iris[0]
    names = ["a", "b", "c", "d"]
    drawn = HiddenUnitsDisplay.from_estimator(iris_network, X, feature_names=names)
    assert [t.get_text() for t in drawn.axes_[0].get_yticklabels()] == names
    with pytest.raises(ValueError, match=r"4 feature_names are needed, got shape \(2,\)"):
        HiddenUnitsDisplay.from_estimator(iris_network, X, feature_names=["a", "b"])


@pytest.mark.parametrize("n_features", [2, 64])
def test_sparse_input_draws_the_same(fit, n_features):
    X, y = load_digits(n_class=3, return_X_y=True)
    X = X[:, -n_features:] if n_features == 64 else X[:, [10, 20]]
    network = fit(X, y)
    dense, thin = (
        HiddenUnitsDisplay.from_estimator(network, x, y) for x in (X, sparse.csr_array(X))
    )
    assert_allclose(thin.input_weights, dense.input_weights)
    assert_allclose(thin.output_weights, dense.output_weights)
    assert (thin.X is None) == (n_features == 64)
