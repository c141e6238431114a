"""L-BFGS on known functions: stationarity, descent, stopping."""

import numpy as np
import pytest
from functions import Quadratic, Recorder, monitor_of, rosenbrock
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import rosen, rosen_der

from sk_mlp._solvers import lbfgs

X0 = np.array([1.3, 0.7, 0.8, 1.9])


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
