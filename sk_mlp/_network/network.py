"""Forward and backward pass of the two-layer network over one block of rows.

In matrix form, for a block X of shape (n_rows, n_features) (Bishop, 2006, section 5.3)::

    Z = X W1 + b1        H = g(Z)        S = H W2 + b2        R = s * (P - Y)

    dL/dW2 = H^T R       dL/db2 = sum_i R_i
    dL/dZ  = (R W2^T) * g'(Z)
    dL/dW1 = X^T dL/dZ   dL/db1 = sum_i dL/dZ_i

X may be dense or a SciPy CSR matrix, which is never made dense.
"""

from typing import Any

from sk_mlp._backend.arrays import set_column_sum, set_product
from sk_mlp._network.activations import Activation
from sk_mlp._network.outputs import Output

Array = Any  # an array of any namespace of the array API standard


def hidden(xp: Any, X: Array, W1: Array, b1: Array, activation: Activation) -> tuple[Array, Array]:
    """Pre-activation Z and hidden layer H = g(Z), both of shape (n_rows, hidden_units)."""
    Z = X @ W1
    Z += b1
    return Z, activation.function(xp, Z)


def raw_prediction(H: Array, W2: Array, b2: Array) -> Array:
    """Logits S = H W2 + b2, shape (n_rows, n_outputs).

    They are laid out by columns: sums and maxima over a few outputs are several times faster.
    """
    S = (W2.T @ H.T).T
    S += b2
    return S


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


def set_gradient(
    xp: Any,
    X: Array,
    Z: Array,
    H: Array,
    residual: Array,
    W2: Array,
    activation: Activation,
    gradient: tuple[Array, Array, Array, Array],
    *,
    factored: bool,
) -> None:
    """Write the gradient of one block to the views ``(gW1, gb1, gW2, gb2)``.

    With one output, dL/dZ = r g'(Z) w2^T has a factor per row and a factor per unit. If
    `factored`, the row factor goes to X and the unit factor to the gradient; it saves a pass
    over rows x units.
    """
    gW1, gb1, gW2, gb2 = gradient
    set_product(H.T, residual, gW2)
    set_column_sum(xp, residual, gb2)
    D = activation.derivative(xp, Z, H)
    if factored:
        set_product((X * residual).T, D, gW1)
        set_product(residual[:, 0], D, gb1)
        gW1 *= W2[:, 0]
        gb1 *= W2[:, 0]
    else:
        if W2.shape[1] == 1:  # a product by one column is slower than two passes
            D *= residual
            D *= W2[:, 0]
        else:
            D *= residual @ W2.T
        set_product(X.T, D, gW1)
        set_column_sum(xp, D, gb1)
