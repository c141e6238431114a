"""Ensembles of networks, against their predictions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from onnx_export.models import GRID, NAMED, assert_same, runtime, scaled, small
from sk_mlp.onnx import to_onnx

ENSEMBLES = {
    "sigmoid": CalibratedClassifierCV(small(), cv=3),
    "isotonic": CalibratedClassifierCV(small(), cv=3, method="isotonic"),
    "one calibrator": CalibratedClassifierCV(small(), cv=2, ensemble=False),
    "sigmoid of a Pipeline": CalibratedClassifierCV(
        make_pipeline(make_union(small(3), StandardScaler()), small()), cv=2
    ),
    "sigmoid at the end": make_pipeline(
        make_union(small(3), StandardScaler()), CalibratedClassifierCV(scaled(), cv=2)
    ),
    "bagging": BaggingClassifier(scaled(), n_estimators=3, random_state=0),
    "voting": VotingClassifier([*NAMED, ("none", "drop")], voting="soft", weights=[1, 3, 2]),
    "one versus rest": OneVsRestClassifier(small()),
    "stacking": StackingClassifier(NAMED, cv=2),
    "stacking by a network": StackingClassifier(NAMED, small(2), cv=2),
    "search": GridSearchCV(small(), GRID, cv=2),
    "search in a Pipeline": make_pipeline(
        "passthrough", RandomizedSearchCV(small(), GRID, n_iter=1, cv=2, random_state=0)
    ),
    "search for a calibrated one": GridSearchCV(
        CalibratedClassifierCV(small(), cv=2), {"estimator__alpha": [1.0, 10.0]}, cv=2
    ),
}


def rounding(model):
    """Error of the probabilities for one of 1e-12 in a logit, which isotonic steps enlarge."""
    steps = [
        np.max(np.diff(calibrator.y_thresholds_) / np.diff(calibrator.X_thresholds_), initial=1.0)
        for part in getattr(model, "calibrated_classifiers_", ())
        for calibrator in part.calibrators
        if hasattr(calibrator, "X_thresholds_")
    ]
    return 1e-12 * max(steps, default=1.0)


@pytest.mark.parametrize("data", [load_breast_cancer, load_iris])
@pytest.mark.parametrize("name", ENSEMBLES)
def test_ensembles_and_searches(name, data):
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    X, y = data(return_X_y=True)
    y = np.array(["no", "perhaps", "yes"])[y]
    model = clone(ENSEMBLES[name]).fit(X, y)
    assert_same(runtime(to_onnx(model), {"X": X}), model, X, tolerance=rounding(model))
    # nothing stays behind for the next export
    net = model[-1] if name == "search in a Pipeline" else small().fit(X, y)
    assert_same(runtime(to_onnx(net), {"X": X}), net, X)
    if name == "isotonic":
        with pytest.raises(ValueError, match="and a network or dtype of single precision"):
            to_onnx(model, dtype=np.float32)
        with pytest.raises(ValueError, match=r"pass dtype=np\.float64"):
            to_onnx(model, X.astype(np.float32))
        return
    single = runtime(to_onnx(model, dtype=np.float32), {"X": X.astype(np.float32)})
    assert single["probabilities"].dtype == np.float32
    assert_allclose(single["probabilities"], model.predict_proba(X), rtol=0, atol=3e-5)


def four_ensembles(member):
    named = [("one", clone(member)), ("other", clone(member))]
    return {
        "sigmoid": CalibratedClassifierCV(member, cv=2),
        "voting": VotingClassifier(named, voting="soft", weights=[1, 2]),
        "one versus rest": OneVsRestClassifier(member),
        "stacking": StackingClassifier(named, cv=2),
    }


@pytest.mark.parametrize("name", four_ensembles(small()))
def test_members_that_start_from_columns(name):
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    X, y = load_iris(return_X_y=True, as_frame=True)
    X.columns = ["a", "b", "c", "d"]
    X["colour"] = np.array(["blue", "white", "violet"])[np.arange(150) % 3]
    columns = [
        ("number", StandardScaler(), ["a", "b", "c", "d"]),
        ("text", OneHotEncoder(), ["colour"]),
    ]
    model = four_ensembles(make_pipeline(ColumnTransformer(columns), small()))[name].fit(X, y)
    got = runtime(to_onnx(model, X[:1]), {name: X[[name]].to_numpy() for name in X})
    assert_array_equal(got["label"], model.predict(X))
    assert_allclose(got["probabilities"], model.predict_proba(X), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [None, np.float64])
@pytest.mark.parametrize("name", four_ensembles(small()))
def test_members_that_start_from_texts(name, dtype):
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    texts = np.array(["red apple", "blue sky", "red sky at night", "green apple"] * 4)
    y = [0, 1, 2, 0] * 4
    model = four_ensembles(make_pipeline(TfidfVectorizer(), small()))[name].fit(texts, y)
    got = runtime(to_onnx(model, texts[:1], dtype=dtype), {"X": texts})
    assert_array_equal(got["label"], model.predict(texts))
    assert_allclose(got["probabilities"], model.predict_proba(texts), rtol=0, atol=1e-6)
    assert got["probabilities"].dtype == (dtype or np.float32)


@pytest.mark.parametrize("member", [small(), scaled()], ids=["network", "Pipeline"])
def test_calibration_of_a_fitted_model(member):
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    X, y = load_iris(return_X_y=True)
    model = CalibratedClassifierCV(FrozenEstimator(clone(member).fit(X, y))).fit(X, y)
    assert_same(runtime(to_onnx(model), {"X": X}), model, X)


def test_one_versus_rest_where_all_probabilities_are_zero():
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    X, y = load_iris(return_X_y=True)
    model = OneVsRestClassifier(small(2)).fit(X, y)
    for network in model.estimators_:
        network.intercepts_[1][:] = -1e4
    assert not model.predict_proba(X).any()
    assert_same(runtime(to_onnx(model), {"X": X}), model, X)
