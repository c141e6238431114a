"""Unbiased estimates of the gradient of `TwoLayerLoss` from batches of rows."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import DEVICE_BYTES, place
from sk_mlp._network.network import hidden, raw_prediction, set_gradient
from sk_mlp._network.objective import RowSum, row_blocks
from sk_mlp._network.parameters import Layout, Standardization

Array = Any  # an array of any namespace of the array API standard

GATHER_BYTES = 2**20  # rows gathered, standardised and cast at a time on the host


class ColumnSelection:
    """All parameters but the first-layer weights of features outside `columns`.

    The selected coordinates have the layout of a network on those features alone.
    """

    def __init__(self, layout: Layout, columns: np.ndarray) -> None:
        self.layout, self.columns = layout, columns
        self.selected = layout._replace(n_features=len(columns))

    def take(self, vector: np.ndarray) -> np.ndarray:
        """Copy the selected coordinates of a vector."""
        values = np.empty(self.selected.size, vector.dtype)
        W1, *rest = self.layout.views(vector)
        to_W1, *to_rest = self.selected.views(values)
        np.take(W1, self.columns, axis=0, out=to_W1, mode="clip")
        for to_part, part in zip(to_rest, rest, strict=True):
            to_part[...] = part
        return values

    def put(self, vector: np.ndarray, values: np.ndarray) -> None:
        """Write the selected coordinates of a vector."""
        W1, *rest = self.layout.views(vector)
        from_W1, *from_rest = self.selected.views(values)
        W1[self.columns] = from_W1
        for part, from_part in zip(rest, from_rest, strict=True):
            part[...] = from_part


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
    n_threads : int, default=1
        Parts of a dense batch to work on at the same time.
    map : callable, default: the built-in
        Applies a function to every part.
    """

    def __init__(
        self,
        data: RowSum,
        alpha: float,
        standardization: Standardization,
        batch_size: int,
        rng: np.random.RandomState,
        dtype: Any,
        n_threads: int = 1,
        map: Callable[..., Any] = map,
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
            dtype = data.X.dtype
            self.mean = place(self.xp, self.mean, data.X, dtype)
            self.inverse_scale = place(self.xp, 1.0 / np.asarray(self.scale), data.X, dtype)
        self.n_threads, self.map = n_threads, map
        self.dense_parts: list[_Part] = []
        self.loss_sum = 0.0
        n_rows, n_features = data.X.shape
        budget = GATHER_BYTES if self.xp is np else DEVICE_BYTES
        row_bytes = 8 * (1 if self.sparse else max(n_features, self.layout.n_outputs))
        self.n_gathered = batch_size * max(1, budget // (batch_size * row_bytes))
        self.ready: tuple[Array, Array, Array | None] | None = None
        if self.xp is np and not self.sparse and n_rows <= self.n_gathered:
            self.ready = self._prepare(np.arange(n_rows))  # few rows: once for all passes

    def _gather(self, index: Array) -> tuple[Array, Array, Array | None]:
        """Rows in standardised units, indicators and weights, in the dtype of the steps."""
        if self.ready is None:
            return self._prepare(index)
        X, Y, weights = self.ready
        Y = Y.T.take(index, axis=1).T  # laid out as the raw predictions
        return X.take(index, axis=0), Y, None if weights is None else weights[index]

    def _prepare(self, index: Array) -> tuple[Array, Array, Array | None]:
        data, xp = self.data, self.xp

        def take(array: Array) -> Array:
            return xp.take(array, index, axis=0)

        if self.sparse:
            X = (data.X[index] / self.scale).astype(self.dtype, copy=False)
        else:
            X = take(data.X)
            if self.mean is not None:
                X -= self.mean
                X *= self.inverse_scale
            elif self.scale != 1.0:  # of a stream with sparse rows before
                X /= self.scale
            X = xp.astype(X, self.dtype, copy=False)
        Y = xp.astype(data.indicators(take(data.y)), self.dtype, copy=False)
        weights = data.sample_weight
        if weights is not None:
            weights = xp.astype(take(weights), self.dtype, copy=False)[:, None]
        return X, Y, weights

    def epoch(self, params: Array) -> Iterator[tuple[ColumnSelection | None, Array, Array]]:
        """One pass: for each batch the coordinates it moves, their values and their gradient.

        The gradient, of shape (n_selected,), is that at `params` as they are when a batch is
        asked for, so that they may be moved in between. The arrays are valid until the next
        batch, and may be overwritten.
        """
        xp, size, layout = self.xp, self.batch_size, self.layout
        n_rows = self.data.X.shape[0]
        order = place(xp, self.rng.permutation(n_rows), self.data.X)
        decay = self.alpha / self.weight_sum
        parts = self.dense_parts
        if not self.sparse and not (parts and parts[0].params is params):
            parts[:] = [_Part(self.data, layout, params) for _ in range(self.n_threads)]
        sums = []
        for some in row_blocks(0, n_rows, self.n_gathered):
            X, Y, weights = self._gather(order[some])
            losses: list[Array] = []
            for rows in row_blocks(0, X.shape[0], size):
                w = None if weights is None else weights[rows, ...]
                if not self.sparse:
                    losses += self._add_up(parts, X[rows, ...], Y[rows, ...], w)
                    yield None, params, parts[0].with_penalty(decay)
                else:
                    columns, batch = compact(X[rows])
                    selection = ColumnSelection(layout, columns)
                    local = selection.take(params)
                    part = _Part(self.data, selection.selected, local)
                    losses += self._add_up([part], batch, Y[rows], w)
                    share = self._share(columns, batch)
                    yield selection, local, part.with_penalty(decay, share)
            loss = xp.concat(losses)
            sums.append(xp.sum(loss if weights is None else loss * weights[:, 0]))
        self.loss_sum = sum(float(s) for s in sums)

    def _add_up(
        self, parts: list["_Part"], X: Array, Y: Array, weights: Array | None
    ) -> list[Array]:
        """Set the first part to the gradient of a batch, without the penalty; return the losses."""
        n_rows = X.shape[0]
        scale = self.data.X.shape[0] / (n_rows * self.weight_sum)
        if len(parts) == 1:
            return [parts[0].backward(X, Y, weights, scale)]

        def backward(i: int) -> Array:
            rows = slice(n_rows * i // len(parts), n_rows * (i + 1) // len(parts))
            some = None if weights is None else weights[rows, ...]
            return parts[i].backward(X[rows, ...], Y[rows, ...], some, scale)

        losses = list(self.map(backward, range(len(parts))))
        for part in parts[1:]:
            parts[0].vector += part.vector
        return losses

    def loss(self, params: Array) -> float:
        """Objective over the last pass, from the predictions made during it."""
        weights = params[self.layout.weights]
        penalty = 0.5 * self.alpha * float(weights @ weights)
        return (self.loss_sum + penalty) / self.weight_sum

    def _share(self, columns: np.ndarray, X: sparse.csr_matrix) -> np.ndarray:
        """Share of a sparse batch in the penalty of each of its features, (n_columns, 1)."""
        counts = np.bincount(X.indices, minlength=len(columns))
        share: np.ndarray = (
            counts / self.column_counts[columns] * (self.data.X.shape[0] / X.shape[0])
        )
        return share.astype(self.dtype)[:, None]


class _Part:
    """The gradient of rows of a batch at parameters that are moved in place.

    Parameters
    ----------
    data : RowSum
        All the rows.
    layout : Layout
        Of `params`.
    params : array of shape (layout.size,)
    """

    def __init__(self, data: RowSum, layout: Layout, params: Array) -> None:
        xp = data.xp
        self.data, self.params, self.vector = data, params, xp.empty_like(params)
        self.W1, self.b1, self.W2, self.b2 = layout.views(params, xp)
        self.views = self.gW1, _, self.gW2, _ = layout.views(self.vector, xp)
        self.weights, self.of_weights = params[layout.weights], self.vector[layout.weights]

    def backward(self, X: Array, Y: Array, weights: Array | None, scale: float) -> Array:
        """Set `vector` to the gradient of the cross-entropies times `scale`; return the losses."""
        data, xp = self.data, self.data.xp
        Z, H = hidden(xp, X, self.W1, self.b1, data.activation)
        S = raw_prediction(H, self.W2, self.b2)
        loss, residual = data.output.loss_residual(xp, S, Y)
        if weights is not None:
            residual *= weights
        residual *= scale
        set_gradient(
            xp, X, Z, H, residual, self.W2, data.activation, self.views, factored=data.factored
        )
        return loss

    def with_penalty(self, decay: float, share: Array | None = None) -> Array:
        """Add `decay` times the weights, those of each feature times its share; return `vector`."""
        if share is None:
            self.of_weights += decay * self.weights
        else:
            self.gW1 += decay * share * self.W1
            self.gW2 += decay * self.W2
        return self.vector


def compact(X: sparse.csr_matrix) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Columns that are stored in X, and X without the others."""
    number = np.zeros(X.shape[1], X.indices.dtype)  # of each column among those stored
    number[X.indices] = 1
    columns = np.flatnonzero(number)
    number[columns] = np.arange(len(columns))
    shape = (X.shape[0], len(columns))
    return columns, sparse.csr_matrix((X.data, number[X.indices], X.indptr), shape=shape)
