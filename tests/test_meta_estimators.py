"""Inside the meta-estimators, searches, inspections and displays of scikit-learn."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import randint
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay, calibration_curve
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_iris, make_circles
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import (
    DecisionBoundaryDisplay,
    PartialDependenceDisplay,
    partial_dependence,
    permutation_importance,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, RocCurveDisplay
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    LearningCurveDisplay,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    ValidationCurveDisplay,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_mlp import TwoLayerMLPClassifier


@pytest.fixture(scope="module")
def circles():
    return make_circles(300, noise=0.05, factor=0.4, random_state=0)


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return X[:, :8], y


@pytest.fixture
def network():
    return TwoLayerMLPClassifier(3, random_state=0)


@pytest.fixture
def axes(plt):
    return plt.subplots()[1]


# -------------------------------------------------------------------------------- pipelines


def test_last_in_a_pipeline(circles, network):
    X, y = circles
    pipeline = make_pipeline(StandardScaler(), network).fit(X, y)
    assert pipeline.score(X, y) > 0.99
    assert pipeline.predict_proba(X).shape == (300, 2)


def test_middle_of_a_pipeline(circles, network):
    X, y = circles
    pipeline = make_pipeline(StandardScaler(), network, LogisticRegression()).fit(X, y)
    assert pipeline.score(X, y) > 0.99
    assert pipeline[-1].coef_.shape == (1, 3)
    assert pipeline[:-1].get_feature_names_out().tolist() == [
        f"twolayermlpclassifier{i}" for i in range(3)
    ]


def test_column_transformer_before(network):
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"size": rng.normal(size=200), "kind": rng.choice(list("ab"), size=200)})
    y = (frame["size"] > 0) ^ (frame["kind"] == "a")
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), ["size"]), ("kinds", OneHotEncoder(), ["kind"])]
    )
    assert make_pipeline(columns, network).fit(frame, y).score(frame, y) > 0.97


# --------------------------------------------------------------------------------- searches


@pytest.mark.parametrize(
    ("search", "values", "options"),
    [
        (GridSearchCV, [1, 3], {}),
        (RandomizedSearchCV, randint(1, 5), {"n_iter": 3, "random_state": 0}),
        (HalvingGridSearchCV, [1, 2, 3, 4], {"min_resources": 60, "random_state": 0}),
    ],
)
def test_search_over_hidden_units_in_two_processes(search, values, options, circles, network):
    X, y = circles
    pipeline = make_pipeline(StandardScaler(), network)
    found = search(
        pipeline, {"twolayermlpclassifier__hidden_units": values}, cv=3, n_jobs=2, **options
    ).fit(X, y)
    # one unit cuts the plane in two halves, which leaves the circles mixed
    assert found.best_params_["twolayermlpclassifier__hidden_units"] > 1
    assert found.score(X, y) > 0.95


def test_cross_validate(circles, network):
    X, y = circles
    result = cross_validate(
        network, X, y, cv=3, scoring=["accuracy", "neg_log_loss", "roc_auc"], return_estimator=True
    )
    assert result["test_accuracy"].min() > 0.95
    assert result["test_roc_auc"].min() > 0.99
    assert result["test_neg_log_loss"].min() > -0.3
    assert all(fitted.converged_ for fitted in result["estimator"])


# --------------------------------------------------------------- probabilities, thresholds


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibrated(method, cancer, network):
    X, y = cancer
    model = CalibratedClassifierCV(network, method=method, cv=3).fit(X, y)
    assert model.score(X, y) > 0.93
    assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


def test_fixed_threshold(cancer, network):
    X, y = cancer
    network.fit(X, y)
    model = FixedThresholdClassifier(network, threshold=0.9).fit(X, y)
    assert_array_equal(model.predict(X), network.predict_proba(X)[:, 1] >= 0.9)
    by_logit = FixedThresholdClassifier(
        network, threshold=2.0, response_method="decision_function"
    ).fit(X, y)
    assert_array_equal(by_logit.predict(X), network.decision_function(X) >= 2.0)


def test_tuned_threshold(cancer, network):
    X, y = cancer
    rare = np.concatenate([np.flatnonzero(y == 1), np.flatnonzero(y == 0)[:40]])
    X, y = X[rare], y[rare]
    model = TunedThresholdClassifierCV(network, scoring="balanced_accuracy", cv=3).fit(X, y)
    assert 0.5 < model.best_threshold_ < 1.0  # the rare class is the one below it
    assert model.best_score_ > 0.85


# ------------------------------------------------------------------------------- ensembles


def test_one_vs_rest(network):
    X, y = load_iris(return_X_y=True)
    model = OneVsRestClassifier(network).fit(X, y)
    assert model.score(X, y) > 0.95
    assert len(model.estimators_) == 3


def test_classifier_chain(network):
    X = np.random.RandomState(0).normal(size=(200, 3))
    Y = np.stack([X[:, 0] > 0, X[:, 0] + X[:, 1] > 0], axis=1).astype(int)
    assert ClassifierChain(network, random_state=0).fit(X, Y).score(X, Y) > 0.9


def test_bagging(circles, network):
    X, y = circles
    model = BaggingClassifier(network, n_estimators=3, n_jobs=2, oob_score=False, random_state=0)
    assert model.fit(X, y, sample_weight=np.ones(300)).score(X, y) > 0.97


def test_stacking(cancer, network):
    X, y = cancer
    members = [
        ("network", network),
        ("line", make_pipeline(StandardScaler(), LogisticRegression())),
    ]
    model = StackingClassifier(members, cv=3).fit(X, y)
    assert model.score(X, y) > 0.93
    assert model.transform(X).shape == (len(X), 2)


# ------------------------------------------------------------------------------ inspection


def test_permutation_importance(network):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(300, 3))
    y = X[:, 0] * X[:, 1] > 0
    model = network.set_params(hidden_units=6, alpha=0.1).fit(X, y)
    result = permutation_importance(model, X, y, n_repeats=3, n_jobs=2, random_state=0)
    assert result.importances_mean[:2].min() > 0.2
    assert abs(result.importances_mean[2]) < 0.05


def test_partial_dependence(cancer, network, axes):
    X, y = cancer
    model = network.fit(X, y)
    result = partial_dependence(model, X, [0], grid_resolution=10, response_method="predict_proba")
    varied = X.copy()
    for value, average in zip(result["grid_values"][0], result["average"][0], strict=True):
        varied[:, 0] = value
        assert average == pytest.approx(model.predict_proba(varied)[:, 1].mean())
    display = PartialDependenceDisplay.from_estimator(
        model, X, [0, 1], grid_resolution=5, kind="both", ax=axes
    )
    assert len(display.pd_results) == 2


def test_decision_boundary(circles, network, axes):
    X, y = circles
    model = network.fit(X, y)
    for method in ("predict", "predict_proba", "decision_function"):
        display = DecisionBoundaryDisplay.from_estimator(
            model, X, response_method=method, grid_resolution=20, ax=axes
        )
        assert display.response.shape == (20, 20)
    center = DecisionBoundaryDisplay.from_estimator(
        model, X, response_method="predict", grid_resolution=21, ax=axes
    ).response
    assert center[10, 10] == 1
    assert center[0, 0] == 0


def test_curves_and_matrices(cancer, network, axes):
    X, y = cancer
    model = network.fit(X, y)
    assert RocCurveDisplay.from_estimator(model, X, y, ax=axes).roc_auc > 0.97
    calibration = CalibrationDisplay.from_estimator(model, X, y, ax=axes)
    expected, _ = calibration_curve(y, model.predict_proba(X)[:, 1])
    assert_allclose(calibration.prob_true, expected)
    matrix = ConfusionMatrixDisplay.from_estimator(model, X, y, ax=axes).confusion_matrix
    assert matrix.sum() == len(y)
    assert np.trace(matrix) == round(model.score(X, y) * len(y))


def test_learning_and_validation_curves(circles, network, axes):
    X, y = circles
    learning = LearningCurveDisplay.from_estimator(
        network, X, y, train_sizes=[0.3, 1.0], cv=3, n_jobs=2, ax=axes
    )
    assert learning.test_scores.mean(axis=1)[-1] > 0.95
    validation = ValidationCurveDisplay.from_estimator(
        network, X, y, param_name="hidden_units", param_range=[1, 3], cv=3, ax=axes
    )
    few, enough = validation.test_scores.mean(axis=1)
    assert enough > few + 0.2


# ---------------------------------------------------------------------- weights through them


def test_sample_weight_without_routing(cancer, network):
    X, y = cancer
    weights = np.where(y == 1, 1.0, 5.0)
    pipeline = make_pipeline(StandardScaler(), network)
    pipeline.fit(X, y, twolayermlpclassifier__sample_weight=weights)
    expected = clone(network).fit(StandardScaler().fit_transform(X), y, sample_weight=weights)
    assert_array_equal(pipeline[-1].coefs_[0], expected.coefs_[0])


def test_sample_weight_with_routing(cancer, network):
    X, y = cancer
    weights = np.where(y == 1, 1.0, 5.0)
    with sklearn.config_context(enable_metadata_routing=True):
        asking = network.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), asking).fit(
            X, y, sample_weight=weights
        )
        expected = clone(network).fit(StandardScaler().fit_transform(X), y, sample_weight=weights)
        assert_array_equal(pipeline[-1].coefs_[0], expected.coefs_[0])
        search = GridSearchCV(asking, {"hidden_units": [2, 3]}, cv=2)
        assert search.fit(X, y, sample_weight=weights).best_score_ > 0.85
        silent = clone(network).set_fit_request(sample_weight=None)
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight"):
            make_pipeline(silent).fit(X, y, sample_weight=weights)


def test_validation_data_with_routing(cancer, network):
    X, y = cancer
    with sklearn.config_context(enable_metadata_routing=True):
        asking = network.set_params(early_stopping=True).set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(asking).fit(X[100:], y[100:], X_val=X[:100], y_val=y[:100])
    assert len(pipeline[-1].validation_loss_curve_) == pipeline[-1].n_iter_
