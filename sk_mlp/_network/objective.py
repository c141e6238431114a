"""The objective: penalised cross-entropy of the network, as a sum over blocks of rows."""

import contextlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import (
    Array,
    empty,
    namespace_of,
    on_host,
    place,
    take_rows,
    to_numpy,
    total,
    widest_float,
)
from sk_mlp._backend.rows import CACHE_BYTES, gradient_rows, row_blocks, row_ranges
from sk_mlp._backend.threads import SERIAL, Threads, row_threads
from sk_mlp._network.network import Network
from sk_mlp._network.parameters import Parameters, Standardization

# Variation, as a share of its root mean square, up to which a hidden unit counts as constant:
# what a fit or rounding leaves of a constant is not a standard deviation.
CONSTANT = 1e-6
CONTRIBUTION_ROWS = 2_000  # enough for a standard deviation within 2 %


class Summable(Protocol):
    """Rows that an objective can be summed over, wherever they are; see `Rows`."""

    @property
    def weight_unit(self) -> float:
        """Number that the sample weights have been divided by."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""

    @property
    def weight_sum(self) -> float:
        """Total weight of the rows."""

    def parts(self, network: Network, n_parts: int) -> Sequence[Any]:
        """Cut the rows into about `n_parts` parts, with `loss` and `loss_gradient` of `RowSum`."""

    def threads(self, network: Network) -> contextlib.AbstractContextManager[Threads]:
        """Give the threads that pay for a pass over the rows."""

    def unit_deviations(self, network: Network, params: np.ndarray) -> np.ndarray:
        """Standard deviation of each hidden unit, shape (hidden_units,)."""


class Rows(NamedTuple):
    """Rows in the memory of one machine or device.

    Attributes
    ----------
    X : array or CSR matrix of shape (n_samples, n_features)
        In float32 or float64 and C order.
    y : array of shape (n_samples,) or (n_samples, n_outputs)
        Integer class codes for softmax outputs, indicators for logistic outputs.
    sample_weight : array of shape (n_samples,) or None
        In the dtype of X.
    text : bool, default=False
        True if sparse X is text-like. Otherwise it is made dense block by block.
    weight_unit : float, default=1.0
        Number that the sample weights have been divided by.
    """

    X: Array
    y: Array
    sample_weight: Array | None
    text: bool = False
    weight_unit: float = 1.0

    def take(self, index: Any) -> "Rows":
        """Select rows: a view if `index` is a slice."""
        weight = None if self.sample_weight is None else take_rows(self.sample_weight, index)
        X, y = take_rows(self.X, index), take_rows(self.y, index)
        return Rows(X, y, weight, self.text, self.weight_unit)

    @property
    def block(self) -> Array:
        """X for arithmetic: sparse for text, otherwise dense."""
        return self.X if self.text or not sparse.issparse(self.X) else self.X.toarray()

    def indicators(self, network: Network) -> Array:
        """Targets as an array of shape (n_rows, n_outputs) of zeros and ones, in the dtype of X."""
        y = self.y
        if y.ndim == 1:
            codes = place(np.arange(network.layout.n_outputs)[:, None], y)
            y = (y == codes).T  # laid out as the raw predictions
        return namespace_of(y).astype(y, self.X.dtype, copy=False)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def weight_sum(self) -> float:
        """Total weight of the rows."""
        if self.sample_weight is None:
            return float(self.n_rows)
        return float(total(self.sample_weight, widest_float(self.X)))

    @property
    def user_weights(self) -> np.ndarray:
        """Sample weights on the host, in the unit in which they were given."""
        if self.sample_weight is None:
            return np.ones(self.n_rows)
        return to_numpy(self.sample_weight) * self.weight_unit

    def parts(self, network: Network, n_parts: int) -> Sequence["RowSum"]:
        """Cut the rows into ranges of about equal length."""
        ranges = row_ranges(self.n_rows, n_parts)
        return [RowSum(network, self.take(slice(r.start, r.stop))) for r in ranges]

    def threads(self, network: Network) -> contextlib.AbstractContextManager[Threads]:
        """Give the threads that pay for a pass over the rows."""
        return row_threads(self.X, network.layout.multiply_adds, network.layout.hidden_units)

    def unit_deviations(self, network: Network, params: np.ndarray) -> np.ndarray:
        """Standard deviation of each hidden unit over some two thousand of the rows."""
        some = self.take(slice(None, None, max(1, self.n_rows // CONTRIBUTION_ROWS)))
        with self.threads(network):
            return RowSum(network, some).unit_deviations(params)


def block_gradient(
    network: Network, at: Parameters, rows: Rows, gradient: Parameters, scale: float = 1.0
) -> Array:
    """Write the gradient of ``scale sum_i s_i CE(y_i, S_i)``; return ``s_i CE(y_i, S_i)``.

    The rows are a block for arithmetic: not sparse unless they are text, y indicators.
    """
    S, backward = network.forward(at, rows.X)
    losses, residual = network.output.loss_residual(S, rows.y)
    if rows.sample_weight is not None:
        losses = losses * rows.sample_weight
        residual *= rows.sample_weight[:, None]
    residual *= scale
    backward(residual, gradient)
    return losses


class RowSum:
    """Cross-entropy of a network and its gradient, summed over rows, at `params` in user units."""

    def __init__(self, network: Network, rows: Rows) -> None:
        self.network, self.rows = network, rows
        self.wide = widest_float(rows.X)
        self.weight_sum = rows.weight_sum
        like = rows.X if rows.text else rows.take(slice(0, 1)).block
        self.step = gradient_rows(like, network.layout.hidden_units)
        self.ready: list[Rows] | None = None
        if on_host(rows.X) and not sparse.issparse(rows.X):
            n_bytes = rows.X.dtype.itemsize * rows.n_rows * network.layout.n_outputs
            if n_bytes <= CACHE_BYTES:  # once for all evaluations
                self.ready = list(self._blocks())

    def _blocks(self) -> Iterable[Rows]:
        """Blocks of rows, dense unless they are text, with indicators as targets."""
        if self.ready is not None:
            return self.ready
        blocks = map(self.rows.take, row_blocks(0, self.rows.n_rows, self.step))
        return (rows._replace(X=rows.block, y=rows.indicators(self.network)) for rows in blocks)

    def _parameters(self, params: np.ndarray) -> Parameters:
        return self.network.layout.views(place(params, self.rows.X, self.rows.X.dtype))

    def row_losses(self, params: np.ndarray, *targets: Array) -> tuple[Array, ...]:
        """Cross-entropy of every row, unweighted, in nats, shape (n_rows,).

        `targets` of shape (n_outputs,) are indicators, or shares, that take the place of those of
        all rows. The losses with each of them follow those with the own ones.
        """
        network, at = self.network, self._parameters(params)
        losses = []
        for rows in self._blocks():
            S = network.raw_prediction(at, rows.X)
            losses.append([network.output.loss_residual(S, Y)[0] for Y in (rows.y, *targets)])
        return tuple(map(namespace_of(losses[0][0]).concat, zip(*losses, strict=True)))

    def loss(self, params: np.ndarray) -> tuple[float, float]:
        """Loss sum, in nats, and weight sum."""
        (losses,) = self.row_losses(params)
        if self.rows.sample_weight is not None:
            losses = losses * self.rows.sample_weight
        return float(total(losses, self.wide)), self.weight_sum

    def loss_gradient(self, params: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Sums over the rows of ``s_i CE(y_i, S_i)``, of its gradient, and of the weights s_i.

        The loss is in nats; the gradient is a float64 ndarray of shape (layout.size,).
        """
        network, at = self.network, self._parameters(params)
        part = empty(network.layout.size, self.rows.X)  # of one block
        gradient = namespace_of(part).zeros_like(part)
        views = network.layout.views(part)
        loss_sum: Any = 0.0  # stays on the device until the end
        for rows in self._blocks():
            losses = block_gradient(network, at, rows, views)
            loss_sum = loss_sum + total(losses, self.wide)
            gradient += part
        return float(loss_sum), to_numpy(gradient), self.weight_sum

    def unit_deviations(self, params: np.ndarray) -> np.ndarray:
        """Standard deviation of each hidden unit over the rows, in float64, on the host."""
        at = self._parameters(params)
        first, second = np.zeros((2, self.network.layout.hidden_units))
        for rows in self._blocks():
            H = to_numpy(self.network.hidden(at, rows.X)[1])
            w = rows.sample_weight
            weights = np.ones(len(H)) if w is None else to_numpy(w)
            first += weights @ H
            second += weights @ (H * H)
        mean, square = first / self.weight_sum, second / self.weight_sum
        variance = square - mean**2
        return np.sqrt(np.where(variance > CONSTANT**2 * square, variance, 0.0))


class Objective:
    """The objective of every solver, a function of one flat vector in standardised units.

    For parameters theta = (V1, W2, c1, b2)::

        loss(theta) = (sum_i s_i CE(y_i, S_i) + alpha/2 (|V1|^2 + |W2|^2)) / sum_i s_i

    with s the sample weights, S = g(X W1 + b1) W2 + b2 the raw predictions, and W1, b1 the
    first layer in user units (`Standardization`). The gradient of the data term is that of
    `sk_mlp._network.network`, taken through the change of variables; the penalty adds
    ``alpha V1`` and ``alpha W2``. The intercepts are not penalised.

    Parameters
    ----------
    network : Network
    rows : Summable
        `Rows`, or anything that computes the same sums elsewhere.
    standardization : Standardization
    alpha : float
        Strength of the penalty, in units of the total sample weight.
    threads : Threads, default=SERIAL
    """

    def __init__(
        self,
        network: Network,
        rows: Any,
        standardization: Standardization,
        alpha: float,
        threads: Threads = SERIAL,
    ) -> None:
        self.network, self.rows, self.standardization = network, rows, standardization
        self.alpha, self.threads = alpha, threads
        self.decay = alpha / rows.weight_unit  # in the units of the weights as they are stored

    def over(self, threads: Threads) -> "Objective":
        """Return the same objective, computed by several threads."""
        return Objective(self.network, self.rows, self.standardization, self.alpha, threads)

    def with_alpha(self, alpha: float) -> "Objective":
        """Return the objective with another penalty."""
        return Objective(self.network, self.rows, self.standardization, alpha, self.threads)

    @cached_property
    def _parts(self) -> Any:
        return self.rows.parts(self.network, self.threads.n)

    def penalty(self, params: Array) -> float:
        """alpha/2 (|V1|^2 + |W2|^2), in nats."""
        weights = params[self.network.layout.weights]
        return float(0.5 * self.decay * float(weights @ weights))

    def loss(self, params: np.ndarray) -> float:
        """Objective at `params` of shape (layout.size,), in nats per unit of weight."""
        user = self.standardization.to_user_units(self.network.layout, params)
        sums = list(self.threads.map(lambda part: part.loss(user), self._parts))
        return float((sum(s[0] for s in sums) + self.penalty(params)) / sum(s[1] for s in sums))

    def loss_gradient(self, params: np.ndarray) -> tuple[float, np.ndarray]:
        """Objective and its gradient, both in standardised units."""
        layout = self.network.layout
        user = self.standardization.to_user_units(layout, params)
        sums = list(self.threads.map(lambda part: part.loss_gradient(user), self._parts))
        loss, gradient, weight_sum = sums[0]
        for part in sums[1:]:  # in a fixed order, so that a fit can be repeated bit by bit
            loss += part[0]
            gradient += part[1]
            weight_sum += part[2]
        self.standardization.chain_rule(layout, gradient)
        loss += self.penalty(params)
        gradient[layout.weights] += self.decay * params[layout.weights]
        gradient /= weight_sum
        return loss / weight_sum, gradient
