"""From rows to a fitted network: starts, training, and what is said of the result."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._data.data import Data
from sk_mlp._data.targets import encode
from sk_mlp._network.parameters import Layout
from sk_mlp._solvers import SolverResult
from sk_mlp._training.training import (
    OF_A_START,
    TrainingSet,
    finish,
    random_starts,
    settle,
    train,
    validation_loss,
)

HIDDEN_UNITS = 3


def rows(n_classes=2, container=np.asarray):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 4))
    X[:, 1] = 0.0  # a constant column
    y = np.arange(60) % 5 if n_classes > 2 else np.arange(60) % 5 == 0
    return Data(container(X), encode(np.minimum(y, n_classes - 1)), None)


def settled(data, alpha=0.0, **options):
    options = {**TwoLayerMLPClassifier(HIDDEN_UNITS, solver="lbfgs").get_params(), **options}
    moments = data.moments(standardize=options["standardize"])
    objective, settings = settle(TrainingSet(data, data.rows(), moments), options)
    return objective.with_alpha(alpha), settings


@pytest.mark.parametrize(
    ("container", "standardize"), [(np.asarray, True), (sparse.csr_matrix, False)]
)
def test_random_starts(container, standardize):
    data = rows(3, container)
    objective, settings = settled(data, standardize=standardize, n_init=2)
    one, two = random_starts(objective, data, settings, np.random.RandomState(0))
    layout = objective.network.layout
    assert layout == Layout(4, HIDDEN_UNITS, 3)
    for start in (one, two):
        W1, _, W2, b2 = layout.views(start)
        assert_array_equal((W1 != 0).all(axis=1), [True, False, True, True])
        assert W2.all()
        assert_allclose(b2, np.log([0.2, 0.2, 0.6]))  # alone it predicts the share of each class
    assert (one[layout.weights] != two[layout.weights]).any()


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_training_lowers_the_objective_it_is_given(solver):
    data = rows()
    objective, settings = settled(data, 0.1, solver=solver, max_iter=30)
    starts = random_starts(objective, data, settings, np.random.RandomState(0))
    result, losses = train(objective, settings, starts[:1], np.random.RandomState(0))
    assert result.x.dtype == np.float64
    assert_allclose(result.loss, objective.loss(result.x), rtol=1e-6)
    assert losses == [result.loss]
    assert result.loss < objective.loss(starts[0])


def test_a_warm_start_that_is_not_improved_is_returned():
    data = rows()
    objective, settings = settled(
        data, 0.1, solver="sgd", learning_rate_init=3.0, max_iter=1, batch_size=10
    )
    lowest, _ = train(
        objective,
        settings._replace(solver="lbfgs", max_iter=500, tol=0.0),
        random_starts(objective, data, settings, np.random.RandomState(0)),
        np.random.RandomState(0),
    )
    result, _ = train(objective, settings, [lowest.x], np.random.RandomState(0), warm=True)
    assert_array_equal(result.x, lowest.x)
    assert (result.best_iter, result.n_iter) == (0, 1)


def test_the_validation_loss_is_that_of_other_rows_without_penalty():
    data = rows()
    objective, _ = settled(data, 5.0)
    params = np.random.RandomState(0).normal(size=objective.network.layout.size)
    held_out = data.take(np.arange(20))
    expected = settled(data)[0]
    assert_allclose(
        validation_loss(objective, data.rows())(params), expected.loss(params), rtol=1e-12
    )
    assert validation_loss(objective, held_out.rows())(params) != expected.loss(params)


def ended(
    data_loss, *, alpha=0.0, reason="tol", curve=(), losses=(2.0,), best_iter=5, options=None
):
    """A fit that ended with some loss at weights of one; all losses without the penalty."""
    data = rows()
    objective, settings = settled(data, alpha, **(options or {}))
    x = np.ones(objective.network.layout.size)
    penalty = objective.penalty(x) / 60
    loss, losses = data_loss + penalty, [value + penalty for value in losses]
    result = SolverResult(x, loss, loss, 7, best_iter, reason, losses, list(curve))
    return finish(objective, data, settings, result)


PRIOR = -(0.2 * np.log(0.2) + 0.8 * np.log(0.8))


@pytest.mark.parametrize("alpha", [0.0, 1e3])
@pytest.mark.parametrize(
    ("loss", "reason", "useless"),
    [
        (0.1, "tol", False),
        (PRIOR * (1 - 2e-4), "tol", False),
        (PRIOR * (1 - 0.5e-4), "tol", True),
        (PRIOR * (1 + 0.5e-4), "tol", True),
        (PRIOR * (1 + 2e-4), "diverged", True),
        (10.0, "diverged", True),
    ],
)
def test_the_loss_without_penalty_is_compared_with_the_share_of_each_class(
    loss, reason, useless, alpha
):
    fit = ended(loss, alpha=alpha)
    assert_allclose(fit.prior_loss, PRIOR)
    assert fit.useless == useless
    assert fit.attributes["stop_reason_"] == reason
    assert fit.attributes["converged_"] == (reason == "tol")


def test_a_fit_that_was_stopped_has_not_diverged():
    assert ended(10.0, reason="max_iter").attributes["stop_reason_"] == "max_iter"


@pytest.mark.parametrize(
    ("losses", "reason"),
    [
        ((0.9, 0.8, 0.7), "max_iter"),  # on its way down, and still above
        ((0.9, 0.8, 0.81, 0.7), "diverged"),
        ((2.0, 0.9, 0.7), "diverged"),
        ((0.9, 0.7, 0.5), "diverged"),
    ],
)
def test_planned_steps_that_were_too_short_have_not_diverged(losses, reason):
    attributes = ended(0.7, reason="schedule", losses=losses).attributes
    assert (attributes["stop_reason_"], attributes["converged_"]) == (reason, False)
    assert ended(0.1, reason="schedule", losses=losses).attributes["stop_reason_"] == "schedule"


@pytest.mark.parametrize("reason", ["tol", "early_stopping"])
def test_a_loss_that_was_still_falling_has_not_diverged(reason):
    fit = ended(0.7, reason=reason, losses=(0.9, 0.8, 0.7))
    assert (fit.falling, fit.useless) == (True, True)
    assert (fit.attributes["stop_reason_"], fit.attributes["converged_"]) == (reason, True)


def test_a_penalty_above_the_loss_of_any_start_does_not_hide_that_the_loss_is_falling():
    fit = ended(0.7, alpha=600.0, reason="schedule", losses=(0.9, 0.8, 0.7))
    assert fit.attributes["loss_"] > 0.7 + OF_A_START * PRIOR
    assert (fit.falling, fit.attributes["stop_reason_"]) == (True, "max_iter")


@pytest.mark.parametrize(
    ("data_loss", "best_iter", "last", "misled"),
    [
        (0.7, 2, 0.3, True),
        (0.7, 5, 0.3, False),  # the validation loss fell until the end
        (0.7, 2, 0.8, False),  # so did not the training loss
        (3.0, 2, 0.9, False),  # far above any start
        (0.3, 2, 0.1, False),  # better than the class frequencies
    ],
)
def test_validation_data_that_keep_a_start(data_loss, best_iter, last, misled):
    options = {"early_stopping": True, "n_iter_no_change": 4}
    losses = (1.2, data_loss, last)
    fit = ended(
        data_loss, reason="early_stopping", losses=losses, best_iter=best_iter, options=options
    )
    assert fit.misled == misled
    diverged = not misled and data_loss > PRIOR
    assert fit.attributes["stop_reason_"] == ("diverged" if diverged else "early_stopping")


def test_attributes_of_a_fit():
    attributes = ended(0.1).attributes
    assert (attributes["n_iter_"], attributes["best_iter_"]) == (7, 5)
    assert [W.shape for W in attributes["coefs_"]] == [(4, HIDDEN_UNITS), (HIDDEN_UNITS, 1)]
    assert_array_equal(attributes["coefs_"][0][1], 0.0)  # of the constant column
    assert "validation_loss_curve_" not in attributes
    assert ended(0.1, curve=[0.3]).attributes["validation_loss_curve_"] == [0.3]
