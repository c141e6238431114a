"""Minibatch solvers: Adam and stochastic gradient descent with momentum."""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from sk_mlp._solvers.monitor import Monitor, SolverResult

Array = Any  # an array of any namespace of the array API standard


class Selection(Protocol):
    """Some coordinates of a vector that has the layout of the parameters."""

    def take(self, vector: Array) -> Array:
        """Copy them."""

    def put(self, vector: Array, values: Array) -> None:
        """Write them back."""


# Coordinates that a batch moves (None is all), their values, and its gradient there. With None the
# values are the live parameters; else they are a copy, to be written back.
Step = tuple[Selection | None, Array, Array]

CHUNK = 2**15  # elements per pass of an update, so that its temporaries stay in the cache
# Weights of units that a penalty has switched off shrink towards the smallest numbers, with which
# processors are ten times slower. Every so many steps what is smaller than TINY is set to zero.
TINY, TIDY_STEPS = 1e-15, 64


class UpdateRule(NamedTuple):
    """How a gradient changes the parameters.

    Attributes
    ----------
    n_slots : int
        Vectors of state, of the shape of the parameters.
    step : callable (xp, params, gradient, slots, learning_rate, t) -> None
        Update `params` and the vectors in `slots` in place; the gradient may be overwritten.
        t = 1, 2, ... counts the steps.
    """

    n_slots: int
    step: Callable[[Any, Array, Array, Array, float, int], None]


def adam(beta_1: float, beta_2: float, epsilon: float = 1e-8) -> UpdateRule:
    """Adam (Kingma & Ba, 2015, algorithm 1).

    The slots hold the moments without their factors (1 - beta), which together with the
    bias corrections are gathered in two scalars; it saves passes over the parameters.
    """

    def step(xp: Any, params: Array, g: Array, slots: Array, rate: float, t: int) -> None:
        m, v = slots[0], slots[1]
        correction = math.sqrt((1 - beta_2**t) / (1 - beta_2))
        scale = rate * (1 - beta_1) / (1 - beta_1**t) * correction
        m *= beta_1
        m += g
        v *= beta_2
        g *= g
        v += g
        denominator = xp.sqrt(v)
        denominator += epsilon * correction
        change = m / denominator
        change *= scale
        params -= change

    return UpdateRule(2, step)


def sgd(momentum: float, nesterov: bool) -> UpdateRule:
    """Gradient descent with momentum (Sutskever et al., 2013, equations 1-4)."""

    def plain(xp: Any, params: Array, g: Array, slots: Array, rate: float, t: int) -> None:
        params -= rate * g

    def step(xp: Any, params: Array, g: Array, slots: Array, rate: float, t: int) -> None:
        velocity = slots[0]
        velocity *= momentum
        velocity -= rate * g
        params += momentum * velocity - rate * g if nesterov else velocity

    return UpdateRule(1, step) if momentum > 0 else UpdateRule(0, plain)


# learning rate as a factor of its initial value, from (epoch, fraction of the fit done)
SCHEDULES: dict[str, Callable[[int, float], float]] = {
    "constant": lambda epoch, done: 1.0,
    "adaptive": lambda epoch, done: 1.0,  # lowered by `minibatch` when progress stalls
    "invscaling": lambda epoch, done: 1.0 / math.sqrt(1.0 + epoch),
    # linear warm-up over the first twentieth, then half a cosine down to zero
    "cosine": lambda epoch, done: min(done / 0.05, 0.5 * (1.0 + math.cos(math.pi * done))),
}
ADAPTIVE_FACTOR, ADAPTIVE_FLOOR = 0.2, 1e-6


class Progress(NamedTuple):
    """Where a minibatch solver stands, to be continued: parameters and slots, and steps taken."""

    stack: list[Array]
    t: int


def start(xp: Any, x0: Array, rule: UpdateRule) -> Progress:
    """Return the state before the first step: x0 on top of empty slots."""
    return Progress([x0 + 0.0, *(xp.zeros_like(x0) for _ in range(rule.n_slots))], 0)


def take_step(xp: Any, rule: UpdateRule, state: Progress, step: Step, rate: float) -> Progress:
    """Move the parameters that a batch has a gradient for, in place."""
    t = state.t + 1
    selection, params, gradient = step
    slots = state.stack[1:]
    if selection is not None:
        slots = [selection.take(slot) for slot in slots]
    size = gradient.shape[0]
    if xp is not np or size <= CHUNK:
        rule.step(xp, params, gradient, slots, rate, t)
    else:
        for first in range(0, size, CHUNK):
            part = slice(first, first + CHUNK)
            rule.step(xp, params[part], gradient[part], [s[part] for s in slots], rate, t)
    if selection is not None:
        for vector, values in zip(state.stack, [params, *slots], strict=True):
            selection.put(vector, values)
    elif t % TIDY_STEPS == 0:
        for vector in state.stack:
            vector *= xp.astype(xp.abs(vector) >= TINY, vector.dtype)
    return Progress(state.stack, t)


def minibatch(
    xp: Any,
    epoch: Callable[[Array], Iterable[Step]],
    epoch_loss: Callable[[Array], float],
    n_steps: int,
    x0: Array,
    rule: UpdateRule,
    monitor: Monitor,
    *,
    schedule: str,
    learning_rate: float,
    planned: bool = False,
) -> SolverResult:
    """Minimise an objective by steps along gradients of batches; an iteration is an epoch.

    Parameters
    ----------
    xp : module
        The array namespace of x0.
    epoch : callable (params) -> iterable of Step
        One pass over the data: for each batch an unbiased estimate of the gradient, at `params`
        as they are by then.
    epoch_loss : callable (params) -> float
        Objective over the last pass, from the predictions made during it.
    n_steps : int
        Batches per epoch.
    x0 : array of shape (n_parameters,)
    rule : UpdateRule
    monitor : Monitor
    schedule : {"constant", "invscaling", "adaptive", "cosine"}
        Course of the learning rate. "adaptive" divides it by five, instead of stopping, when
        the monitor would stop, until it is below a millionth of the initial one.
    learning_rate : float
        Initial (for "cosine": largest) learning rate.
    planned : bool
        Whether to complete the "cosine" schedule is to converge, however much the last epoch
        improved the loss.

    Returns
    -------
    SolverResult
    """
    factor, course, state = 1.0, SCHEDULES[schedule], start(xp, x0, rule)
    stopped = False
    while not stopped:
        monitor.begin_iteration()
        n_epochs = len(monitor.loss_curve)
        for i, step in enumerate(epoch(state.stack[0])):
            done = (n_epochs * n_steps + i + 1) / (monitor.max_iter * n_steps)
            rate = learning_rate * factor * course(n_epochs, done)
            state = take_step(xp, rule, state, step, rate)
        stopped = monitor.update(state.stack[0], epoch_loss(state.stack[0]))
        if schedule == "adaptive" and monitor.reason == "tol":
            factor *= ADAPTIVE_FACTOR
            if factor > ADAPTIVE_FLOOR:
                monitor.reason, monitor.stale, stopped = "", 0, False
    if schedule == "cosine" and monitor.reason == "max_iter":
        settled = monitor.loss_curve[-2:-1] and monitor.stale > 0
        if planned or settled:
            monitor.reason = "schedule"
            return monitor.result(converged=True)
    return monitor.result()
