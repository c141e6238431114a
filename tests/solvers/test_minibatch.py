"""Passes in batches: learning rates, minima, the best point."""

import math

import numpy as np
import pytest
from functions import Quadratic, monitor_of
from numpy.testing import assert_allclose, assert_array_equal

from sk_mlp._network.minibatches import Step
from sk_mlp._solvers import SCHEDULES, Course, UpdateRule, adam, minibatch, sgd


@pytest.mark.parametrize(
    ("rule", "rate", "schedule"),
    [
        (sgd(0.0, False), 0.05, "constant"),
        (sgd(0.9, False), 0.02, "constant"),
        (sgd(0.9, True), 0.02, "constant"),
        (sgd(0.9, True), 0.05, "cosine"),
        (sgd(0.9, True), 0.05, "adaptive"),
        (adam(0.9, 0.999), 0.1, "cosine"),
    ],
)
def test_minimum_of_a_quadratic(rule, rate, schedule):
    function = Quadratic()
    result = function.minimize(rule, max_iter=2000, rate=rate, schedule=schedule, patience=math.inf)
    assert np.abs(function.loss_gradient(result.x)[1]).max() < 1e-5
    assert_allclose(result.x, function.center, atol=1e-5)
    assert result.loss == min(result.loss_curve)


def test_gradient_descent_descends_at_every_step():
    result = Quadratic().minimize(sgd(0.0, False), max_iter=50, rate=0.05)
    assert np.all(np.diff(result.loss_curve) < 0)


class Rates(list):
    """A rule that notes the learning rates and moves nothing."""

    def rule(self):
        return UpdateRule((), lambda params, g, state, rate, t: self.append(rate))


def rates_of(schedule, max_iter, n_steps=1, **options):
    rates = Rates()
    monitor = monitor_of(max_iter, **options)

    class Batches:
        def __init__(self):
            self.n_steps = n_steps

        def start_loss(self, params):
            return None

        def epoch(self, params, take):
            for _ in range(n_steps):
                take(Step(None, params, np.zeros_like(params)))
            return 1.0 / (1 + len(rates)) if "tol" not in options else 1.0

    result = minibatch(Batches(), np.zeros(2), rates.rule(), Course(schedule, 2.0), monitor)
    return np.array(rates), result


def test_constant_rate():
    assert_array_equal(rates_of("constant", 4, 3)[0], 2.0)


def test_invscaling_rate_falls_with_the_root_of_the_epochs():
    rates, _ = rates_of("invscaling", 4, 3)
    assert_allclose(rates.reshape(4, 3), (2.0 / np.sqrt([1, 2, 3, 4]))[:, None].repeat(3, axis=1))


def test_cosine_rate_warms_up_and_ends_at_zero():
    rates, _ = rates_of("cosine", 20, 10)
    assert_allclose(rates[:10], 2.0 * np.arange(0.5, 10) / 10, rtol=0.01)
    done = np.arange(20.5, 200) / 200
    assert_allclose(rates[20:], 1.0 + np.cos(np.pi * done), atol=1e-12)
    assert 0 < rates[-1] < 1e-4


def test_cosine_rate_of_a_single_step_is_that_of_the_middle():
    assert_allclose(rates_of("cosine", 1)[0], 1.0)


def test_adaptive_rate_is_divided_by_five_when_progress_stalls():
    rates, result = rates_of("adaptive", 1000, 1, tol=0.0, n_iter_no_change=3)
    # the first epoch improves on nothing known; then three in a row stall
    assert_allclose(rates[:4], 2.0)
    assert_allclose(rates[4:7], 0.4)
    assert_allclose(rates[7:10], 0.08)
    assert rates[-1] > 2.0 * 1e-6 > rates[-1] / 5
    assert (result.reason, result.converged) == ("tol", True)


def test_adaptive_rate_never_runs_past_max_iter():
    rates, result = rates_of("adaptive", 3, 1, tol=0.0, n_iter_no_change=1)
    assert len(rates) == result.n_iter == 3


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_starts_near_its_rate_and_never_exceeds_it(schedule):
    rates, _ = rates_of(schedule, 100, 2)
    assert rates.max() <= 2.0
    assert rates[:20].max() > 1.9


def test_a_planned_cosine_schedule_converges_by_its_end():
    function = Quadratic()
    planned = function.minimize(
        adam(0.9, 0.999), max_iter=30, schedule="cosine", patience=math.inf, planned=True
    )
    assert (planned.reason, planned.converged, planned.n_iter) == ("schedule", True, 30)
    limited = function.minimize(
        adam(0.9, 0.999), max_iter=30, schedule="constant", patience=math.inf
    )
    assert (limited.reason, limited.converged) == ("max_iter", False)


def test_minibatch_returns_the_best_point_not_the_last():
    function = Quadratic()
    # too long a step: the loss grows without bound, and soon
    result = function.minimize(sgd(0.0, False), max_iter=8, rate=0.11, patience=math.inf)
    assert result.loss_curve[-1] > min(result.loss_curve)
    assert result.loss == min(result.loss_curve)
    assert result.best_iter == 1 + int(np.argmin(result.loss_curve))
    assert function.loss_gradient(result.x)[0] == result.loss


def test_minibatch_refuses_a_loss_that_is_not_finite():
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match="lower learning_rate_init"),
    ):
        Quadratic().minimize(sgd(0.0, False), max_iter=10_000, rate=10.0, patience=math.inf)


def test_minibatch_passes_an_interrupt_on_and_leaves_x0():
    class Batches(Quadratic):
        def epoch(self, params, take):
            raise KeyboardInterrupt

    x0 = np.ones(3)
    with pytest.raises(KeyboardInterrupt):
        minibatch(Batches(), x0, adam(0.9, 0.999), Course("constant", 0.1), monitor_of())
    assert_array_equal(x0, 1.0)
