"""What the displays find in a pipeline or search, read from a network, and refuse."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler

from sk_mlp import (
    AlphaPathDisplay,
    HiddenUnitsDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    ProjectionDisplay,
    TwoLayerMLPClassifier,
)

WITH_DATA = [HiddenUnitsDisplay, ProjectionDisplay]
DISPLAYS = [*WITH_DATA, AlphaPathDisplay, LossCurveDisplay, NetworkDisplay]
POLYNOMIALS = ["x0", "x1", "x0^2", "x0 x1", "x1^2"]


@pytest.mark.parametrize("display", DISPLAYS)
def test_wrong_estimators(display, circles):
    data = circles if display in WITH_DATA else ()
    with pytest.raises(NotFittedError):
        display.from_estimator(TwoLayerMLPClassifier(), *data)
    with pytest.raises(NotFittedError):
        display.from_estimator(make_pipeline(StandardScaler(), TwoLayerMLPClassifier()), *data)
    with pytest.raises(NotFittedError):
        display.from_estimator(GridSearchCV(TwoLayerMLPClassifier(), {}), *data)
    for other in (LogisticRegression(), make_pipeline(LogisticRegression()).fit(*circles)):
        with pytest.raises(TypeError, match="Pipeline or search that ends in one; got Logistic"):
            display.from_estimator(other, *data)
    network = TwoLayerMLPClassifier(2, random_state=0)
    search = GridSearchCV(network, {"alpha": [1.0]}, refit=False, cv=2)
    with pytest.raises(ValueError, match="GridSearchCV has with refit=True"):
        display.from_estimator(search.fit(*circles), *data)


@pytest.mark.parametrize("display", DISPLAYS)
def test_an_estimator_of_a_cluster_names_to_local(display):
    dask = pytest.importorskip("sk_mlp.dask")
    data = (np.ones((3, 2)),) if display in WITH_DATA else ()
    with pytest.raises(TypeError, match=r"DaskTwoLayerMLPClassifier.to_local\(\)"):
        display.from_estimator(dask.DaskTwoLayerMLPClassifier(), *data)


@pytest.fixture(scope="module")
def pipeline(circles):
    steps = make_pipeline(PolynomialFeatures(include_bias=False), StandardScaler())
    return make_pipeline(steps, TwoLayerMLPClassifier(3, alpha=0.1, random_state=0)).fit(*circles)


def test_a_pipeline_is_drawn_as_its_last_step(pipeline, circles):
    X, y = circles
    behind = pipeline[:-1].transform(X)
    drawn = HiddenUnitsDisplay.from_estimator(pipeline, X, y)
    expected = HiddenUnitsDisplay.from_estimator(pipeline[-1], behind, y)
    assert_array_equal(drawn.input_weights, expected.input_weights)
    assert_array_equal(drawn.output_weights, expected.output_weights)
    assert_array_equal(drawn.feature_names, POLYNOMIALS)
    drawn = ProjectionDisplay.from_estimator(pipeline, X, y)
    assert_array_equal(drawn.projection, pipeline[-1].transform(behind))
    assert LossCurveDisplay.from_estimator(pipeline).loss == pipeline[-1].loss_curve_
    assert_array_equal(NetworkDisplay.from_estimator(pipeline).feature_names, POLYNOMIALS)


def test_a_search_is_drawn_as_its_best_estimator(circles):
    steps = make_pipeline(PolynomialFeatures(include_bias=False), TwoLayerMLPClassifier(2))
    options = {"twolayermlpclassifier__hidden_units": [3]}
    search = GridSearchCV(steps, options, cv=2).fit(*circles)
    drawn = HiddenUnitsDisplay.from_estimator(make_pipeline("passthrough", search), *circles)
    assert drawn.W1.shape == (5, 3)
    assert_array_equal(drawn.feature_names, POLYNOMIALS)


def test_names_if_a_step_gives_none(circles):
    steps = make_pipeline(FunctionTransformer(np.abs), TwoLayerMLPClassifier(3)).fit(*circles)
    drawn = HiddenUnitsDisplay.from_estimator(steps, *circles)
    assert_array_equal(drawn.feature_names, ["x0", "x1"])
    assert_array_equal(drawn.X, np.abs(circles[0]))


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
