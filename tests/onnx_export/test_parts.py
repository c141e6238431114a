"""Which parts of a model are networks, and which models are refused."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import ClassifierChain
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from onnx_export.models import GRID, NAMED, assert_same, minor, small
from sk_mlp import TwoLayerMLPClassifier
from sk_mlp.onnx import to_onnx


def test_two_networks_of_which_one_is_part_of_a_union(run):
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True)
    first = TwoLayerMLPClassifier(3, activation="tanh", max_iter=None, random_state=0)
    last = TwoLayerMLPClassifier(4, solver="lbfgs", n_init=1, random_state=0)
    union = FeatureUnion([("net", first), ("scaled", StandardScaler())])
    model = make_pipeline(union, last).fit(X, y)
    got = run(to_onnx(model, hidden=True), {"X": X})
    assert_array_equal(got["label"], model.predict(X))
    assert_allclose(got["probabilities"], model.predict_proba(X), rtol=0, atol=1e-12)
    assert got["hidden"].shape == (150, 4)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (VotingClassifier(NAMED), "with voting='hard' cannot be exported exactly"),
        (BaggingClassifier(small(), n_estimators=2, max_features=2), "on a part of the features"),
        (StackingClassifier(NAMED, cv=2, passthrough=True), "with passthrough=True"),
        (StackingClassifier(NAMED, GaussianNB(), cv=2), "with the final estimator GaussianNB"),
        (VotingClassifier([("a", small()), ("b", GaussianNB())], voting="soft"), "GaussianNB"),
        (CalibratedClassifierCV(small(), cv=2, method="temperature"), "method='temperature'"),
        (ClassifierChain(small()), "ClassifierChain with a network cannot be exported. What can"),
        (
            GridSearchCV(small(), GRID, cv=2, refit=False),
            "needs a fitted model with a network; got GridSearchCV",
        ),
    ],
)
def test_what_would_not_be_exact(model, message):
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True)
    if "temperature" in message and minor(sklearn.__version__) < (1, 8):
        pytest.skip("scikit-learn 1.8 brings method='temperature'")
    target = np.column_stack([y == 0, y == 1]) if isinstance(model, ClassifierChain) else y
    model = clone(model).fit(X, target)
    with pytest.raises((ValueError, TypeError), match=message):
        to_onnx(model)


def test_hidden_needs_a_network_at_the_end():
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True)
    for model in (make_pipeline(small(), LogisticRegression()), CalibratedClassifierCV(small())):
        with pytest.raises(ValueError, match="hidden=True needs a network as the last step"):
            to_onnx(clone(model).fit(X, y), hidden=True)


@pytest.mark.parametrize(
    "model",
    [VotingClassifier(NAMED, voting="soft"), StackingClassifier(NAMED, small(2), cv=2)],
    ids=["voting", "stacking"],
)
@pytest.mark.parametrize("in_union", [False, True])
def test_no_ensemble_before_the_last_step(model, in_union):
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True)
    first = make_union(model, StandardScaler()) if in_union else model
    model = make_pipeline(first, small()).fit(X, y)
    with pytest.raises(ValueError, match="before the last step cannot be exported"):
        to_onnx(model)


def test_labels_of_a_network_before_the_last_step_are_not_asked_for(run):
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(small(), small(3)).fit(X, y)
    model[0].classes_ = np.array(["2024-01-01", "2024-01-02", "2024-01-03"], "datetime64[D]")
    assert_same(run(to_onnx(model), {"X": X}), model, X)


def test_an_imputer_without_gaps_has_no_indicators(run):
    pytest.importorskip("skl2onnx")
    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)
    model = make_pipeline(SimpleImputer(add_indicator=True), small()).fit(X, y)
    assert_same(run(to_onnx(model), {"X": X}), model, X)
