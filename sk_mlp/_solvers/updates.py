"""Update rules of minibatch solvers: how a gradient changes the parameters."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from sk_mlp._backend.arrays import Array, namespace_of, on_host

State = dict[str, Array]  # vectors of the shape of the parameters, by name

CHUNK = 2**15  # elements per pass of an update, so that its temporaries stay in the cache
# Weights of units that a penalty has switched off shrink towards the smallest numbers, with which
# processors are ten times slower. Every so many steps what is smaller than TINY is set to zero.
TINY, TIDY_STEPS = 1e-15, 64


class UpdateRule(NamedTuple):
    """How a gradient changes the parameters.

    Attributes
    ----------
    slots : tuple of str
        Names of the vectors of state, of the shape of the parameters.
    step : callable (params, gradient, state, learning_rate, t) -> None
        Update `params` and the vectors in `state` in place; the gradient may be overwritten.
        t = 1, 2, ... counts the steps.
    """

    slots: tuple[str, ...]
    step: Callable[[Array, Array, State, float, int], None]


class Progress(NamedTuple):
    """Resumable solver state.

    Attributes
    ----------
    params : array of shape (n_parameters,)
    state : dict of str to array of shape (n_parameters,)
        Vectors of the update rule.
    t : int
        Steps taken.
    """

    params: Array
    state: State
    t: int = 0

    @classmethod
    def start(cls, x0: Array, rule: UpdateRule) -> "Progress":
        """State before the first step."""
        zeros = namespace_of(x0).zeros_like
        return cls(x0 + 0.0, {name: zeros(x0) for name in rule.slots})


def adam(beta_1: float, beta_2: float, epsilon: float = 1e-8) -> UpdateRule:
    """Adam (Kingma & Ba, 2015, algorithm 1).

    The state holds the moments without their factors (1 - beta), which together with the
    bias corrections are gathered in two scalars; it saves passes over the parameters.
    """

    def step(params: Array, g: Array, state: State, rate: float, t: int) -> None:
        m, v = state["m"], state["v"]
        correction = math.sqrt((1 - beta_2**t) / (1 - beta_2))
        scale = rate * (1 - beta_1) / (1 - beta_1**t) * correction
        m *= beta_1
        m += g
        v *= beta_2
        g *= g
        v += g
        denominator = namespace_of(v).sqrt(v)
        denominator += epsilon * correction
        change = m / denominator
        change *= scale
        params -= change

    return UpdateRule(("m", "v"), step)


def sgd(momentum: float, nesterov: bool) -> UpdateRule:
    """Gradient descent with momentum (Sutskever et al., 2013, equations 1-4)."""

    def plain(params: Array, g: Array, state: State, rate: float, t: int) -> None:
        params -= rate * g

    def step(params: Array, g: Array, state: State, rate: float, t: int) -> None:
        velocity = state["velocity"]
        velocity *= momentum
        velocity -= rate * g
        params += momentum * velocity - rate * g if nesterov else velocity

    return UpdateRule(("velocity",), step) if momentum > 0 else UpdateRule((), plain)


def take_step(rule: UpdateRule, progress: Progress, step: Any, rate: float) -> Progress:
    """Move the parameters that a batch has a gradient for, in place.

    A step has the attributes `selection` (None, or coordinates with ``take(vector)`` and
    ``put(vector, values)``), and `params` and `gradient`, the values of these coordinates.
    """
    t = progress.t + 1
    selection, params, gradient = step.selection, step.params, step.gradient
    state = progress.state
    if selection is not None:
        state = {name: selection.take(vector) for name, vector in state.items()}
    size = gradient.shape[0]
    if size <= CHUNK or not on_host(gradient):
        rule.step(params, gradient, state, rate, t)
    else:
        for first in range(0, size, CHUNK):
            part = slice(first, first + CHUNK)
            some = {name: vector[part] for name, vector in state.items()}
            rule.step(params[part], gradient[part], some, rate, t)
    if selection is not None:
        selection.put(progress.params, params)
        for name, vector in state.items():
            selection.put(progress.state[name], vector)
    elif t % TIDY_STEPS == 0:
        for vector in (progress.params, *progress.state.values()):
            xp = namespace_of(vector)
            vector *= xp.astype(xp.abs(vector) >= TINY, vector.dtype)
    return progress._replace(t=t)
