"""Passes over the rows in batches, each with an unbiased estimate of the objective's gradient."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Union, cast

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import Array, empty, namespace_of, on_host, place, to_numpy
from sk_mlp._backend.rows import pass_rows, row_blocks, row_ranges
from sk_mlp._backend.threads import pays
from sk_mlp._network.objective import Objective, Rows, block_gradient
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

Batches = Union["FullBatch", "Minibatches"]


def batches_of(objective: Objective, batch_size: int, rng: np.random.RandomState) -> Batches:
    """Choose passes in batches or, if one batch is all the data, the exact gradient."""
    if batch_size >= objective.rows.n_rows:
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
    ``n / |B| sum_{i in B} s_i CE_i / sum_i s_i``. Rows are gathered, standardised and cast a few
    batches at a time.

    With text a step costs what the non-zeros of its batch cost: only the weights of the features
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
        self.network, self.rows = objective.network, cast("Rows", objective.rows)
        self.n_rows, self.weight_sum = self.rows.n_rows, self.rows.weight_sum
        self.decay = objective.decay / self.weight_sum
        self.n_steps = -(-self.n_rows // batch_size)
        X, layout = self.rows.X, self.network.layout
        self.dtype = getattr(namespace_of(X), STEP_DTYPE)
        self.n_parts = objective.threads.n if pays(batch_size * layout.multiply_adds) else 1
        row_bytes = 8 * (1 if self.rows.text else max(layout.n_features, layout.n_outputs))
        self.n_gathered = batch_size * max(1, pass_rows(X, batch_size * row_bytes))
        self.ready: Rows | None = None
        if self.rows.text:
            mean, scale = objective.standardization
            center = 0.0 if mean is None else mean / scale
            self.center = np.broadcast_to(center, layout.n_features).astype(self.dtype)
            counts = np.bincount(X.indices, minlength=layout.n_features)
            self.column_counts = np.maximum(counts, 1)
            return
        self.vectors = [empty(layout.size, X, self.dtype) for _ in range(self.n_parts)]
        self.gradients = [layout.views(vector) for vector in self.vectors]  # of parts of a batch
        if on_host(X) and self.n_rows <= self.n_gathered:  # few rows: once for all passes
            self.ready = self._gather(np.arange(self.n_rows))

    def place(self, x0: np.ndarray) -> Array:
        """Bring parameters to where X is, in single precision."""
        return place(x0, self.rows.X, self.dtype)

    def start_loss(self, params: Array) -> None:
        """Return None: the first step needs a batch only."""

    def epoch(self, params: Array, take: Take) -> float:
        """Hand a step for each batch to `take`; return the objective of the predictions made."""
        order = place(self.rng.permutation(self.n_rows), self.rows.X)
        steps = self._text_steps if self.rows.text else self._dense_steps
        xp, sums = namespace_of(params), []
        for block in row_blocks(0, self.n_rows, self.n_gathered):
            rows = self._gather(order[block])
            batches = map(rows.take, row_blocks(0, rows.n_rows, self.batch_size))
            sums.append(xp.sum(xp.concat(list(steps(params, batches, take)))))
        loss_sum = sum(map(float, sums))  # the only transfer from the device
        objective: float = (loss_sum + self.objective.penalty(params)) / self.weight_sum
        return objective

    def _gather(self, index: Array) -> Rows:
        """Rows in standardised units, with indicators as targets, in the dtype of the steps."""
        if self.ready is not None:
            return self.ready.take(index)
        rows = self.rows.take(index)
        X, xp = rows.block, namespace_of(rows.X)
        mean, scale = self.objective.standardization
        if rows.text:  # is centred by arithmetic, in the step
            X = scaled(X, scale).astype(self.dtype, copy=False)
        else:
            if mean is not None:
                X -= place(mean, X, X.dtype)
                X *= place(1.0 / np.asarray(scale), X, X.dtype)
            X = xp.astype(X, self.dtype, copy=False)
        weights = rows.sample_weight
        if weights is not None:
            weights = xp.astype(weights, self.dtype, copy=False)
        rows = rows._replace(X=X, sample_weight=weights)
        return rows._replace(y=rows.indicators(self.network))

    def _dense_steps(self, params: Array, batches: Iterable[Rows], take: Take) -> Iterator[Array]:
        """Make a step for each batch, each thread with a part of its rows; yield the losses."""
        network, layout, n_parts = self.network, self.network.layout, self.n_parts
        at, weights = layout.views(params), params[layout.weights]
        gradient, *others = self.vectors
        of_weights = gradient[layout.weights]
        for batch in batches:
            scale = self.n_rows / (batch.n_rows * self.weight_sum)
            if n_parts == 1:
                yield block_gradient(network, at, batch, self.gradients[0], scale)
            else:
                ranges = row_ranges(batch.n_rows, n_parts)
                parts = [batch.take(slice(r.start, r.stop)) for r in ranges]
                jobs = [
                    (network, at, part, view, scale)
                    for part, view in zip(parts, self.gradients, strict=True)
                ]
                yield from list(self.objective.threads.map(lambda job: block_gradient(*job), jobs))
                for other in others:
                    gradient += other
            of_weights += self.decay * weights
            take(Step(None, params, gradient))

    def _text_steps(self, params: Array, batches: Iterable[Rows], take: Take) -> Iterator[Array]:
        """Make a step for each batch, of the features that are in it; yield the losses."""
        for batch in batches:
            columns, X = compact(batch.X)
            selection = ColumnSelection(self.network.layout, columns)
            network = self.network._replace(layout=selection.selected)
            values = selection.take(params)
            vector = empty(values.shape, values)
            at, gradient = network.layout.views(values), network.layout.views(vector)
            center = self.center[columns]  # (X - center) W1 = X W1 - center W1
            centred = at._replace(b1=at.b1 - center @ at.W1)
            scale = self.n_rows / (batch.n_rows * self.weight_sum)
            yield block_gradient(network, centred, batch._replace(X=X), gradient, scale)
            if center.any():
                gradient.W1[...] -= center[:, None] * gradient.b1
            # share of the batch in the penalty of each of its features
            share = np.bincount(X.indices, minlength=len(columns)) / self.column_counts[columns]
            share = (share * (self.n_rows / batch.n_rows)).astype(self.dtype)[:, None]
            gradient.W1[...] += self.decay * share * at.W1
            gradient.W2[...] += self.decay * at.W2
            take(Step(selection, values, vector))


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
