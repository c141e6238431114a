"""Random restarts: who is dropped, who is finished, and what is told of it."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sk_mlp._network.parameters import Layout
from sk_mlp._solvers import SolverResult
from sk_mlp._training.settings import Size, resolve
from sk_mlp._training.starts import Restarts, Watch, join

SETTINGS = resolve(
    {
        "solver": "lbfgs",
        "alpha": 1.0,
        "n_init": 1,
        "max_iter": 100,
        "tol": 0.0,
        "n_iter_no_change": 10,
    },
    Size(50, Layout(2, 3, 1)),
)


def result(x, curve, reason="max_iter", loss=None):
    best = int(np.argmin(curve))
    return SolverResult(
        np.asarray(x, dtype=float),
        curve[best] if loss is None else loss,
        curve[best],
        len(curve),
        best + 1,
        reason,
        list(curve),
        [],
    )


class Descent:
    """A solver that comes down from x = [start, loss so far] by `speed` at each iteration."""

    def __init__(self, speeds, reasons=()):
        self.speeds, self.reasons, self.runs = speeds, dict(reasons), []

    def __call__(self, x0, monitor):
        start, loss = int(x0[0]), x0[1]
        self.runs.append((start, monitor.max_iter))
        curve = [loss - self.speeds[start] * i for i in range(1, monitor.max_iter + 1)]
        return result([start, curve[-1]], curve, self.reasons.get(start, "max_iter"))


def starts(n, loss=1000.0):
    return [np.array([i, loss]) for i in range(n)]


def test_the_worse_half_is_dropped_in_each_round_and_the_best_is_finished():
    solver = Descent([1.0, 4.0, 2.0, 3.0, 0.5])
    finished, losses = Restarts(solver, SETTINGS, starts(5)).finish()
    first, second, last = solver.runs[:5], solver.runs[5:7], solver.runs[7:]
    assert first == [(i, 10) for i in range(5)]
    assert second == [(1, 10), (3, 10)]
    assert last == [(1, 80)]  # the iterations of both rounds count
    assert finished.n_iter == finished.best_iter == SETTINGS.max_iter
    assert finished.loss == 1000 - 4.0 * 100
    assert finished.loss_curve == [1000 - 4.0 * i for i in range(1, 101)]
    assert losses == [990.0, 600.0, 980.0, 940.0, 995.0]


def test_one_start_is_one_run():
    solver = Descent([1.0])
    Restarts(solver, SETTINGS, starts(1)).finish()
    assert solver.runs == [(0, 100)]


def test_of_equal_starts_the_first_is_kept():
    solver = Descent([1.0, 1.0])
    Restarts(solver, SETTINGS, starts(2)).finish()
    assert solver.runs[2:] == [(0, 90)]


def test_a_start_that_has_converged_is_not_run_again():
    solver = Descent([1.0, 4.0], {1: "tol"})
    finished, _ = Restarts(solver, SETTINGS, starts(2)).finish()
    assert solver.runs == [(0, 10), (1, 10)]
    assert (finished.reason, finished.n_iter) == ("tol", 10)


def test_no_start_runs_past_max_iter():
    solver = Descent([1.0, 4.0])
    finished, _ = Restarts(solver, SETTINGS._replace(max_iter=10), starts(2)).finish()
    assert solver.runs == [(0, 10), (1, 10)]
    assert finished.n_iter == 10


class Listener:
    def __init__(self, stop_after=None):
        self.stop_after, self.begun, self.ended = stop_after, [], []

    def begin_run(self, run, n_runs, max_iter):
        self.begun.append((run, n_runs, max_iter))

    def end_run(self, result):
        self.ended.append(result.loss)
        return len(self.ended) == self.stop_after


def test_listeners_are_told_of_each_run():
    listener = Listener()
    watch = Watch(listeners=[listener])
    Restarts(Descent([1.0, 4.0, 2.0]), SETTINGS, starts(3), watch).finish()
    # 3 starts, of which the best is finished in the second round
    assert listener.begun == [(0, 4, 10), (1, 4, 10), (2, 4, 10), (3, 4, 90)]
    assert listener.ended == [990.0, 960.0, 980.0, 600.0]


def test_a_listener_leaves_out_the_runs_to_come():
    solver, watch = Descent([1.0, 4.0, 2.0]), Watch(listeners=[Listener(stop_after=2)])
    finished, losses = Restarts(solver, SETTINGS, starts(3), watch).finish()
    assert solver.runs == [(0, 10), (1, 10)]
    assert (finished.reason, finished.loss) == ("callback", 960.0)
    assert losses == [990.0, 960.0]


@pytest.mark.parametrize("second_best", [0.1, 0.9])
def test_join_keeps_the_better_of_two_runs(second_best):
    first = result([1.0], [0.8, 0.5, 0.6])
    second = result([2.0], [0.95, second_best], reason="tol")
    whole = join(first, second)
    assert whole.loss_curve == [0.8, 0.5, 0.6, 0.95, second_best]
    assert (whole.n_iter, whole.reason) == (5, "tol")
    if second_best < 0.5:
        assert (whole.best_iter, whole.loss, whole.best) == (5, 0.1, 0.1)
        assert_array_equal(whole.x, [2.0])
    else:
        assert (whole.best_iter, whole.loss, whole.best) == (2, 0.5, 0.5)
        assert_array_equal(whole.x, [1.0])
