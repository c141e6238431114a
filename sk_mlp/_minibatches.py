"""Unbiased estimates of the gradient of `TwoLayerLoss` from batches of rows."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from sk_mlp._arrays import DEVICE_BYTES, place
from sk_mlp._network import add_gradient, apply_unit_factor, hidden, raw_prediction
from sk_mlp._objective import RowSum, row_blocks
from sk_mlp._parameters import Layout, Standardization

Array = Any  # an array of any namespace of the array API standard

GATHER_BYTES = 2**20  # rows gathered, standardised and cast at a time on the host


class ColumnSelection:
    """All parameters but the first-layer weights of features outside `columns`.

    The selected coordinates have the layout of a network on those features alone.
    """

    def __init__(self, layout: Layout, columns: np.ndarray) -> None:
        self.layout, self.columns = layout, columns

    def _split(self, vector: np.ndarray, n_features: int) -> tuple[np.ndarray, np.ndarray]:
        h = self.layout.hidden_units
        return vector[: n_features * h].reshape((n_features, h)), vector[n_features * h :]

    def take(self, vector: np.ndarray) -> np.ndarray:
        """Copy the selected coordinates of a vector."""
        weights, rest = self._split(vector, self.layout.n_features)
        dropped = self.layout.n_features - len(self.columns)
        values = np.empty(len(vector) - dropped * self.layout.hidden_units, vector.dtype)
        to_weights, to_rest = self._split(values, len(self.columns))
        np.take(weights, self.columns, axis=0, out=to_weights, mode="clip")
        to_rest[...] = rest
        return values

    def put(self, vector: np.ndarray, values: np.ndarray) -> None:
        """Write the selected coordinates of a vector."""
        weights, rest = self._split(vector, self.layout.n_features)
        weights[self.columns], rest[...] = self._split(values, len(self.columns))


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
            dtype = data.X.dtype
            self.mean = place(self.xp, self.mean, data.X, dtype)
            self.inverse_scale = place(self.xp, 1.0 / np.asarray(self.scale), data.X, dtype)
        self.loss_sum = 0.0

    def _gather(self, index: Array) -> tuple[Array, Array, Array | None]:
        """Rows in standardised units, indicators and weights, in the dtype of the steps."""
        data, xp = self.data, self.xp

        def take(array: Array) -> Array:
            return array[index] if xp is np else xp.take(array, index, axis=0)

        X = take(data.X)
        if self.sparse:
            X = (X / self.scale).astype(self.dtype, copy=False)
        else:
            if self.mean is not None:
                X = (X - self.mean) * self.inverse_scale
            elif self.scale != 1.0:  # of a stream with sparse rows before
                X = X / self.scale
            X = xp.astype(X, self.dtype, copy=False)
        Y = xp.astype(data.indicators(take(data.y)), self.dtype, copy=False)
        weights = data.sample_weight
        if weights is not None:
            weights = xp.astype(take(weights), self.dtype, copy=False)[:, None]
        return X, Y, weights

    def epoch(self) -> Iterator[tuple[ColumnSelection | None, Callable[[Array], Array]]]:
        """One pass: for each batch the coordinates it moves and its gradient there.

        The gradient is a function of the selected parameters, of shape (n_selected,); it may
        be overwritten by the next batch.
        """
        xp, size, layout = self.xp, self.batch_size, self.layout
        n_rows, n_features = self.data.X.shape
        budget = GATHER_BYTES if xp is np else DEVICE_BYTES
        row_bytes = 8 * (1 if self.sparse else max(n_features, layout.n_outputs))
        gathered = size * max(1, budget // (size * row_bytes))
        order = place(xp, self.rng.permutation(n_rows), self.data.X)
        buffer: Array = (
            None if self.sparse else place(xp, np.zeros(layout.size), self.data.X, self.dtype)
        )
        losses = []
        for some in row_blocks(0, n_rows, gathered):
            X, Y, weights = self._gather(order[some])
            raw: list[Array] = []
            for rows in row_blocks(0, X.shape[0], size):
                w = None if weights is None else weights[rows, ...]
                if self.sparse:
                    columns, batch = compact(X[rows])
                    selected = layout._replace(n_features=len(columns))
                    args = (selected, np.zeros(selected.size, self.dtype), batch, Y[rows], w, raw)
                    decay = self._shared_decay(columns, batch)
                    yield ColumnSelection(layout, columns), partial(self._gradient, *args, decay)
                else:
                    args = (layout, buffer, X[rows, ...], Y[rows, ...], w, raw)
                    yield None, partial(self._gradient, *args, self.alpha / self.weight_sum)
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
        self,
        layout: Layout,
        gradient: Array,
        X: Array,
        Y: Array,
        weights: Array | None,
        raw: list[Array],
        decay: Array | float,
        params: Array,
    ) -> Array:
        """Write the gradient of a batch to `gradient` and append its predictions to `raw`."""
        xp, data = self.xp, self.data
        W1, b1, W2, b2 = layout.views(params, xp)
        Z, H = hidden(xp, X, W1, b1, data.activation)
        S = raw_prediction(H, W2, b2)
        raw.append(S)
        residual = data.output.residual(xp, S, Y)
        if weights is not None:
            residual *= weights
        residual *= data.X.shape[0] / (X.shape[0] * self.weight_sum)
        gradient[...] = 0.0
        views = layout.views(gradient, xp)
        add_gradient(xp, X, Z, H, residual, W2, data.activation, views, factored=data.factored)
        if data.factored:
            apply_unit_factor(views, W2)
        gW1, _, gW2, _ = views
        gW1 += decay * W1
        gW2 += (self.alpha / self.weight_sum) * W2
        return gradient

    def _shared_decay(self, columns: np.ndarray, X: sparse.csr_matrix) -> np.ndarray:
        """Decay of the weights of each feature of a sparse batch, for its share of the penalty."""
        counts = np.bincount(X.indices, minlength=len(columns))
        share: np.ndarray = (
            counts / self.column_counts[columns] * (self.data.X.shape[0] / X.shape[0])
        )
        return (share * (self.alpha / self.weight_sum)).astype(self.dtype)[:, None]


def compact(X: sparse.csr_matrix) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Columns that are stored in X, and X without the others."""
    columns, indices = np.unique(X.indices, return_inverse=True)
    shape = (X.shape[0], len(columns))
    return columns, sparse.csr_matrix((X.data, indices, X.indptr), shape=shape)
