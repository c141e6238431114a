"""Minibatch solvers: steps along gradients of batches, by an update rule and a schedule."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from sk_mlp._backend.arrays import Array
from sk_mlp._solvers.monitor import Monitor, SolverResult
from sk_mlp._solvers.updates import Progress, UpdateRule, take_step

# learning rate as a factor of its initial value, from (epoch, fraction of the fit done)
SCHEDULES: dict[str, Callable[[int, float], float]] = {
    "constant": lambda epoch, done: 1.0,
    "adaptive": lambda epoch, done: 1.0,  # lowered by `minibatch` when progress stalls
    "invscaling": lambda epoch, done: 1.0 / math.sqrt(1.0 + epoch),
    # linear warm-up over the first twentieth, then half a cosine down to zero
    "cosine": lambda epoch, done: min(done / 0.05, 0.5 * (1.0 + math.cos(math.pi * done))),
}
ADAPTIVE_FACTOR, ADAPTIVE_FLOOR = 0.2, 1e-6


class Course(NamedTuple):
    """Learning rate over a fit.

    Attributes
    ----------
    schedule : str
        Key of `SCHEDULES`. "adaptive" divides the rate by five, instead of stopping, when the
        monitor would stop, until it is below a millionth of the initial one.
    learning_rate : float
        Initial (for "cosine": largest) learning rate.
    planned : bool, default=False
        True if completing the "cosine" schedule counts as convergence, however much the last
        epoch improved the loss.
    """

    schedule: str
    learning_rate: float
    planned: bool = False


def minibatch(
    batches: Any, x0: Array, rule: UpdateRule, course: Course, monitor: Monitor
) -> SolverResult:
    """Minimise an objective by steps along gradients of batches; an iteration is an epoch.

    Parameters
    ----------
    batches : object
        With `n_steps`, the batches per epoch; ``epoch(params, take) -> float``, which calls
        ``take(step)`` for each batch, with an unbiased estimate of the gradient at `params` as
        they are by then (see `take_step`), and returns the objective; and
        ``start_loss(params)``, the objective if it is free of cost, else None.
    x0 : array of shape (n_parameters,)
    rule : UpdateRule
    course : Course
    monitor : Monitor
    """
    factor, rate_at, n_steps = 1.0, SCHEDULES[course.schedule], batches.n_steps
    progress = Progress.start(x0, rule)

    def lower_rate() -> bool:
        nonlocal factor
        factor *= ADAPTIVE_FACTOR
        return factor > ADAPTIVE_FLOOR

    def take(step: Any) -> None:
        nonlocal progress
        done = (progress.t + 0.5) / (monitor.max_iter * n_steps)  # the middle of the step
        rate = course.learning_rate * factor * rate_at(len(monitor.loss_curve), done)
        progress = take_step(rule, progress, step, rate)

    if course.schedule == "adaptive":
        monitor.lower_rate = lower_rate
    start_loss = batches.start_loss(progress.params)
    if start_loss is not None:
        monitor.begin(progress.params, start_loss)
    while not monitor.reason:
        monitor.begin_iteration()
        loss = batches.epoch(progress.params, take)
        monitor.update(progress.params, loss)
    settled = len(monitor.loss_curve) > 1 and monitor.stale > 0
    complete = course.schedule == "cosine" and monitor.reason == "max_iter"
    if complete and (course.planned or settled):
        monitor.reason = "schedule"
    return monitor.result()
