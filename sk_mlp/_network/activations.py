"""Activation functions of the hidden layer and their derivatives.

Each activation is one entry of `ACTIVATIONS`: a pair of functions of arrays that use the
array namespace `xp` they are given, so that the same lines run on NumPy, on PyTorch and on
any other library of the array API standard. The derivative may use the pre-activation ``Z``
or the activation ``H = g(Z)``, whichever is cheaper.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = Any  # an array of any namespace of the array API standard

LEAK = 0.01  # slope of leaky_relu for negative input, as in Maas et al. (2013)


class Activation(NamedTuple):
    """One activation function g.

    Attributes
    ----------
    function : callable (xp, Z) -> H
        g, elementwise.
    derivative : callable (xp, Z, H) -> array
        g'(Z), elementwise, in the dtype of Z.
    gain : float
        Factor on the Glorot range of the initial weights that keeps the variance of the
        hidden layer near that of the input.
    odd : bool
        Whether g(-z) = -g(z), so that the sign of a hidden unit is arbitrary.
    """

    function: Callable[[Any, Array], Array]
    derivative: Callable[[Any, Array, Array], Array]
    gain: float = 1.0
    odd: bool = False


def logistic(xp: Any, Z: Array) -> Array:
    """1 / (1 + exp(-z)), by the identity (1 + tanh(z/2)) / 2, which cannot overflow."""
    return 0.5 + 0.5 * xp.tanh(0.5 * Z)


def _as(xp: Any, mask: Array, like: Array) -> Array:
    return xp.astype(mask, like.dtype)


def _relu(xp: Any, Z: Array) -> Array:
    # the standard has no maximum with a Python scalar; in NumPy it saves two calls
    return np.maximum(Z, 0.0) if xp is np else xp.maximum(Z, xp.zeros_like(Z[:1, :1]))


def _silu_derivative(xp: Any, Z: Array, H: Array) -> Array:
    sigma = logistic(xp, Z)
    return sigma + H * (1.0 - sigma)


_GELU_SCALE = math.sqrt(2.0 / math.pi)


def _gelu_tanh(xp: Any, Z: Array) -> Array:
    return xp.tanh(_GELU_SCALE * (Z + 0.044715 * Z * Z * Z))


def _gelu_derivative(xp: Any, Z: Array, H: Array) -> Array:
    t = _gelu_tanh(xp, Z)
    inner = _GELU_SCALE * (1.0 + 3 * 0.044715 * Z * Z)
    return 0.5 * (1.0 + t) + 0.5 * Z * (1.0 - t * t) * inner


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(
        lambda xp, Z: Z,
        lambda xp, Z, H: xp.ones_like(Z),
        odd=True,
    ),
    "logistic": Activation(logistic, lambda xp, Z, H: H - H * H, gain=2.0),
    "tanh": Activation(
        lambda xp, Z: xp.tanh(Z),
        lambda xp, Z, H: 1.0 - H * H,
        odd=True,
    ),
    "relu": Activation(_relu, lambda xp, Z, H: _as(xp, H > 0, H)),
    "leaky_relu": Activation(
        lambda xp, Z: xp.maximum(Z, LEAK * Z),
        lambda xp, Z, H: LEAK + (1.0 - LEAK) * _as(xp, Z > 0, Z),
    ),
    "gelu": Activation(  # tanh form of Hendrycks & Gimpel (2016)
        lambda xp, Z: 0.5 * Z * (1.0 + _gelu_tanh(xp, Z)), _gelu_derivative
    ),
    "silu": Activation(lambda xp, Z: Z * logistic(xp, Z), _silu_derivative),
}
