"""Passes over the rows in batches, each with an unbiased estimate of the objective's gradient."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import Array, empty, namespace_of, on_host, place, to_numpy
from sk_mlp._backend.rows import pass_rows, row_blocks
from sk_mlp._backend.threads import pays
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective
from sk_mlp._network.parameters import Layout

STEP_DTYPE = "float32"  # the noise of the sampling hides what single precision rounds off


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


class Step(NamedTuple):
    """What a batch moves.

    Attributes
    ----------
    selection : ColumnSelection or None
        The coordinates to move; None is all.
    params : array of shape (n_selected,)
        Their values: the live parameters for None, else a copy to be written back.
    gradient : array of shape (n_selected,)
        At `params`. May be overwritten.
    """

    selection: ColumnSelection | None
    params: Array
    gradient: Array


Take = Callable[[Step], None]


class Batches(Protocol):
    """Passes over the rows, in one batch or many."""

    n_steps: int

    def place(self, x0: np.ndarray) -> Array:
        """Bring parameters to where the steps are computed, in their dtype."""

    def start_loss(self, params: Array) -> float | None:
        """Objective at the start, if the first step needs it anyway."""

    def epoch(self, params: Array, take: Take) -> float:
        """Hand each step of a pass to `take`, which moves `params`; return the objective.

        The objective is that of the predictions made on the way (one batch: after the step).
        """


def batches_of(objective: Objective, batch_size: int, rng: np.random.RandomState) -> Batches:
    """Choose passes in batches or, if one batch is all the data, the exact gradient."""
    if batch_size >= objective.rows.X.shape[0]:
        return FullBatch(objective)
    return Minibatches(objective, batch_size, rng)


class FullBatch:
    """Passes of one batch, all the rows: the gradient of the objective itself.

    The loss after a step comes with the gradient for the next one, so that the exact loss of
    every iterate is known at no cost.
    """

    n_steps = 1

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.gradient: Array = None

    def place(self, x0: np.ndarray) -> Array:
        """Bring parameters to where X is, in its dtype."""
        return place(x0, self.objective.rows.X, self.objective.rows.X.dtype)

    def epoch(self, params: Array, take: Take) -> float:
        """Make one step along the gradient; return the objective after it."""
        if self.gradient is None:
            self.start_loss(params)
        take(Step(None, params, self.gradient))
        return self.start_loss(params)

    def start_loss(self, params: Array) -> float:
        """Objective at `params`; its gradient serves the next step."""
        loss, gradient = self.objective.loss_gradient(to_numpy(params))
        self.gradient = self.place(gradient)
        return loss


class Minibatches:
    """Passes over shuffled rows in single precision, in standardised units.

    The gradient of a batch B estimates that of `Objective` without bias: the data term is
    ``n / |B| sum_{i in B} s_i CE_i / sum_i s_i``. Rows are gathered, standardised and cast a few batches at a time. With
    sparse X a step costs what the non-zeros of its batch cost: only the weights of the features
    in the batch move, and the penalty of a feature is shared out among the rows in which it is
    not zero, so that the estimate stays unbiased.

    Parameters
    ----------
    objective : Objective
        Of `Rows`.
    batch_size : int
    rng : numpy.random.RandomState
        Shuffles the rows at each pass.
    """

    def __init__(self, objective: Objective, batch_size: int, rng: np.random.RandomState) -> None:
        self.objective, self.batch_size, self.rng = objective, batch_size, rng
        self.network, self.rows = objective.network, objective.rows
        X, layout = self.rows.X, self.network.layout
        self.n_rows, self.weight_sum = X.shape[0], self.rows.weight_sum
        self.n_steps = -(-self.n_rows // batch_size)
        self.dtype = getattr(namespace_of(X), STEP_DTYPE)
        self.sparse = self.rows.text
        if self.sparse:
            counts = np.bincount(X.indices, minlength=layout.n_features)
            self.column_counts = np.maximum(counts, 1)
            mean, scale = objective.standardization
            center = 0.0 if mean is None else np.asarray(mean) / scale
            self.center = np.broadcast_to(center, layout.n_features).astype(self.dtype)
        elif objective.standardization.mean is not None:
            mean, scale = objective.standardization
            self.mean = place(np.asarray(mean), X, X.dtype)
            self.inverse_scale = place(1.0 / np.asarray(scale), X, X.dtype)
        threads = objective.threads
        self.n_parts = threads.n if pays(batch_size * layout.multiply_adds) else 1
        self.gradients: list[_BatchGradient] = []
        row_bytes = 8 * (1 if self.sparse else max(layout.n_features, layout.n_outputs))
        self.n_gathered = batch_size * max(1, pass_rows(X, batch_size * row_bytes))
        self.ready: tuple[Array, Array, Array | None] | None = None
        if on_host(X) and not self.sparse and self.n_rows <= self.n_gathered:
            self.ready = self._prepare(np.arange(self.n_rows))  # few rows: once for all passes

    def place(self, x0: np.ndarray) -> Array:
        """Bring parameters to where X is, in single precision."""
        return place(x0, self.rows.X, self.dtype)

    def start_loss(self, params: Array) -> None:
        """Return None: the first step needs a batch only."""

    def epoch(self, params: Array, take: Take) -> float:
        """Make a step for each batch; return the objective of the predictions on the way."""
        order = place(self.rng.permutation(self.n_rows), self.rows.X)
        add_up = self._sparse_losses if self.sparse else self._dense_losses
        sums = []
        for some in row_blocks(0, self.n_rows, self.n_gathered):
            X, Y, weights = self._gather(order[some])
            losses: list[Array] = []
            for rows in row_blocks(0, X.shape[0], self.batch_size):
                w = None if weights is None else weights[rows, ...]
                losses += add_up(params, X[rows, ...], Y[rows, ...], w, take)
            xp = namespace_of(losses[0])
            loss = xp.concat(losses)
            sums.append(xp.sum(loss if weights is None else loss * weights[:, 0]))
        loss_sum = sum(float(s) for s in sums)
        objective: float = (loss_sum + self.objective.penalty(params)) / self.weight_sum
        return objective

    def _gather(self, index: Array) -> tuple[Array, Array, Array | None]:
        """Rows in standardised units, indicators and weights, in the dtype of the steps."""
        if self.ready is None:
            return self._prepare(index)
        X, Y, weights = self.ready
        Y = Y.T.take(index, axis=1).T  # laid out as the raw predictions
        return X.take(index, axis=0), Y, None if weights is None else weights[index]

    def _prepare(self, index: Array) -> tuple[Array, Array, Array | None]:
        standardization, rows = self.objective.standardization, self.rows.take(index)
        X = rows.block
        if self.sparse:
            X = scaled(X, standardization.scale).astype(self.dtype, copy=False)
        elif standardization.mean is not None:
            X -= self.mean
            X *= self.inverse_scale
        elif not standardization.is_identity:  # of a stream with sparse rows before
            X /= standardization.scale
        Y = rows.indicators(self.network)
        if not self.sparse:
            X = namespace_of(X).astype(X, self.dtype, copy=False)
        Y = namespace_of(Y).astype(Y, self.dtype, copy=False)
        weights = rows.sample_weight
        if weights is not None:
            weights = namespace_of(weights).astype(weights, self.dtype, copy=False)[:, None]
        return X, Y, weights

    def _dense_losses(
        self, params: Array, X: Array, Y: Array, weights: Array | None, take: Take
    ) -> list[Array]:
        """Make the step of a batch, in as many parts as there are threads; return the losses."""
        gradients = self.gradients
        if not (gradients and gradients[0].params is params):
            gradients[:] = [_BatchGradient(self.network, params) for _ in range(self.n_parts)]
        n_rows, first = X.shape[0], gradients[0]
        scale = self.n_rows / (n_rows * self.weight_sum)
        if self.n_parts == 1:
            losses = [first.backward(X, Y, weights, scale)]
        else:

            def backward(i: int) -> Array:
                rows = slice(n_rows * i // self.n_parts, n_rows * (i + 1) // self.n_parts)
                some = None if weights is None else weights[rows, ...]
                return gradients[i].backward(X[rows, ...], Y[rows, ...], some, scale)

            losses = list(self.objective.threads.map(backward, range(self.n_parts)))
            for other in gradients[1:]:
                first.vector += other.vector
        take(Step(None, params, first.with_penalty(self.objective.decay / self.weight_sum)))
        return losses

    def _sparse_losses(
        self, params: Array, X: Any, Y: Array, weights: Array | None, take: Take
    ) -> list[Array]:
        """Make the step of a batch for the features in it; return the losses."""
        columns, X = compact(X)
        selection = ColumnSelection(self.network.layout, columns)
        network = self.network._replace(layout=selection.selected)
        gradient = _BatchGradient(network, selection.take(params))
        scale = self.n_rows / (X.shape[0] * self.weight_sum)
        loss = gradient.backward(X, Y, weights, scale, self.center[columns])
        # share of the batch in the penalty of each of its features
        share = np.bincount(X.indices, minlength=len(columns)) / self.column_counts[columns]
        share = (share * (self.n_rows / X.shape[0])).astype(self.dtype)[:, None]
        vector = gradient.with_penalty(self.objective.decay / self.weight_sum, share)
        take(Step(selection, gradient.params, vector))
        return [loss]


class _BatchGradient:
    """The gradient of rows of a batch at parameters that are moved in place.

    Parameters
    ----------
    network : Network
    params : array of shape (network.layout.size,)
    """

    def __init__(self, network: Network, params: Array) -> None:
        layout = network.layout
        self.network, self.params, self.vector = network, params, empty(params.shape, params)
        self.at, self.gradient = layout.views(params), layout.views(self.vector)
        self.weights, self.of_weights = params[layout.weights], self.vector[layout.weights]

    def backward(
        self,
        X: Array,
        Y: Array,
        weights: Array | None,
        scale: float,
        center: np.ndarray | None = None,
    ) -> Array:
        """Set `vector` to the gradient of the cross-entropies times `scale`; return the losses.

        A sparse X is centred by arithmetic: ``(X - center) W1 = X W1 - center W1``.
        """
        at = self.at if center is None else self.at._replace(b1=self.at.b1 - center @ self.at.W1)
        S, backward = self.network.forward(at, X)
        loss, residual = self.network.output.loss_residual(S, Y)
        if weights is not None:
            residual *= weights
        residual *= scale
        backward(residual, self.gradient)
        if center is not None and center.any():
            self.gradient.W1[...] -= center[:, None] * self.gradient.b1
        return loss

    def with_penalty(self, decay: float, share: Array | None = None) -> Array:
        """Add `decay` times the weights, those of each feature times its share; return `vector`."""
        if share is None:
            self.of_weights += decay * self.weights
        else:
            self.gradient.W1[...] += decay * share * self.at.W1
            self.gradient.W2[...] += decay * self.at.W2
        return self.vector


def scaled(X: sparse.csr_matrix, scale: np.ndarray | float) -> sparse.csr_matrix:
    """Divide each column of X by its scale."""
    scales = np.broadcast_to(scale, X.shape[1])[X.indices]
    return sparse.csr_matrix((X.data / scales, X.indices, X.indptr), shape=X.shape)


def compact(X: sparse.csr_matrix) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Columns that are stored in X, and X without the others."""
    number = np.zeros(X.shape[1], X.indices.dtype)  # of each column among those stored
    number[X.indices] = 1
    columns = np.flatnonzero(number)
    number[columns] = np.arange(len(columns))
    shape = (X.shape[0], len(columns))
    return columns, sparse.csr_matrix((X.data, number[X.indices], X.indptr), shape=shape)
