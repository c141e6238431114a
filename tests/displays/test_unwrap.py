"""Pipelines and searches are drawn as the network inside."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
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
