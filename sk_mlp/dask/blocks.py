"""What a worker computes of one block of rows: its labels, its validated data, its sums."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from distributed import get_worker
from scipy import sparse
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_array

from sk_mlp._backend.compat import check_sample_weight
from sk_mlp._data.data import Data, validate
from sk_mlp._data.moments import FeatureMoments
from sk_mlp._data.targets import encode
from sk_mlp._network.network import Network
from sk_mlp._network.objective import RowSum

Block = tuple[Any, Any, Any]  # X, y and sample_weight (or None), as they came


def labels(number: int, block: Block) -> tuple[np.ndarray, np.ndarray] | None:
    """Find the labels of a block and the weight of each; None if it has no rows.

    For multilabel y there is one row, the mean indicators.
    """
    X, y, sample_weight = block
    with _named(number):
        for name, values in (("y", y), ("sample_weight", sample_weight)):
            if values is not None and values.shape[0] != X.shape[0]:
                raise ValueError(f"X has {X.shape[0]} rows, {name} has {values.shape[0]}.")
        if X.shape[0] == 0:
            return None
        y = _column(y)
        weights = _weights(y, sample_weight)
        if type_of_target(y, input_name="y").startswith("multilabel"):
            total = weights.sum()
            mean = weights @ encode(y).encoded / (total or 1.0)
            return mean[None], total[None]
        target = encode(y, np.unique(y))
        totals = np.bincount(target.codes, weights, minlength=len(target.classes))
        return target.classes, totals


def validated(
    number: int, block: Block, estimator: Any, classes: np.ndarray, class_weight: Any, dtype: Any
) -> Data | None:
    """Validate and encode a block that has rows; None if all have weight zero.

    The estimator knows the features that X must have, and no class weight. The rest is that of all
    blocks: the classes, the weight of each, and the dtype of X.
    """
    X, y, sample_weight = block
    with _named(number):
        y = _column(y)
        data = validate(estimator, X, y, None, classes, reset=False)
        weights = None if sample_weight is None else _weights(y, sample_weight)
    if class_weight is not None:
        factor = class_weight[data.target.codes]
        weights = factor if weights is None else weights * factor
    data = data._replace(X=data.X.astype(dtype, copy=False), weights=weights)
    return data.weighted() if weights is None or weights.any() else None


def summary(data: Data | None, standardize: bool) -> tuple[int, FeatureMoments] | None:
    """Return the number of rows and the moments of the features."""
    return data and (data.X.shape[0], data.moments(standardize=standardize))


def every(data: Data, start: int, stride: int) -> Data:
    """Take every `stride`-th row."""
    return data.take(np.arange(start, data.X.shape[0], stride))


def sums(
    blocks: list[Data], network: Network, params: np.ndarray
) -> list[tuple[float, np.ndarray, float]]:
    """Sum over the rows of each block, by all threads; see `RowSum.loss_gradient`."""

    def of_block(data: Data) -> tuple[float, np.ndarray, float]:
        rows = data.rows()
        loss, gradient, weight_sum = RowSum(network, rows).loss_gradient(params)
        unit = rows.weight_unit  # of this block alone
        return loss * unit, gradient * unit, weight_sum * unit

    with ThreadPoolExecutor(get_worker().state.nthreads) as pool:
        return list(pool.map(of_block, blocks))


def right_weight(block: Block, estimator: Any) -> tuple[float, float]:
    """Return the sample weight of the rows that are predicted right, and of all rows."""
    X, y, sample_weight = block
    if X.shape[0] == 0:
        return 0.0, 0.0
    y = _column(y)
    right = estimator.predict(X) == y
    right = right.all(axis=1) if right.ndim == 2 else right
    weights = _weights(y, sample_weight)
    return float(weights @ right), float(weights.sum())


@contextlib.contextmanager
def _named(number: int) -> Iterator[None]:
    """Let an error say which block it is about."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise ValueError(f"In block {number} of the data: {error}") from error


def _column(y: Any, name: str = "y") -> np.ndarray:
    """Labels or weights as on one machine, from any container; one column is made 1d."""
    if not isinstance(y, np.ndarray):
        options = {"accept_sparse": "csr", "dtype": None, "ensure_2d": False}
        y = check_array(y, ensure_min_samples=0, input_name=name, **options)
        y = y.toarray() if sparse.issparse(y) else y
    return np.asarray(y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y)


def _weights(y: np.ndarray, sample_weight: Any) -> np.ndarray:
    """Sample weights, ones by default; of one block they may all be zero."""
    if sample_weight is not None:
        sample_weight = _column(sample_weight, "sample_weight")
        if not sample_weight.any():
            return np.zeros(len(y))
    return np.asarray(check_sample_weight(sample_weight, y, ensure_non_negative=True))
