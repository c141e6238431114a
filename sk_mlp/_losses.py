"""Output units: raw predictions to probabilities and cross-entropy.

Both links are canonical, so the derivative of the cross-entropy with respect to the raw
prediction is ``P - Y`` (Bishop, 2006, section 4.3.6). Everything is computed from the
raw predictions; no probability is ever clipped.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from sk_mlp._activations import logistic

Array = Any  # an array of any namespace of the array API standard


class Output(NamedTuple):
    """The output units of one kind of target.

    Attributes
    ----------
    loss_residual : callable (xp, S, Y) -> (loss, residual)
        Cross-entropy of each row, shape (n_rows,), in nats, and ``P - Y``, shape
        (n_rows, n_outputs), for raw predictions S and indicator targets Y.
    residual : callable (xp, S, Y) -> P - Y
        The residual alone, where the loss is not needed.
    probability : callable (xp, S) -> P
        Probability of each output, shape (n_rows, n_outputs).
    log_probability : callable (xp, S) -> log P
        Its logarithm, finite wherever S is.
    hidden_gradient : callable (xp, S, W2) -> dP/dH
        Gradient of each probability by the hidden layer, shape (n_rows, n_outputs,
        hidden_units), where ``S = H W2 + b2``.
    """

    loss_residual: Callable[[Any, Array, Array], tuple[Array, Array]]
    residual: Callable[[Any, Array, Array], Array]
    probability: Callable[[Any, Array], Array]
    log_probability: Callable[[Any, Array], Array]
    hidden_gradient: Callable[[Any, Array, Array], Array]


def sigmoid(xp: Any, S: Array) -> Array:
    """1 / (1 + exp(-s)) with full relative precision in both tails."""
    tail = xp.exp(-xp.abs(S))
    return xp.where(S >= 0, xp.ones_like(S), tail) / (1.0 + tail)


def log_sigmoid(xp: Any, S: Array) -> Array:
    """log(1 / (1 + exp(-s))), finite for every finite s."""
    return 0.5 * (S - xp.abs(S)) - xp.log1p(xp.exp(-xp.abs(S)))


def _logistic_residual(xp: Any, S: Array, Y: Array) -> Array:
    return logistic(xp, S) - Y  # a difference needs no relative precision in the tails


def _logistic_loss_residual(xp: Any, S: Array, Y: Array) -> tuple[Array, Array]:
    # CE = log(1 + exp(s)) - y s, where log(1 + exp(s)) = max(s, 0) + log1p(exp(-|s|))
    magnitude = xp.abs(S)
    loss = 0.5 * (S + magnitude) - Y * S + xp.log1p(xp.exp(-magnitude))
    loss = loss[:, 0] if S.shape[1] == 1 else xp.sum(loss, axis=1)
    return loss, _logistic_residual(xp, S, Y)


def _logistic_hidden_gradient(xp: Any, S: Array, W2: Array) -> Array:
    # dP_k/dS_k = P_k (1 - P_k), where 1 - sigmoid(s) = sigmoid(-s) keeps its digits
    slope = sigmoid(xp, S) * sigmoid(xp, -S)
    return slope[:, :, None] * W2.T[None, :, :]


def log_softmax(xp: Any, S: Array) -> Array:
    """S - log sum_k exp(s_k), row by row, shifted by the row maximum."""
    shifted = S - xp.max(S, axis=1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))


def softmax(xp: Any, S: Array) -> Array:
    """exp(s_k) / sum_k exp(s_k), row by row, shifted by the row maximum."""
    P = xp.exp(S - xp.max(S, axis=1, keepdims=True))
    return P / xp.sum(P, axis=1, keepdims=True)


def _softmax_loss_residual(xp: Any, S: Array, Y: Array) -> tuple[Array, Array]:
    # CE = log sum_k exp(s_k) - s_y, with all s shifted by their maximum
    shifted = S - xp.max(S, axis=1, keepdims=True)
    P = xp.exp(shifted)
    total = xp.sum(P, axis=1, keepdims=True)
    P /= total
    P -= Y
    shifted *= Y
    return xp.log(total)[:, 0] - xp.sum(shifted, axis=1), P


def _softmax_hidden_gradient(xp: Any, S: Array, W2: Array) -> Array:
    # dP_k/dS_j = P_k ((j = k) - P_j)
    P = softmax(xp, S)
    return P[:, :, None] * (W2.T[None, :, :] - (P @ W2.T)[:, None, :])


OUTPUTS: dict[str, Output] = {
    "logistic": Output(
        _logistic_loss_residual,
        _logistic_residual,
        sigmoid,
        log_sigmoid,
        _logistic_hidden_gradient,
    ),
    "softmax": Output(
        _softmax_loss_residual,
        lambda xp, S, Y: softmax(xp, S) - Y,
        softmax,
        log_softmax,
        _softmax_hidden_gradient,
    ),
}
