"""Activation functions of the hidden layer and their derivatives.

Each activation is one entry of `ACTIVATIONS`, whose functions use operators and the library of
the array, so that the same lines run on every library of the array API standard. The derivative
may use the pre-activation ``Z`` or the activation ``H = g(Z)``, whichever is cheaper.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from sk_mlp._backend.arrays import Array, namespace_of, positive_part

LEAK = 0.01  # slope of leaky_relu for negative input, as in Maas et al. (2013)


class Activation(NamedTuple):
    """One activation function g.

    Attributes
    ----------
    function : callable (Z) -> H
        g, elementwise.
    derivative : callable (Z, H) -> array
        g'(Z), elementwise, in the dtype of Z; a new array.
    gain : float
        Factor on the Glorot range of the initial weights that keeps the variance of the
        hidden layer near that of the input.
    odd : bool
        True if g(-z) = -g(z), so that the sign of a hidden unit is arbitrary.
    """

    function: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]
    gain: float = 1.0
    odd: bool = False


def _identity(Z: Array) -> Array:
    return Z


def _identity_derivative(Z: Array, H: Array) -> Array:
    return namespace_of(Z).ones_like(Z)


def tanh(Z: Array) -> Array:
    """Hyperbolic tangent."""
    return namespace_of(Z).tanh(Z)


def _tanh_derivative(Z: Array, H: Array) -> Array:
    return 1.0 - H * H


def logistic(Z: Array) -> Array:
    """1 / (1 + exp(-z)), by the identity (1 + tanh(z/2)) / 2, which cannot overflow."""
    return 0.5 + 0.5 * tanh(0.5 * Z)


def _logistic_derivative(Z: Array, H: Array) -> Array:
    return H - H * H


def _is_positive(A: Array) -> Array:
    return namespace_of(A).astype(A > 0, A.dtype)


def _relu_derivative(Z: Array, H: Array) -> Array:
    return _is_positive(H)


def _leaky_relu(Z: Array) -> Array:
    return namespace_of(Z).maximum(Z, LEAK * Z)


def _leaky_relu_derivative(Z: Array, H: Array) -> Array:
    return LEAK + (1.0 - LEAK) * _is_positive(Z)


def _silu(Z: Array) -> Array:
    return Z * logistic(Z)


def _silu_derivative(Z: Array, H: Array) -> Array:
    sigma = logistic(Z)
    return sigma + H * (1.0 - sigma)


_GELU_SCALE = math.sqrt(2.0 / math.pi)
# beyond, the gate is 0 or 1 in double precision; Z^3 and its neighbours stay finite
_GELU_END = 10.0


def _gelu_gate(Z: Array) -> tuple[Array, Array]:
    z = namespace_of(Z).clip(Z, -_GELU_END, _GELU_END)
    return z, tanh(_GELU_SCALE * (z + 0.044715 * z * z * z))


def _gelu(Z: Array) -> Array:
    return Z * (0.5 * (1.0 + _gelu_gate(Z)[1]))


def _gelu_derivative(Z: Array, H: Array) -> Array:
    z, t = _gelu_gate(Z)
    inner = _GELU_SCALE * (1.0 + 3 * 0.044715 * z * z)
    return 0.5 * (1.0 + t) + 0.5 * z * (1.0 - t * t) * inner


# module-level functions, not lambdas: they are pickled on their way to other processes
ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(_identity, _identity_derivative, odd=True),
    "logistic": Activation(logistic, _logistic_derivative, gain=2.0),
    "tanh": Activation(tanh, _tanh_derivative, odd=True),
    "relu": Activation(positive_part, _relu_derivative),
    "leaky_relu": Activation(_leaky_relu, _leaky_relu_derivative),
    "gelu": Activation(_gelu, _gelu_derivative),  # tanh form of Hendrycks & Gimpel (2016)
    "silu": Activation(_silu, _silu_derivative),
}
