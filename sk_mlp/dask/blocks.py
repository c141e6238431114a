"""What runs on a worker: the sums over its rows. Nothing here knows of Dask.

The rows come in blocks, the partitions of the user's collection. A worker holds a run of
consecutive ones, its shard.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from sk_mlp._backend.compat import check_sample_weight
from sk_mlp._data.data import Data, validate
from sk_mlp._data.moments import FeatureMoments
from sk_mlp._network.network import Network
from sk_mlp._network.objective import RowSum

Block = tuple[Any, Any, Any]  # X, y and sample_weight (or None) of a partition, as they came


class Labels(NamedTuple):
    """Labels of a block.

    Attributes
    ----------
    n_rows : int
    is_sparse : bool
        True if X is sparse.
    multilabel : bool
    found : ndarray of shape (n_found,)
        Sorted labels; the column numbers if multilabel.
    totals : ndarray of shape (n_found,)
        Sample weight of each.
    weight : float
        Sample weight of the block.
    """

    n_rows: int
    is_sparse: bool
    multilabel: bool
    found: np.ndarray
    totals: np.ndarray
    weight: float


def in_block(number: int, function: Callable[..., Any], *args: Any) -> Any:
    """Call a function; its ValueError says which block it is about."""
    try:
        return function(*args)
    except (ValueError, TypeError) as error:
        raise ValueError(f"In block {number} of the data: {error}") from error


def anchor() -> None:
    """Compute nothing: a task whose state tells that of the tasks beside it."""


def collect(
    Xs: Sequence[Any], ys: Sequence[Any], sample_weights: Sequence[Any], anchored: None
) -> list[Block]:
    """Put the blocks of a shard together; no copy."""
    return list(zip(Xs, ys, sample_weights, strict=True))


def labels(blocks: list[Block], first: int) -> list[Labels | None]:
    """Find the labels of every block of a shard; None for a block without rows.

    Parameters
    ----------
    blocks : list of Block
    first : int
        Number of the first one among all blocks.
    """
    return [in_block(first + i, _labels, *block) for i, block in enumerate(blocks)]


def _labels(X: Any, y: Any, sample_weight: Any) -> Labels | None:
    n_rows = X.shape[0]
    for name, values in (("y", y), ("sample_weight", sample_weight)):
        if values is not None and values.shape[0] != n_rows:
            raise ValueError(f"X has {n_rows} rows, {name} has {values.shape[0]}.")
    if n_rows == 0:
        return None
    y, weights = _column(y), _weights(y, sample_weight)
    if weights is None:
        weights = np.ones(n_rows)
    check_classification_targets(y)
    multilabel = type_of_target(y).startswith("multilabel")
    if y.ndim > 1 and not multilabel:
        raise ValueError(f"y must be 1d or a multilabel indicator, got shape {y.shape}.")
    if multilabel:
        found, totals = np.arange(y.shape[1]), weights @ (y != 0)
    else:
        found, codes = np.unique(y, return_inverse=True)
        totals = np.bincount(codes, weights, minlength=len(found))
    return Labels(n_rows, sparse.issparse(X), multilabel, found, totals, float(weights.sum()))


def _column(y: Any, name: str = "y") -> np.ndarray:
    """Labels or weights as on one machine, from any container; one column is made 1d."""
    if not isinstance(y, np.ndarray):
        y = check_array(
            y,
            accept_sparse="csr",
            dtype=None,
            ensure_2d=False,
            ensure_min_samples=0,
            input_name=name,
        )
        y = y.toarray() if sparse.issparse(y) else y
    return np.asarray(y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y)


def _weights(y: Any, sample_weight: Any) -> np.ndarray | None:
    if sample_weight is None:
        return None
    sample_weight = _column(sample_weight, "sample_weight")
    if not sample_weight.any():  # all zero, which in one of many blocks is no error
        return np.zeros(len(sample_weight))
    return np.asarray(check_sample_weight(sample_weight, y, ensure_non_negative=True))


def encode(
    blocks: list[Block],
    first: int,
    estimator: Any,
    classes: np.ndarray,
    class_weight: np.ndarray | None,
    dtype: Any,
) -> list[Data | None]:
    """Validate the blocks of a shard; None for a block without a row of positive weight.

    Parameters
    ----------
    blocks : list of Block
    first : int
        Number of the first one among all blocks.
    estimator : estimator
        Knows the features that X must have, and no class weight.
    classes : ndarray of shape (n_classes,)
        Found in all blocks.
    class_weight : ndarray of shape (n_classes,) or None
    dtype : dtype
        Of X: that of a single block may differ.
    """

    def data(X: Any, y: Any, sample_weight: Any) -> Data | None:
        if X.shape[0] == 0:
            return None
        rows = validate(estimator, X, _column(y), None, classes, reset=False)
        weights = _weights(y, sample_weight)
        if class_weight is not None:
            factor = class_weight[np.searchsorted(classes, _column(y))]
            weights = factor if weights is None else weights * factor
        rows = rows._replace(X=rows.X.astype(dtype, copy=False), weights=weights)
        if weights is None or weights.all():
            return rows
        return rows.take(np.flatnonzero(weights)) if weights.any() else None

    return [in_block(first + i, data, *block) for i, block in enumerate(blocks)]


def moments(shard: list[Data | None], standardize: bool) -> list[FeatureMoments]:
    """Return the moments of the features in every block with rows."""
    return [data.moments(standardize=standardize) for data in shard if data is not None]


def row_counts(shard: list[Data | None]) -> list[int]:
    """Return the number of rows in every block."""
    return [0 if data is None else data.X.shape[0] for data in shard]


def every(shard: list[Data | None], starts: Sequence[int], step: int) -> list[Data]:
    """Take every `step`-th row of each block with rows, from its start on."""
    return [
        data.take(np.arange(start, data.X.shape[0], step))
        for start, data in zip(starts, shard, strict=True)
        if data is not None
    ]


def right_weight(estimator: Any, X: Any, y: Any, sample_weight: Any) -> tuple[float, float]:
    """Sample weight of the rows that are predicted right, and of all rows."""
    if X.shape[0] == 0:
        return 0.0, 0.0
    right = estimator.predict(X) == _column(y)
    right = right.all(axis=1) if right.ndim == 2 else right
    weights = _weights(y, sample_weight)
    weights = np.ones(len(right)) if weights is None else weights
    return float(weights @ right), float(weights.sum())


Span = tuple[int, int]  # blocks start:stop


def total(span: Span, known: dict[Span, np.ndarray]) -> np.ndarray:
    """Sum over a span of blocks, from the sums over the parts of it that are known.

    A span is halved until its parts are known. So the order of the additions, and with it
    every bit of the sum, depends on the blocks alone and not on who holds which of them.
    """
    if span in known:
        return known[span]
    start, stop = span
    middle = (start + stop) // 2
    return np.asarray(total((start, middle), known) + total((middle, stop), known))


def subtotals(held: Span, span: Span, known: dict[Span, np.ndarray]) -> dict[Span, np.ndarray]:
    """Add up the blocks held, to the fewest sums from which `total` can go on."""
    start, stop = span
    if held[1] <= start or stop <= held[0]:
        return {}
    if held[0] <= start and stop <= held[1]:
        return {span: total(span, known)}
    middle = (start + stop) // 2
    return subtotals(held, (start, middle), known) | subtotals(held, (middle, stop), known)


class ShardSums:
    """Sums over the rows of a shard; lives on a worker.

    Parameters
    ----------
    shard : list of Data or None
    held : tuple (start, stop)
        Which of all blocks they are.
    n_blocks : int
        Number of all blocks.
    network : Network
    n_threads : int
        Blocks to work on at a time.
    """

    def __init__(
        self,
        shard: list[Data | None],
        held: Span,
        n_blocks: int,
        network: Network,
        n_threads: int,
    ) -> None:
        self.blocks = [None if data is None else RowSum(network, data.rows()) for data in shard]
        self.held, self.n_blocks, self.n_threads = held, n_blocks, n_threads
        self.network = network

    def loss_gradient(self, params: np.ndarray) -> dict[Span, np.ndarray]:
        """Loss sum, weight sum and gradient sum as one vector, by spans of blocks."""

        def sums(number: int, block: RowSum) -> np.ndarray:
            loss, gradient, weight = block.loss_gradient(params)
            return np.concatenate([[loss, weight], gradient])

        return self._by_span(sums, 2 + len(params))

    def row_counts(self) -> dict[Span, np.ndarray]:
        """Rows of each of all blocks, those elsewhere as 0, by spans of blocks."""

        def counts(number: int, block: RowSum) -> np.ndarray:
            return np.where(np.arange(self.n_blocks) == number, block.rows.X.shape[0], 0)

        return self._by_span(counts, self.n_blocks)

    def unit_sums(
        self, params: np.ndarray, starts: np.ndarray, step: int
    ) -> dict[Span, np.ndarray]:
        """Weight, and sums of the hidden units and of their squares, by spans of blocks.

        Over every `step`-th row of each block, from row ``starts[number]`` on.
        """
        size = 1 + 2 * self.network.layout.hidden_units

        def sums(number: int, block: RowSum) -> np.ndarray:
            some = block.rows.take(slice(int(starts[number]), None, step))
            if some.X.shape[0] == 0:
                return np.zeros(size)
            return np.concatenate(
                [[some.weight_sum], *RowSum(self.network, some).unit_sums(params)]
            )

        return self._by_span(sums, size)

    def _by_span(
        self, function: Callable[[int, RowSum], np.ndarray], size: int
    ) -> dict[Span, np.ndarray]:
        def sums(number: int, block: RowSum | None) -> np.ndarray:
            return np.zeros(size) if block is None else function(number, block)

        with ThreadPoolExecutor(self.n_threads) as pool:
            of_block = dict(
                zip(
                    ((i, i + 1) for i in range(*self.held)),
                    pool.map(sums, range(*self.held), self.blocks),
                    strict=True,
                )
            )
        return subtotals(self.held, (0, self.n_blocks), of_block)
