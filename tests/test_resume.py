"""Training that goes on: partial_fit and warm_start."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import assert_same_fit, circles, data, fit, make
from scipy import sparse

from sk_mlp import TwoLayerMLPClassifier

# ------------------------------------------------------------------------------------ partial_fit


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_learns_from_chunks(solver):
    X, y = circles()
    model = TwoLayerMLPClassifier(20, solver=solver, alpha=0.01, random_state=0)
    for _ in range(30):
        for chunk in np.array_split(np.arange(500), 5):
            model.partial_fit(X[chunk], y[chunk], classes=[0, 1])
    assert model.score(X, y) > 0.98
    assert model.n_iter_ == len(model.loss_curve_) == 150
    assert (model.stop_reason_, model.converged_) == ("partial_fit", False)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_partial_fit_is_repeatable_and_continues_across_a_copy(container):
    X, y = data()
    X = container(X)
    models = [TwoLayerMLPClassifier(5, solver="adam", random_state=0) for _ in range(2)]
    for model in models:
        model.partial_fit(X, y, classes=[0, 1, 2])
    models[1] = pickle.loads(pickle.dumps(models[1]))
    for model in models:
        model.partial_fit(X, y)
    assert_same_fit(*models)


def test_partial_fit_of_chunks_without_some_class():
    X, y = data()
    model = TwoLayerMLPClassifier(5, solver="adam", learning_rate_init=0.05, random_state=0)
    for label in (0, 1, 2):
        chunk = X[y == label]
        for _ in range(20):
            model.partial_fit(chunk, y[y == label], classes=[0, 1, 2])
        assert model.predict_proba(chunk).mean(axis=0).argmax() == label
    assert_array_equal(model.classes_, [0, 1, 2])


def test_partial_fit_checks_its_classes():
    X, y = data()
    model = TwoLayerMLPClassifier(5, solver="adam")
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"labels \[2\] that are not in classes \[0, 1\]"):
        model.partial_fit(X, y, classes=[0, 1])
    model.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes=\[0, 1, 5\] is not the same"):
        model.partial_fit(X, y, classes=[0, 1, 5])
    with pytest.raises(AttributeError, match="partial_fit"):
        TwoLayerMLPClassifier(solver="lbfgs").partial_fit  # noqa: B018


def test_partial_fit_continues_a_fit():
    X, y = data(2)
    model = TwoLayerMLPClassifier(5, solver="adam", random_state=0).fit(X, y)
    before, n_iter = model.predict_proba(X), model.n_iter_
    model.set_params(learning_rate_init=1e-12).partial_fit(X, y)
    assert model.n_iter_ == n_iter + 1
    assert_allclose(model.predict_proba(X), before, atol=1e-6)
    model.set_params(learning_rate_init=0.01).partial_fit(X, y)
    assert 1e-3 < np.abs(model.predict_proba(X) - before).max() < 0.25


def test_partial_fit_with_new_statistics_does_not_change_what_was_learned():
    X, y = data(2)
    model = TwoLayerMLPClassifier(
        5, solver="sgd", learning_rate_init=1e-12, alpha=0.0, random_state=0
    )
    model.partial_fit(X, y, classes=[0, 1])
    before = model.predict_proba(X)
    model.partial_fit(1.05 * X + 0.1, y)  # another mean and scale; the step moves nothing
    assert_allclose(model.predict_proba(X), before, atol=1e-6)


# ------------------------------------------------------------------------------------- warm_start


def test_warm_start_continues_from_the_last_fit(solver):
    X, y = data(2, 200)
    model = TwoLayerMLPClassifier(
        5, solver=solver, max_iter=30, batch_size=200, warm_start=True, random_state=0
    )
    first = fit(model, X, y).loss_
    second = fit(model, X, y).loss_
    cold = fit(model.set_params(warm_start=False), X, y).loss_
    assert second <= first
    assert cold == first


def test_warm_start_at_a_minimum_is_never_worse_than_its_start(solver):
    X, y = data(2, 200)
    model = TwoLayerMLPClassifier(
        5,
        activation="tanh",
        solver="lbfgs",
        tol=0.0,
        max_iter=5000,
        warm_start=True,
        random_state=0,
    ).fit(X, y)
    minimum = model.loss_
    model.set_params(solver=solver, batch_size=200, max_iter=50)
    fit(model, X, y)
    assert minimum - 1e-9 < model.loss_ <= minimum + 1e-12


def test_warm_start_and_partial_fit_go_on_after_pickle():
    X, y = data()
    for model in (make("lbfgs", warm_start=True), make("adam", warm_start=True)):
        fit(model, X, y)
        assert_same_fit(fit(pickle.loads(pickle.dumps(model)), X, y), fit(model, X, y))
    restored = pickle.loads(pickle.dumps(model))
    assert_same_fit(restored.partial_fit(X, y), model.partial_fit(X, y))
