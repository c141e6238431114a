"""When to stop, which parameters are kept, and who is told."""

import numpy as np
from functions import Recorder, monitor_of
from numpy.testing import assert_array_equal


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
