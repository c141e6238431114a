"""What is done to the rows on a worker before training. Nothing here knows of Dask.

The rows come in blocks, the partitions of the user's collection, which are numbered. A worker
holds a run of consecutive ones, its shard.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from sk_mlp._backend.compat import check_sample_weight
from sk_mlp._data.data import Data, validate
from sk_mlp._data.moments import FeatureMoments

Block = tuple[Any, Any, Any]  # X, y and sample_weight (or None) of a partition, as they came
# By number; None for a block without a row of positive weight.
Shard = dict[int, Data | None]


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
    first: int, Xs: Sequence[Any], ys: Sequence[Any], sample_weights: Sequence[Any], anchored: None
) -> dict[int, Block]:
    """Put the blocks of a shard together, from number `first` on; no copy."""
    return dict(enumerate(zip(Xs, ys, sample_weights, strict=True), first))


def labels(blocks: dict[int, Block]) -> list[Labels]:
    """Find the labels of every block of a shard that has rows."""
    found = (in_block(number, _labels, *block) for number, block in blocks.items())
    return [of_block for of_block in found if of_block is not None]


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
    blocks: dict[int, Block],
    estimator: Any,
    classes: np.ndarray,
    class_weight: np.ndarray | None,
    dtype: Any,
) -> Shard:
    """Validate the blocks of a shard.

    Parameters
    ----------
    blocks : dict of int to Block
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

    return {number: in_block(number, data, *block) for number, block in blocks.items()}


def moments(shard: Shard, standardize: bool) -> list[FeatureMoments]:
    """Return the moments of the features in every block with rows."""
    return [data.moments(standardize=standardize) for data in shard.values() if data is not None]


def row_counts(shard: Shard) -> list[int]:
    """Return the number of rows in every block."""
    return [0 if data is None else data.X.shape[0] for data in shard.values()]


def every(shard: Shard, starts: Sequence[int], step: int) -> list[Data]:
    """Take every `step`-th row of each block with rows, from row ``starts[number]`` on."""
    return [
        data.take(np.arange(starts[number], data.X.shape[0], step))
        for number, data in shard.items()
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
