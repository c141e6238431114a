"""The two-layer network: forward and backward pass over one block of rows.

In matrix form, for a block X of shape (n_rows, n_features) (Bishop, 2006, section 5.3)::

    Z = X W1 + b1        H = g(Z)        S = H W2 + b2        R = s * (P - Y)

    dL/dW2 = H^T R       dL/db2 = sum_i R_i
    dL/dZ  = (R W2^T) * g'(Z)
    dL/dW1 = X^T dL/dZ   dL/db1 = sum_i dL/dZ_i

X may be dense or a SciPy CSR matrix, which is never made dense.
"""

from collections.abc import Callable
from typing import NamedTuple

from scipy import sparse

from sk_mlp._backend.arrays import Array, reshape, set_column_sum, set_product
from sk_mlp._network.activations import ACTIVATIONS, Activation
from sk_mlp._network.outputs import OUTPUTS, Output
from sk_mlp._network.parameters import Layout, Parameters

# (residual R, gradient to write to) -> None
Backward = Callable[[Array, Parameters], None]


class Network(NamedTuple):
    """A two-layer perceptron without its parameters."""

    layout: Layout
    activation: Activation
    output: Output

    @classmethod
    def named(cls, layout: Layout, activation: str, output: str) -> "Network":
        """Build a network from the names of its activation and of its output units."""
        return cls(layout, ACTIVATIONS[activation], OUTPUTS[output])

    def hidden(self, params: Parameters, X: Array) -> tuple[Array, Array]:
        """Pre-activation Z and hidden layer H = g(Z), both of shape (n_rows, hidden_units)."""
        Z = X @ params.W1
        Z += params.b1
        return Z, self.activation.function(Z)

    def raw_prediction(self, params: Parameters, X: Array) -> Array:
        """Logits S, shape (n_rows, n_outputs)."""
        return _logits(params, self.hidden(params, X)[1])

    def forward(self, params: Parameters, X: Array) -> tuple[Array, Backward]:
        """Logits of a block of rows, and the backward pass that goes with them.

        Returns
        -------
        S : array of shape (n_rows, n_outputs)
        backward : callable (R, gradient) -> None
            Write the gradient of the block's loss to the views of `gradient`, for the residual
            R = dL/dS of shape (n_rows, n_outputs). To be called once, before `params` change.
        """
        Z, H = self.hidden(params, X)

        def backward(R: Array, gradient: Parameters) -> None:
            set_product(H.T, R, gradient.W2)
            set_column_sum(R, gradient.b2)
            D = self.activation.derivative(Z, H)
            if self._factors(X):
                # dL/dZ = r g'(Z) w2^T: the row factor goes to X and the unit factor to the
                # gradient, which saves a pass over rows x units
                set_product((X * R).T, D, gradient.W1)
                set_product(R[:, 0], D, gradient.b1)
                scale = params.W2[:, 0]
                gradient.W1[...] *= scale
                gradient.b1[...] *= scale
                return
            if params.W2.shape[1] == 1:  # a product by one column is slower than two passes
                D *= R
                D *= params.W2[:, 0]
            else:
                D *= R @ params.W2.T
            set_product(X.T, D, gradient.W1)
            set_column_sum(D, gradient.b1)

        return _logits(params, H), backward

    def _factors(self, X: Array) -> bool:
        d, h, k = self.layout
        return k == 1 and d < 2 * h and not sparse.issparse(X)

    def input_gradient(self, params: Parameters, X: Array, *, logits: bool = False) -> Array:
        """Gradient of the probabilities by the input, (n_rows, n_outputs, n_features).

        By the chain rule ``dP/dX = (dP/dH * g'(Z)) W1^T``; with `logits` that of S instead of P.
        """
        Z, H = self.hidden(params, X)
        slope = self.activation.derivative(Z, H)[:, None, :]
        if logits:
            B = params.W2.T[None, :, :] * slope
        else:
            B = self.output.hidden_gradient(_logits(params, H), params.W2) * slope
        n_rows, n_outputs, hidden_units = B.shape
        G = reshape(B, (n_rows * n_outputs, hidden_units)) @ params.W1.T
        return reshape(G, (n_rows, n_outputs, params.W1.shape[0]))


def _logits(params: Parameters, H: Array) -> Array:
    # laid out by columns: sums and maxima over a few outputs are several times faster
    S = (params.W2.T @ H.T).T
    S += params.b2
    return S
