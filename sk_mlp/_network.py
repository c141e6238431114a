"""Forward and backward pass of the two-layer network over one block of rows.

In matrix form, for a block X of shape (n_rows, n_features) (Bishop, 2006, section 5.3)::

    Z = X W1 + b1        H = g(Z)        S = H W2 + b2        R = s * (P - Y)

    dL/dW2 = H^T R       dL/db2 = sum_i R_i
    dL/dZ  = (R W2^T) * g'(Z)
    dL/dW1 = X^T dL/dZ   dL/db1 = sum_i dL/dZ_i

X may be dense or a SciPy CSR matrix, which is never made dense. Where X has a column of ones in
front, the parameters ``(W1, b1)`` are passed as ``(A1, None)``, with A1 = b1 on top of W1, and
their gradient likewise; it saves the passes over rows x units that b1 would cost.
"""

from typing import Any

import numpy as np

from sk_mlp._activations import Activation
from sk_mlp._losses import Output

Array = Any  # an array of any namespace of the array API standard


def hidden(
    xp: Any, X: Array, W1: Array, b1: Array | None, activation: Activation
) -> tuple[Array, Array]:
    """Pre-activation Z and hidden layer H = g(Z), both of shape (n_rows, hidden_units)."""
    Z = X @ W1
    if b1 is not None:
        Z += b1
    return Z, activation.function(xp, Z)


def raw_prediction(H: Array, W2: Array, b2: Array) -> Array:
    """Logits S = H W2 + b2, shape (n_rows, n_outputs).

    They are laid out by columns: sums and maxima over a few outputs are several times faster.
    """
    S = (W2.T @ H.T).T
    S += b2
    return S


def column_sums(xp: Any, A: Array) -> Array:
    """Sum over the rows; as a product with ones it is several times faster than `sum`."""
    ones = np.ones(A.shape[0], A.dtype) if xp is np else xp.ones_like(A[:, 0])
    return ones @ A


def input_gradient(
    xp: Any,
    X: Array,
    params: tuple[Array, Array, Array, Array],
    activation: Activation,
    output: Output,
) -> Array:
    """Gradient of the probabilities by the input, (n_rows, n_outputs, n_features).

    By the chain rule ``dP/dX = (dP/dH * g'(Z)) W1^T``, with ``(W1, b1, W2, b2) = params``.
    """
    W1, b1, W2, b2 = params
    Z, H = hidden(xp, X, W1, b1, activation)
    slope = activation.derivative(xp, Z, H)[:, None, :]
    B = output.hidden_gradient(xp, raw_prediction(H, W2, b2), W2) * slope
    n_rows, n_outputs, hidden_units = B.shape
    G = xp.reshape(B, (n_rows * n_outputs, hidden_units)) @ W1.T
    return xp.reshape(G, (n_rows, n_outputs, W1.shape[0]))


def add_gradient(
    xp: Any,
    X: Array,
    Z: Array,
    H: Array,
    residual: Array,
    W2: Array,
    activation: Activation,
    gradient: tuple[Array, Array | None, Array, Array],
    *,
    factored: bool,
) -> None:
    """Add the gradient of one block to the views ``(gW1, gb1, gW2, gb2)`` of `gradient`.

    With one output, dL/dZ = r g'(Z) w2^T has a factor per row and a factor per unit. If
    `factored`, the row factor goes to X and the unit factor is left for the caller to apply
    to gW1 and gb1, once for all blocks; it saves a pass over rows x units.
    """
    gW1, gb1, gW2, gb2 = gradient
    gW2 += H.T @ residual
    gb2 += column_sums(xp, residual) if gb1 is not None else X[:, 0] @ residual
    D = activation.derivative(xp, Z, H)
    if factored:
        gW1 += (X * residual).T @ D
        if gb1 is not None:
            gb1 += residual[:, 0] @ D
    else:
        D *= residual @ W2.T
        gW1 += X.T @ D
        if gb1 is not None:
            gb1 += column_sums(xp, D)


def apply_unit_factor(gradient: tuple[Array, Array | None, Array, Array], W2: Array) -> None:
    """Apply the factor per unit that `add_gradient` leaves out if `factored`, in place."""
    gW1, gb1, _, _ = gradient
    gW1 *= W2[:, 0]
    if gb1 is not None:
        gb1 *= W2[:, 0]
