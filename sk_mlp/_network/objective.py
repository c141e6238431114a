"""The objective: penalised cross-entropy of the network, as a sum over blocks of rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import DEVICE_BYTES, HOST_BYTES, place, to_numpy, total, widest_float
from sk_mlp._network.activations import Activation
from sk_mlp._network.network import hidden, raw_prediction, set_gradient
from sk_mlp._network.outputs import Output
from sk_mlp._network.parameters import Layout, Standardization

Array = Any  # an array of any namespace of the array API standard
Block = tuple[Array, Array, Array | None]

# Measured: more rows share the cost of adding up a gradient, of up to 500 x 256 here; fewer let
# BLAS take its kernel for small matrices.
MIN_BLOCK_ROWS, MIN_FORWARD_ROWS = 512, 192
CONSTANT = 1e-6  # variation, as a share of its root mean square, up to which a value is constant


def block_rows(xp: Any, X: Array, layout: Layout) -> int:
    """Rows per block: what fits the cache, or what pays for a dense gradient if sparse."""
    if xp is not np:
        return max(MIN_BLOCK_ROWS, DEVICE_BYTES // (8 * max(layout)))
    rows: int = max(MIN_BLOCK_ROWS, HOST_BYTES // (X.dtype.itemsize * layout.hidden_units))
    if sparse.issparse(X):
        # X^T D is dense: let a block hold as many non-zeros as the gradient has columns
        rows = max(rows, int(X.shape[0] * X.shape[1] / max(X.nnz, 1)))
    return rows


def forward_rows(xp: Any, X: Array, layout: Layout, n_threads: int = 1) -> int:
    """Rows per block of a forward pass, which has half the arrays and no gradient to add up.

    Several threads take larger blocks: they pass the interpreter's lock on at every call.
    """
    if xp is not np or sparse.issparse(X) or n_threads > 1:
        return block_rows(xp, X, layout)
    size: int = X.dtype.itemsize * layout.hidden_units
    return max(MIN_FORWARD_ROWS, HOST_BYTES // 2 // size)


def row_blocks(start: int, stop: int, step: int) -> Iterator[slice]:
    """Slices of at most `step` rows that cover ``start:stop`` in order."""
    for first in range(start, stop, step):
        yield slice(first, min(first + step, stop))


class RowSum:
    """Cross-entropy and its gradient, summed over a range of rows, in user units.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Float data, in any array namespace `xp`.
    y : array of shape (n_samples,) or (n_samples, n_outputs)
        Integer class codes for softmax outputs, indicators for logistic outputs.
    sample_weight : array of shape (n_samples,) or None
    layout, activation, output
        The network.
    xp : module
        The array namespace of X.
    rows : range, optional
        The rows to sum over; all by default.
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        sample_weight: Array | None,
        *,
        layout: Layout,
        activation: Activation,
        output: Output,
        xp: Any = np,
        rows: range | None = None,
    ) -> None:
        self.X, self.y, self.sample_weight = X, y, sample_weight
        self.layout, self.activation, self.output, self.xp = layout, activation, output, xp
        self.rows = range(X.shape[0]) if rows is None else rows
        self.step = block_rows(xp, X, layout)
        self.wide = widest_float(xp, X)
        self.factored = (
            layout.n_outputs == 1
            and layout.n_features < 2 * layout.hidden_units
            and not sparse.issparse(X)
        )
        self.codes = place(xp, np.arange(layout.n_outputs)[:, None], X)
        self.ready: list[Block] | None = None
        if xp is np and not sparse.issparse(X):
            indicator_bytes = X.dtype.itemsize * len(self.rows) * layout.n_outputs
            if indicator_bytes <= HOST_BYTES:  # once for all evaluations
                self.ready = list(self._blocks())
        if sample_weight is None:
            self.weight_sum = float(len(self.rows))
        else:
            part = sample_weight[self.rows.start : self.rows.stop]
            self.weight_sum = float(xp.sum(part, dtype=self.wide))

    def _blocks(self) -> Iterable[Block]:
        """Rows, their targets and their weights, block by block."""
        if self.ready is not None:
            return self.ready
        weights = self.sample_weight
        return (
            (
                self.X[block, ...],
                self.indicators(self.y[block, ...]),
                None if weights is None else weights[block],
            )
            for block in row_blocks(self.rows.start, self.rows.stop, self.step)
        )

    def indicators(self, y: Array) -> Array:
        """Targets of a block as an array of shape (n_rows, n_outputs) of zeros and ones."""
        if y.ndim == 1:
            y = (y == self.codes).T  # laid out as the raw predictions
        return self.xp.astype(y, self.X.dtype, copy=False)

    def _views(self, vector: Array) -> tuple[Array, Array, Array, Array]:
        return self.layout.views(vector, self.xp)

    def _like_X(self, vector: np.ndarray) -> Array:
        return place(self.xp, vector, self.X, self.X.dtype)

    def row_losses(self, params: np.ndarray) -> Array:
        """Cross-entropy of every row, unweighted, in nats, shape (n_rows,)."""
        xp = self.xp
        W1, b1, W2, b2 = self._views(self._like_X(params))
        losses = []
        for X, Y, _ in self._blocks():
            _, H = hidden(xp, X, W1, b1, self.activation)
            losses.append(self.output.loss_residual(xp, raw_prediction(H, W2, b2), Y)[0])
        return losses[0] if len(losses) == 1 else xp.concat(losses)

    def loss(self, params: np.ndarray) -> tuple[float, float]:
        """Loss sum and weight sum; see `loss_gradient`."""
        losses = self.row_losses(params)
        if self.sample_weight is not None:
            losses = losses * self.sample_weight[self.rows.start : self.rows.stop]
        return float(self.xp.sum(losses, dtype=self.wide)), self.weight_sum

    def loss_gradient(self, params: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Sum over the rows of ``s_i CE(y_i, S_i)`` and of its gradient.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            In user units.

        Returns
        -------
        loss_sum : float
            In nats.
        gradient_sum : float64 ndarray of shape (layout.size,)
        weight_sum : float
        """
        xp = self.xp
        device = getattr(self.X, "device", None)
        gradient = xp.zeros(self.layout.size, dtype=self.X.dtype, device=device)
        part = xp.empty_like(gradient)  # of one block
        W1, b1, W2, b2 = self._views(self._like_X(params))
        views = self._views(part)
        loss_sum: Any = 0.0  # stays on the device until the end
        for X, Y, weights in self._blocks():
            Z, H = hidden(xp, X, W1, b1, self.activation)
            loss, residual = self.output.loss_residual(xp, raw_prediction(H, W2, b2), Y)
            if weights is not None:
                loss = loss * weights
                residual *= weights[:, None]
            loss_sum = loss_sum + total(xp, loss, self.wide)
            set_gradient(xp, X, Z, H, residual, W2, self.activation, views, factored=self.factored)
            gradient += part
        return float(loss_sum), to_numpy(gradient), self.weight_sum

    def unit_sums(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weighted sums over the rows of each hidden unit and of its square."""
        xp, wide = self.xp, self.wide
        W1, b1, _, _ = self._views(self._like_X(params))
        first, second = np.zeros((2, self.layout.hidden_units))
        for X, _, weights in self._blocks():
            _, H = hidden(xp, X, W1, b1, self.activation)
            H = xp.astype(H, wide, copy=False)
            if weights is None:
                first += to_numpy(xp.sum(H, axis=0))
                second += to_numpy(xp.sum(H * H, axis=0))
            else:
                weights = xp.astype(weights, wide, copy=False)
                first += to_numpy(weights @ H)
                second += to_numpy(weights @ (H * H))
        return first, second


def spread(first: np.ndarray, second: np.ndarray, weight: float) -> np.ndarray:
    """Return the standard deviation from weighted sums of values and of their squares."""
    square = second / weight
    variance = square - (first / weight) ** 2
    # what a fit or rounding leaves of a constant is not a spread
    return np.sqrt(np.where(variance > CONSTANT**2 * square, variance, 0.0))


class TwoLayerLoss:
    """The objective of every solver, a function of one flat vector in standardised units.

    For parameters theta = (V1, W2, c1, b2)::

        loss(theta) = (sum_i s_i CE(y_i, S_i) + alpha/2 (|V1|^2 + |W2|^2)) / sum_i s_i

    with s the sample weights, S = g(X W1 + b1) W2 + b2 the raw predictions, and W1, b1 the
    first layer in user units (`Standardization`). The gradient of the data term is that of
    `sk_mlp._network.network`, taken through the change of variables; the penalty adds
    ``alpha V1`` and ``alpha W2``. The intercepts are not penalised.

    Parameters
    ----------
    parts : sequence
        Each offers ``loss_gradient(params) -> (loss_sum, gradient_sum, weight_sum)`` and
        ``loss(params) -> (loss_sum, weight_sum)`` in user units: `RowSum`, or anything that
        computes the same elsewhere.
    layout : Layout
    alpha : float
        Strength of the penalty, in units of the total sample weight.
    standardization : Standardization
    map : callable, default: the built-in
        Applies a function to every part; ``Executor.map`` uses threads.
    """

    def __init__(
        self,
        parts: Sequence[Any],
        layout: Layout,
        alpha: float,
        standardization: Standardization,
        map: Callable[..., Any] = map,
    ) -> None:
        self.parts, self.layout, self.alpha = parts, layout, alpha
        self.standardization, self.map = standardization, map

    def loss(self, params: np.ndarray) -> float:
        """Objective at `params` of shape (layout.size,), in nats per unit of weight."""
        user = self.standardization.to_user_units(self.layout, params)
        sums = list(self.map(lambda part: part.loss(user), self.parts))
        weights = params[self.layout.weights]
        penalty = 0.5 * self.alpha * float(weights @ weights)
        return float((sum(s[0] for s in sums) + penalty) / sum(s[1] for s in sums))

    def loss_gradient(self, params: np.ndarray) -> tuple[float, np.ndarray]:
        """Objective and its gradient, both in standardised units."""
        user = self.standardization.to_user_units(self.layout, params)
        sums = list(self.map(lambda part: part.loss_gradient(user), self.parts))
        loss, gradient, weight_sum = sums[0]
        for part in sums[1:]:  # in a fixed order, so that a fit can be repeated bit by bit
            loss += part[0]
            gradient += part[1]
            weight_sum += part[2]
        self.standardization.chain_rule(self.layout, gradient)
        weights = params[self.layout.weights]
        loss += 0.5 * self.alpha * float(weights @ weights)
        gradient[self.layout.weights] += self.alpha * weights
        gradient /= weight_sum
        return loss / weight_sum, gradient
