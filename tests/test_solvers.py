"""The solvers on known functions: stationarity, descent, textbook steps, stopping."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import rosen, rosen_der

from sk_mlp._network.minibatches import Step
from sk_mlp._solvers import (
    OUTCOMES,
    SCHEDULES,
    Course,
    Monitor,
    Progress,
    UpdateRule,
    adam,
    lbfgs,
    minibatch,
    sgd,
    take_step,
)
from sk_mlp._solvers.updates import CHUNK, TIDY_STEPS, TINY

X0 = np.array([1.3, 0.7, 0.8, 1.9])


def rosenbrock(x):
    return rosen(x), rosen_der(x)


class Quadratic:
    """(x - c)^T A (x - c) / 2, as an objective and as one batch per epoch."""

    def __init__(self, size=4, condition=20.0):
        rng = np.random.RandomState(0)
        Q, _ = np.linalg.qr(rng.normal(size=(size, size)))
        self.A = Q @ np.diag(np.geomspace(1.0, condition, size)) @ Q.T
        self.center = rng.normal(size=size)
        self.last_loss = None

    def loss_gradient(self, x):
        difference = self.A @ (x - self.center)
        return 0.5 * (x - self.center) @ difference, difference

    def gradient(self, x):
        self.last_loss, gradient = self.loss_gradient(x)
        return gradient

    n_steps = 1

    def start_loss(self, params):
        return None

    def epoch(self, params, take):
        take(Step(None, params, self.gradient(params)))
        return self.loss_gradient(params)[0]

    def minimize(self, rule, *, max_iter, schedule="constant", rate=0.02, patience=5, **options):
        monitor = Monitor(max_iter=max_iter, tol=0.0, n_iter_no_change=patience)
        course = Course(schedule, rate, **options)
        return minibatch(self, np.zeros(len(self.center)), rule, course, monitor)


def monitor_of(max_iter=1000, tol=0.0, n_iter_no_change=math.inf, **options):
    return Monitor(max_iter=max_iter, tol=tol, n_iter_no_change=n_iter_no_change, **options)


class Recorder:
    """An observer that asks to stop after some iterations."""

    def __init__(self, stop_at=None):
        self.stop_at, self.begun, self.ended = stop_at, 0, []

    def begin_iteration(self):
        self.begun += 1

    def end_iteration(self, iteration, x, loss, validation_loss):
        self.ended.append((iteration, x.copy(), loss, validation_loss))
        return iteration == self.stop_at


# ---------------------------------------------------------------------------------- L-BFGS


@pytest.mark.parametrize("function", [rosenbrock, Quadratic().loss_gradient])
def test_lbfgs_ends_at_a_stationary_point_by_descent(function):
    result = lbfgs(function, X0, monitor_of())
    assert result.reason == "stationary"
    assert result.converged
    assert np.abs(function(result.x)[1]).max() < 1e-6
    assert result.loss == function(result.x)[0] == min(result.loss_curve)
    assert np.all(np.diff(result.loss_curve) <= 0)
    assert len(result.loss_curve) == result.n_iter


def test_lbfgs_finds_the_minimum_of_rosenbrock():
    assert_allclose(lbfgs(rosenbrock, X0, monitor_of()).x, 1.0, rtol=1e-6)


def test_lbfgs_stops_at_max_iter_with_the_best_point():
    result = lbfgs(rosenbrock, X0, monitor_of(max_iter=5))
    assert (result.reason, result.converged, result.n_iter) == ("max_iter", False, 5)
    assert result.loss == rosen(result.x) == min(result.loss_curve)


def test_lbfgs_leaves_a_minimum_where_it_is():
    result = lbfgs(rosenbrock, np.ones(4), monitor_of())
    assert_array_equal(result.x, 1.0)
    assert result.best_iter == 0
    assert result.converged


def test_lbfgs_stops_by_tol():
    result = lbfgs(rosenbrock, X0, monitor_of(tol=1e-3, n_iter_no_change=2))
    assert result.reason == "tol"
    assert result.converged
    best = np.minimum.accumulate(result.loss_curve)
    gains = -np.diff(best)
    assert gains[-2:].max() <= 1e-3  # two iterations in a row that brought no more
    assert np.all(np.maximum(gains[:-2], gains[1:-1]) > 1e-3)  # and for the first time
    assert result.n_iter < lbfgs(rosenbrock, X0, monitor_of()).n_iter


def test_lbfgs_stops_when_asked():
    recorder = Recorder(stop_at=3)
    result = lbfgs(rosenbrock, X0, monitor_of(observers=[recorder]))
    assert (result.reason, result.converged, result.n_iter) == ("callback", False, 3)
    assert [iteration for iteration, *_ in recorder.ended] == [1, 2, 3]
    assert recorder.begun == 3
    for _, x, loss, _ in recorder.ended:
        assert loss == rosen(x)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_lbfgs_refuses_a_loss_that_is_not_finite(bad):
    def function(x):
        return (rosen(x) if x[0] > 1.2 else bad), rosen_der(x)

    with pytest.raises(ValueError, match=f"loss became {bad}"):
        lbfgs(function, X0, monitor_of())


def test_lbfgs_passes_an_interrupt_on_and_leaves_x0():
    x0, calls = X0.copy(), []

    def function(x):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return rosenbrock(x)

    with pytest.raises(KeyboardInterrupt):
        lbfgs(function, x0, monitor_of())
    assert_array_equal(x0, X0)


# -------------------------------------------------------------------------- rules of update


def steps_of(rule, n_steps, rate=0.05, size=4):
    """Points visited by a rule on a quadratic, and its gradients there."""
    function = Quadratic(size)
    progress = Progress.start(np.zeros(size), rule)
    points, gradients = [progress.params.copy()], []
    for _ in range(n_steps):
        params = progress.params
        gradients.append(function.loss_gradient(params)[1])
        progress = take_step(rule, progress, Step(None, params, function.gradient(params)), rate)
        points.append(progress.params.copy())
    assert progress.t == n_steps
    return np.array(points), np.array(gradients), function


def test_plain_gradient_descent():
    points, gradients, _ = steps_of(sgd(0.0, True), 6)
    assert_allclose(np.diff(points, axis=0), -0.05 * gradients, rtol=1e-12)


def test_classical_momentum_as_in_sutskever_equations_1_and_2():
    points, gradients, _ = steps_of(sgd(0.9, False), 6)
    v = np.zeros(4)
    for i, gradient in enumerate(gradients):
        v = 0.9 * v - 0.05 * gradient
        assert_allclose(points[i + 1], points[i] + v, rtol=1e-12)


def test_nesterov_as_in_sutskever_equations_3_and_4():
    points, _, function = steps_of(sgd(0.9, True), 6)
    theta, v = np.zeros(4), np.zeros(4)
    for point in points:  # what the rule moves is the point where the gradient is taken
        assert_allclose(point, theta + 0.9 * v, rtol=1e-11, atol=1e-14)
        v = 0.9 * v - 0.05 * function.loss_gradient(theta + 0.9 * v)[1]
        theta = theta + v


@pytest.mark.parametrize(("beta_1", "beta_2"), [(0.9, 0.999), (0.0, 0.99), (0.5, 0.0)])
def test_adam_as_in_algorithm_1(beta_1, beta_2):
    points, gradients, _ = steps_of(adam(beta_1, beta_2), 20)
    theta, m, v = points[0], 0.0, 0.0
    for t, gradient in enumerate(gradients, start=1):
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * gradient**2
        m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
        theta = theta - 0.05 * m_hat / (np.sqrt(v_hat) + 1e-8)
        assert_allclose(points[t], theta, rtol=1e-10)


@pytest.mark.parametrize("rule", [adam(0.9, 0.999), sgd(0.9, True), sgd(0.0, False)])
def test_chunks_change_nothing(rule):
    rng = np.random.RandomState(0)
    size = 2 * CHUNK + 5
    x0, gradient = rng.normal(size=(2, size))
    progress, whole = Progress.start(x0, rule), Progress.start(x0, rule)
    for t in (1, 2, 3):
        progress = take_step(rule, progress, Step(None, progress.params, gradient.copy()), 0.1)
        rule.step(whole.params, gradient.copy(), whole.state, 0.1, t)
    assert_array_equal(vectors(progress), vectors(whole))


def vectors(progress):
    """Parameters and state as one array."""
    return np.stack([progress.params, *progress.state.values()])


class Some:
    """Selection of coordinates by index."""

    def __init__(self, *index):
        self.index = list(index)

    def take(self, vector):
        return vector[self.index]

    def put(self, vector, values):
        vector[self.index] = values


@pytest.mark.parametrize("rule", [adam(0.9, 0.999), sgd(0.9, True), sgd(0.0, False)])
def test_only_selected_coordinates_move(rule):
    x0 = np.arange(1.0, 6.0)
    progress, part = Progress.start(x0, rule), Progress.start(x0[[1, 3]], rule)
    for _ in range(3):
        some, params = Some(1, 3), part.params
        copy = some.take(progress.params)
        progress = take_step(rule, progress, Step(some, copy, copy**2), 0.1)
        part = take_step(rule, part, Step(None, params, params**2), 0.1)
    assert_array_equal(vectors(progress)[:, [1, 3]], vectors(part))
    assert_array_equal(progress.params[[0, 2, 4]], x0[[0, 2, 4]])
    for vector in progress.state.values():
        assert_array_equal(vector[[0, 2, 4]], 0.0)


@pytest.mark.parametrize(
    "rule", [adam(0.9, 0.999), sgd(0.9, True), sgd(0.9, False), sgd(0.0, True)]
)
def test_a_rule_keeps_single_precision(rule):
    x0 = np.ones(3, dtype=np.float32)
    progress = Progress.start(x0, rule)
    progress = take_step(rule, progress, Step(None, progress.params, progress.params + 0), 0.1)
    assert vectors(progress).dtype == np.float32
    assert_array_equal(x0, 1.0)


# ------------------------------------------------------------------------ minibatch solver


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


# --------------------------------------------------------------------------------- monitor


def follow(monitor, losses):
    """Feed losses until the monitor stops; the point of iteration i is [i]."""
    for i, loss in enumerate(losses, start=1):
        if monitor.update(np.array([float(i)]), loss):
            break
    return monitor.result()


def test_monitor_counts_iterations_without_enough_improvement():
    monitor = monitor_of(tol=0.1, n_iter_no_change=3)
    result = follow(monitor, [1.0, 0.95, 0.85, 0.8, 0.76, 0.74, 0.1])
    # .85 and later ones are each compared with the lowest so far
    assert result.reason == "tol"
    assert result.converged
    assert result.n_iter == 4
    assert result.best_iter == 4
    assert_array_equal(result.x, [4.0])


def test_monitor_starts_counting_again_after_an_improvement():
    monitor = monitor_of(tol=0.1, n_iter_no_change=3)
    result = follow(monitor, [1.0, 0.99, 0.98, 0.5, 0.49, 0.48, 0.47, 0.1])
    assert result.n_iter == 7
    assert result.loss == 0.47


def test_monitor_keeps_the_best_even_if_it_is_better_by_less_than_tol():
    result = follow(monitor_of(tol=0.1, n_iter_no_change=5), [1.0, 0.99, 1.5, 2.0])
    assert result.loss == 0.99
    assert result.best_iter == 2


def test_monitor_watches_the_validation_loss():
    validation = {1.0: 0.5, 2.0: 0.4, 3.0: 0.6, 4.0: 0.7}
    monitor = monitor_of(
        n_iter_no_change=2, validation_loss=lambda x: validation[x[0]], watch_validation=True
    )
    result = follow(monitor, [0.9, 0.8, 0.7, 0.6, 0.5])
    assert (result.reason, result.converged) == ("early_stopping", True)
    assert (result.best_iter, result.n_iter, result.loss) == (2, 4, 0.8)
    assert result.validation_loss_curve == [0.5, 0.4, 0.6, 0.7]


def test_monitor_only_notes_the_validation_loss_unless_told_to_watch_it():
    monitor = monitor_of(max_iter=3, validation_loss=lambda x: x[0])
    result = follow(monitor, [0.9, 0.8, 0.7])
    assert (result.reason, result.best_iter) == ("max_iter", 3)
    assert result.validation_loss_curve == [1.0, 2.0, 3.0]


def test_monitor_copies_a_live_buffer():
    monitor, x = monitor_of(), np.zeros(1)
    for loss in (0.5, 0.9):
        x += 1
        monitor.update(x, loss)
    assert_array_equal(monitor.result().x, [1.0])


def test_monitor_returns_the_start_if_nothing_improves_on_it():
    monitor = monitor_of(max_iter=2)
    monitor.begin(np.array([0.0]), 0.3)
    result = follow(monitor, [0.5, 0.4])
    assert (result.best_iter, result.loss) == (0, 0.3)
    assert_array_equal(result.x, [0.0])


def test_every_observer_hears_of_every_iteration():
    observers = [Recorder(stop_at=2), Recorder(), Recorder(stop_at=2)]
    result = follow(monitor_of(observers=observers), [3.0, 2.0, 1.0])
    assert result.reason == "callback"
    for observer in observers:
        assert [entry[0] for entry in observer.ended] == [1, 2]


def test_numbers_too_small_to_matter_become_zero():
    """A weight that only a penalty moves does not end among the slow subnormal numbers."""
    rule = adam(0.9, 0.999)
    progress = Progress.start(np.array([1.0, 0.1 * TINY, -0.1 * TINY], dtype=np.float32), rule)
    for _ in range(TIDY_STEPS):
        params = progress.params
        progress = take_step(rule, progress, Step(None, params, 1e-6 * params), 0.0)
    assert_array_equal(progress.params, [1.0, 0.0, 0.0])
    for moment in progress.state.values():
        assert_array_equal(moment != 0, [True, False, False])


def test_converged_is_a_function_of_the_reason():
    assert [reason for reason, outcome in OUTCOMES.items() if outcome.converged] == [
        "tol",
        "early_stopping",
        "stationary",
        "schedule",
    ]
