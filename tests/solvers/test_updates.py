"""The rules of update: the textbook's steps."""

import numpy as np
import pytest
from functions import Quadratic
from numpy.testing import assert_allclose, assert_array_equal

from sk_mlp._network.minibatches import Step
from sk_mlp._solvers import Progress, adam, sgd, take_step
from sk_mlp._solvers.updates import CHUNK, TIDY_STEPS, TINY


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
