"""When a fit ends, what it records of that, and what it warns of."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from problems import data, fit, make
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.utils.validation import check_is_fitted

from sk_mlp import TwoLayerMLPClassifier

# ------------------------------------------------------------- early stopping and validation data


@pytest.mark.parametrize("own_split", [True, False])
def test_early_stopping_keeps_the_weights_of_the_lowest_validation_loss(solver, own_split):
    X, y = data(2, 300, flip_y=0.3)
    model = TwoLayerMLPClassifier(
        50, solver=solver, alpha=0.0, early_stopping=True, validation_fraction=0.3, random_state=0
    )
    X_val, y_val = data(2, 100, flip_y=0.3)
    if own_split:
        model.fit(X, y)
    else:
        model.fit(X, y, X_val=X_val, y_val=y_val)
    curve = model.validation_loss_curve_
    assert model.stop_reason_ == "early_stopping"
    assert model.converged_
    assert len(curve) == len(model.loss_curve_) == model.n_iter_
    assert model.best_iter_ == 1 + int(np.argmin(curve)) < model.n_iter_
    if not own_split:
        assert log_loss(y_val, model.predict_proba(X_val)) == pytest.approx(min(curve), rel=1e-5)


def test_validation_data_without_early_stopping_are_only_watched(solver):
    X, y = data(2)
    model = TwoLayerMLPClassifier(5, solver=solver, random_state=0)
    plain = clone(model).fit(X, y)
    watched = model.fit(X, y, X_val=X[:50], y_val=y[:50])
    assert_array_equal(watched.coefs_[0], plain.coefs_[0])
    assert len(watched.validation_loss_curve_) == watched.n_iter_
    assert not hasattr(plain, "validation_loss_curve_")
    assert not hasattr(watched.fit(X, y), "validation_loss_curve_")


def test_validation_weights():
    X, y = data(2)
    weights = np.arange(50) % 3
    model = TwoLayerMLPClassifier(5, solver="lbfgs", n_init=1, max_iter=500, random_state=0)
    model.fit(X, y, X_val=X[:50], y_val=y[:50], sample_weight_val=weights)
    expected = log_loss(y[:50], model.predict_proba(X[:50]), sample_weight=weights)
    assert model.validation_loss_curve_[model.best_iter_ - 1] == pytest.approx(expected)


def test_early_stopping_with_a_class_of_one_row_keeps_it_to_train_on():
    X, y = data(2)
    y[:] = X[:, 0] > 0
    y[0] = 2
    model = fit(make(early_stopping=True, alpha=0.01, max_iter=200), X, y)
    assert_array_equal(model.classes_, [0, 1, 2])
    # without a row to train on it would get 2e-4 at most
    assert model.predict_proba(X)[:, 2].max() > 1e-3


# ------------------------------------------------------------------------------------ convergence


def test_default_options_converge_without_a_word(solver):
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = TwoLayerMLPClassifier(5, solver=solver, random_state=0).fit(X, y)
    assert model.converged_


def test_attributes_describe_the_weights_that_are_returned(solver):
    X, y = data()
    model = TwoLayerMLPClassifier(6, solver=solver, random_state=0).fit(X, y)
    assert [w.shape for w in model.coefs_] == [(6, 6), (6, 3)]
    assert [b.shape for b in model.intercepts_] == [(6,), (3,)]
    assert 1 <= model.best_iter_ <= model.n_iter_ == len(model.loss_curve_)
    assert model.converged_
    assert model.stop_reason_ in ("tol", "stationary", "schedule")
    assert min(model.n_init_losses_) == model.loss_


def test_a_smaller_tol_brings_a_lower_loss():
    X, y = data(2, 200)
    losses = [
        TwoLayerMLPClassifier(5, solver="lbfgs", tol=tol, n_init=1, max_iter=5000, random_state=0)
        .fit(X, y)
        .loss_
        for tol in (1e-2, 1e-5, 0.0)
    ]
    assert losses[0] > losses[1] > losses[2]


# --------------------------------------------------------------- warnings that say what to change


def test_max_iter_reached(solver):
    X, y = data()
    model = make(solver, max_iter=3, learning_rate="constant", alpha=0.0)
    with pytest.warns(ConvergenceWarning, match="max_iter=3.*increase max_iter"):
        model.fit(X, y)
    assert not model.converged_
    assert model.stop_reason_ == "max_iter"
    assert model.n_iter_ == 3
    assert model.loss_ == pytest.approx(min(model.loss_curve_), rel=1e-6)
    assert model.loss_ == pytest.approx(log_loss(y, model.predict_proba(X)), rel=1e-6)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_penalty_that_leaves_no_weights_is_named_as_the_cause(solver):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(solver=solver, alpha=1e4, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"learned nothing.*1.099.*alpha=10000.0") as warned:
        model.fit(X, y)
    assert [warning.filename for warning in warned] == [__file__]
    assert model.stop_reason_ != "diverged"


def test_a_rate_that_is_too_high_is_named_where_alpha_is_tuned():
    X, y = make_classification(1000, 20, n_informative=10, random_state=0)
    model = TwoLayerMLPClassifier(50, solver="adam", learning_rate_init=10.0, random_state=0)
    message = r"learned nothing.*reached 0\.\d+ on held-out rows; lower learning_rate_init"
    with pytest.warns(ConvergenceWarning, match=message):
        model.fit(X, y)
    noise = np.random.RandomState(0).randint(0, 2, len(y))  # nothing to learn is no fault
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(model).set_params(learning_rate_init="auto").fit(X, noise)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("rate", [1e-8, 1e-5])
def test_after_steps_that_are_too_short_the_advice_is_longer_ones(solver, rate):
    net = TwoLayerMLPClassifier(
        10, solver=solver, learning_rate_init=rate, max_iter=20, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="raise learning_rate_init"):
        net.fit(*load_breast_cancer(return_X_y=True))


@pytest.mark.parametrize(("batch_size", "too_high"), [(20, 1.0), (1000, 10.0)])
def test_divergence_is_an_error_or_a_warning_with_its_likely_cause(batch_size, too_high):
    X, y = data()
    model = make(
        "sgd",
        activation="identity",
        learning_rate="constant",
        learning_rate_init=1e3,
        max_iter=1000,
        batch_size=batch_size,
    )
    with np.errstate(all="ignore"):
        patient = clone(model).set_params(n_iter_no_change=np.inf)
        with pytest.raises(ValueError, match="lower learning_rate_init"):
            patient.fit(X, y)
        with pytest.raises(NotFittedError):
            check_is_fitted(patient)
        # the loss no longer falls: not by convergence
        model.set_params(learning_rate_init=too_high)
        with pytest.warns(ConvergenceWarning, match=r"diverged: .*lower learning_rate_init"):
            model.fit(X, y)
        assert (model.converged_, model.stop_reason_) == (False, "diverged")
