"""Output units: raw predictions to probabilities and cross-entropy.

Both links are canonical, so the derivative of the cross-entropy with respect to the raw
prediction is ``P - Y`` (Bishop, 2006, section 4.3.6). Everything is computed from the
raw predictions; no probability is ever clipped.
"""

from collections.abc import Callable
from typing import NamedTuple

from sk_mlp._backend.arrays import Array, namespace_of, row_max, row_sum


class Output(NamedTuple):
    """The output units of one kind of target.

    Of raw predictions S and indicator targets Y, both of shape (n_rows, n_outputs).

    Attributes
    ----------
    loss_residual : callable (S, Y) -> (loss, residual)
        Cross-entropy of each row, shape (n_rows,), in nats, and ``P - Y``.
    probability, log_probability : callable (S) -> array like S
        P, and its logarithm, which is finite wherever S is.
    hidden_gradient : callable (S, W2) -> array of shape (n_rows, n_outputs, hidden_units)
        dP/dH, where ``S = H W2 + b2``.
    """

    loss_residual: Callable[[Array, Array], tuple[Array, Array]]
    probability: Callable[[Array], Array]
    log_probability: Callable[[Array], Array]
    hidden_gradient: Callable[[Array, Array], Array]


def sigmoid(S: Array) -> Array:
    """1 / (1 + exp(-s)) with full relative precision in both tails."""
    xp = namespace_of(S)
    tail = xp.exp(-xp.abs(S))
    return xp.where(S >= 0, xp.ones_like(S), tail) / (1.0 + tail)


def log_sigmoid(S: Array) -> Array:
    """log(1 / (1 + exp(-s))), finite for every finite s."""
    xp = namespace_of(S)
    return 0.5 * (S - xp.abs(S)) - xp.log1p(xp.exp(-xp.abs(S)))


def _logistic_loss_residual(S: Array, Y: Array) -> tuple[Array, Array]:
    xp = namespace_of(S)
    # CE = log(1 + exp(s)) - y s, where log(1 + exp(s)) = (s + |s|) / 2 + log1p(exp(-|s|))
    opposite = 0.5 - Y
    magnitude = xp.abs(S)
    loss = xp.log1p(xp.exp(-magnitude))
    loss += 0.5 * magnitude
    loss += opposite * S
    # P = (1 + tanh(s/2)) / 2: a difference needs no relative precision in the tails
    residual = xp.tanh(0.5 * S)
    residual *= 0.5
    residual += opposite
    return loss[:, 0] if S.shape[1] == 1 else row_sum(loss), residual


def _logistic_hidden_gradient(S: Array, W2: Array) -> Array:
    # dP_k/dS_k = P_k (1 - P_k), where 1 - sigmoid(s) = sigmoid(-s) keeps its digits
    slope = sigmoid(S) * sigmoid(-S)
    return slope[:, :, None] * W2.T[None, :, :]


def log_softmax(S: Array) -> Array:
    """S - log sum_k exp(s_k), row by row, shifted by the row maximum."""
    xp = namespace_of(S)
    shifted = S - row_max(S)
    return shifted - xp.log(row_sum(xp.exp(shifted)))[:, None]


def softmax(S: Array) -> Array:
    """exp(s_k) / sum_k exp(s_k), row by row, shifted by the row maximum."""
    xp = namespace_of(S)
    P = xp.exp(S - row_max(S))
    P /= row_sum(P)[:, None]
    return P


def _softmax_loss_residual(S: Array, Y: Array) -> tuple[Array, Array]:
    xp = namespace_of(S)
    # CE = log sum_k exp(s_k) - s_y, with all s shifted by their maximum
    shifted = S - row_max(S)
    P = xp.exp(shifted)
    total = row_sum(P)
    P /= total[:, None]
    P -= Y
    shifted *= Y
    return xp.log(total) - row_sum(shifted), P


def _softmax_hidden_gradient(S: Array, W2: Array) -> Array:
    # dP_k/dS_j = P_k ((j = k) - P_j)
    P = softmax(S)
    return P[:, :, None] * (W2.T[None, :, :] - (P @ W2.T)[:, None, :])


OUTPUTS: dict[str, Output] = {
    "logistic": Output(_logistic_loss_residual, sigmoid, log_sigmoid, _logistic_hidden_gradient),
    "softmax": Output(_softmax_loss_residual, softmax, log_softmax, _softmax_hidden_gradient),
}
