"""Unbiased estimates of the gradient of `TwoLayerLoss` from batches of rows."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from sk_mlp._network import add_gradient, hidden, raw_prediction
from sk_mlp._objective import RowSum, row_blocks
from sk_mlp._parameters import Layout, Standardization

Array = Any  # an array of any namespace of the array API standard

GATHER_BYTES = 2**20  # rows gathered, standardised and cast at a time on the host
GATHER_BYTES_DEVICE = 2**28


class ColumnSelection:
    """The first-layer weights of some features."""

    def __init__(self, layout: Layout, columns: np.ndarray) -> None:
        self.layout, self.columns = layout, columns

    def _weights(self, stack: Array) -> Array:
        d, h, _ = self.layout
        return stack[:, : d * h].reshape((stack.shape[0], d, h))

    def take(self, stack: Array) -> Array:
        """Copy them from a stack of parameter vectors."""
        return self._weights(stack)[:, self.columns].reshape((stack.shape[0], -1))

    def put(self, stack: Array, values: Array) -> None:
        """Write them back."""
        rows = values.reshape((stack.shape[0], -1, self.layout.hidden_units))
        self._weights(stack)[:, self.columns] = rows


class TailSelection:
    """All parameters behind the first-layer weights; a view, so nothing to write back."""

    def __init__(self, layout: Layout) -> None:
        self.first = layout.n_features * layout.hidden_units

    def take(self, stack: Array) -> Array:
        """View them in a stack of parameter vectors."""
        return stack[:, self.first :]

    def put(self, stack: Array, values: Array) -> None:
        """Do nothing: `take` gave a view."""


class Minibatches:
    """Passes over shuffled rows, a gradient for each batch, in standardised units.

    The gradient of a batch B estimates that of `TwoLayerLoss` without bias: the data term is
    ``n / |B| sum_{i in B} s_i CE_i / sum_i s_i``. Rows are gathered, standardised and cast to
    `dtype` a few batches at a time. With sparse X a step costs what the non-zeros of its batch
    cost: only the weights of the features in the batch move, and the penalty of a feature is
    shared out among the rows in which it is not zero, so that the estimate stays unbiased.

    Parameters
    ----------
    data : RowSum
        The rows and the network.
    alpha : float
    standardization : Standardization
    batch_size : int
    rng : numpy.random.RandomState
        Shuffles the rows at each pass.
    dtype : dtype
        Of the steps.
    """

    def __init__(
        self,
        data: RowSum,
        alpha: float,
        standardization: Standardization,
        batch_size: int,
        rng: np.random.RandomState,
        dtype: Any,
    ) -> None:
        self.data, self.layout, self.xp = data, data.layout, data.xp
        self.alpha, self.batch_size, self.rng, self.dtype = alpha, batch_size, rng, dtype
        self.weight_sum = data.weight_sum
        self.sparse = sparse.issparse(data.X)
        self.n_steps = -(-len(data.rows) // batch_size)
        self.scale = standardization.scale
        self.mean = standardization.mean
        if self.sparse:
            counts = np.bincount(data.X.indices, minlength=self.layout.n_features)
            self.column_counts = np.maximum(counts, 1)
        elif self.mean is not None:
            self.mean = self._like_X(self.mean)
            self.inverse_scale = self._like_X(1.0 / np.asarray(self.scale))
        self.loss_sum = 0.0

    def _like_X(self, values: np.ndarray) -> Array:
        if self.xp is np:
            return values.astype(self.data.X.dtype)
        return self.xp.asarray(values, dtype=self.data.X.dtype, device=self.data.X.device)

    def _gather(self, index: np.ndarray) -> tuple[Array, Array, Array | None]:
        """Rows in standardised units, indicators and weights, in the dtype of the steps."""
        data, xp = self.data, self.xp
        if xp is not np:
            index = xp.asarray(index, device=data.X.device)

        def take(array: Array) -> Array:
            return array[index] if xp is np else xp.take(array, index, axis=0)

        X = take(data.X)
        if self.sparse:
            X = (X / self.scale).astype(self.dtype, copy=False)
        else:
            if self.mean is not None:
                X = (X - self.mean) * self.inverse_scale
            X = xp.astype(X, self.dtype, copy=False)
        Y = xp.astype(data.indicators(take(data.y)), self.dtype, copy=False)
        weights = data.sample_weight
        if weights is not None:
            weights = xp.astype(take(weights), self.dtype, copy=False)[:, None]
        return X, Y, weights

    def epoch(self, params: Array) -> Iterator[Sequence[tuple[Any, Array]]]:
        """One pass: the pieces of each batch's gradient at the live vector `params`."""
        xp, size = self.xp, self.batch_size
        n_rows, n_features = self.data.X.shape
        gradient = xp.zeros_like(params)
        budget = GATHER_BYTES if xp is np else GATHER_BYTES_DEVICE
        row_bytes = 8 * (1 if self.sparse else n_features)
        gathered = size * max(1, budget // (size * row_bytes))
        order = self.rng.permutation(n_rows)
        losses = []
        for some in row_blocks(0, n_rows, gathered):
            X, Y, weights = self._gather(order[some])
            raw = []
            for batch in row_blocks(0, X.shape[0], size):
                w = None if weights is None else weights[batch]
                S, pieces = self._gradient(params, gradient, X[batch], Y[batch], w)
                raw.append(S)
                yield pieces
            S = xp.concat(raw) if len(raw) > 1 else raw[0]
            loss, _ = self.data.output.loss_residual(xp, S, Y)
            losses.append(xp.sum(loss if weights is None else loss * weights[:, 0]))
        self.loss_sum = sum(float(loss) for loss in losses)

    def loss(self, params: Array) -> float:
        """Objective over the last pass, from the predictions made during it."""
        weights = params[: self.layout.n_weights]
        penalty = 0.5 * self.alpha * float(weights @ weights)
        return (self.loss_sum + penalty) / self.weight_sum

    def _gradient(
        self, params: Array, gradient: Array, X: Array, Y: Array, weights: Array | None
    ) -> tuple[Array, Sequence[tuple[Any, Array]]]:
        xp, data = self.xp, self.data
        W1, b1, W2, b2 = self.layout.views(params)
        gW1, gb1, gW2, gb2 = self.layout.views(gradient)
        gradient *= 0.0
        columns = None
        if self.sparse:
            columns, X = compact(X)
            W1 = W1[columns]
            gW1 = xp.zeros_like(W1)
        Z, H = hidden(xp, X, W1, b1, data.activation)
        S = raw_prediction(H, W2, b2)
        residual = data.output.probability(xp, S) - Y
        if weights is not None:
            residual *= weights
        scale = data.X.shape[0] / (X.shape[0] * self.weight_sum)
        residual *= scale
        add_gradient(
            xp, X, Z, H, residual, W2, data.activation, (gW1, gb1, gW2, gb2), factored=False
        )
        decay = self.alpha / self.weight_sum
        if columns is None:
            n_weights = self.layout.n_weights
            gradient[:n_weights] += decay * params[:n_weights]
            return S, ((None, gradient),)
        share = np.bincount(X.indices, minlength=len(columns)) / self.column_counts[columns]
        share *= decay * data.X.shape[0] / X.shape[0]
        gW1 += share.astype(self.dtype)[:, None] * W1
        gW2 += decay * W2
        tail = TailSelection(self.layout)
        return S, (
            (ColumnSelection(self.layout, columns), gW1.reshape(-1)),
            (tail, gradient[tail.first :]),
        )


def compact(X: sparse.csr_matrix) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Columns that are stored in X, and X without the others."""
    columns, indices = np.unique(X.indices, return_inverse=True)
    shape = (X.shape[0], len(columns))
    return columns, sparse.csr_matrix((X.data, indices, X.indptr), shape=shape)
