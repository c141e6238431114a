"""From blocks as the user passed them to validated rows, and what the client learns of them.

For each shard, a worker computes `labels`, `validate_blocks`, `moments`, `row_counts` and
`every`; the client submits them and puts the results of all shards together.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, validate_data

from sk_mlp._backend.compat import check_sample_weight
from sk_mlp._classifier import TwoLayerMLPClassifier
from sk_mlp._data.data import Data, in_container, validate
from sk_mlp._data.moments import FeatureMoments
from sk_mlp._data.targets import Target, class_weights
from sk_mlp._network.objective import CONTRIBUTION_ROWS, Rows
from sk_mlp._training.alpha import SAMPLE_ROWS
from sk_mlp._training.training import TrainingSet
from sk_mlp.dask.cluster import Cluster
from sk_mlp.dask.collections import is_frame, row_of_zeros, row_partitions
from sk_mlp.dask.shards import Shards, load
from sk_mlp.dask.sums import ClusterRows

ALPHA_ROWS = 3 * SAMPLE_ROWS  # of which equal ones count once

Blocks = dict[int, tuple[Any, Any, Any]]  # X, y and sample_weight (or None), as they came
Shard = dict[int, Data]  # the blocks that have rows of positive weight


class Labels(NamedTuple):
    """Labels of a block, sorted (or columns if multilabel), and the sample weight of each."""

    n_rows: int
    is_sparse: bool
    multilabel: bool
    found: np.ndarray
    totals: np.ndarray
    weight: float  # of the block


def load_rows(
    cluster: Cluster, estimator: TwoLayerMLPClassifier, X: Any, y: Any, sample_weight: Any
) -> tuple[TrainingSet, Rows]:
    """Load and validate Dask collections on the workers; bring some two thousand rows here.

    The estimator gets ``n_features_in_`` and ``feature_names_in_``; its `class_weight` counts.
    """
    parts, sizes = row_partitions(X, y, sample_weight)
    features = X._meta if is_frame(X) else np.empty((0, X.shape[1]))
    unweighted = TwoLayerMLPClassifier()  # validates blocks, which cannot know class weights
    for knowing in (estimator, unweighted):
        validate_data(knowing, features, skip_check_array=True)
    raw = Shards(cluster, partial(load, cluster, parts, sizes))
    found = raw.map(labels)
    dtype = check_array(row_of_zeros(X), dtype=[np.float64, np.float32]).dtype
    classes, factors = summarize(found, estimator.class_weight, np.empty((0, X.shape[1]), dtype))
    shards = raw.then(validate_blocks, unweighted, classes.target.classes, factors, dtype)
    of_all = reduce(FeatureMoments.merge, shards.map(moments, estimator.standardize))
    few = sample(shards, lambda n_rows: max(1, n_rows // CONTRIBUTION_ROWS)).rows()
    rows = ClusterRows(shards, few, sum(block.n_rows for block in found), of_all.weight)
    some = partial(sample, shards, lambda n_rows: math.ceil(n_rows / ALPHA_ROWS))
    return TrainingSet(classes, rows, of_all, some), few


def sample(shards: Shards, step: Callable[[int], int]) -> Data:
    """Bring every k-th row of positive weight to the client, with k = step(number of rows).

    Which ones depends on the blocks alone, and not on who holds them.
    """
    counts = dict(shards.map(row_counts))
    stride = step(sum(counts.values()))
    before = np.cumsum([0, *counts.values()])[:-1]
    starts = dict(zip(counts, (-before % stride).tolist(), strict=True))
    return _concatenated(shards.map(every, starts, stride))


def _concatenated(blocks: Sequence[Data]) -> Data:
    Xs = [data.X for data in blocks]
    is_text = False
    if any(sparse.issparse(X) for X in Xs):
        X, is_text = in_container(sparse.vstack([sparse.csr_matrix(X) for X in Xs], format="csr"))
    else:
        X = np.concatenate(Xs)
    weights = None
    if any(data.weights is not None for data in blocks):
        weights = np.concatenate(
            [np.ones(d.X.shape[0]) if d.weights is None else d.weights for d in blocks]
        )
    encoded = np.concatenate([data.target.encoded for data in blocks])
    return Data(X, blocks[0].target._replace(encoded=encoded), weights, is_text=is_text)


def summarize(
    blocks: Sequence[Labels], class_weight: Any, X: np.ndarray
) -> tuple[Data, np.ndarray | None]:
    """Return data that have the layout and the log-odds of all rows, and each class's weight.

    The data are the X given, without rows, and a row of targets for each class, with the weight
    of the class; for multilabel targets one row, with the share of each label.
    """
    if not blocks:
        raise ValueError("X has no rows.")
    for kind in ("is_sparse", "multilabel"):
        if len({getattr(block, kind) for block in blocks}) > 1:
            raise ValueError(f"All blocks must be alike, but {kind} differs between them.")
    if blocks[0].multilabel:
        if class_weight is not None:
            raise ValueError(f"class_weight must be None for multilabel y, got {class_weight!r}.")
        weight = sum(block.weight for block in blocks)
        if weight == 0:
            raise ValueError("sample_weight is zero for every sample.")
        share = np.sum([block.totals for block in blocks], axis=0) / weight
        return Data(X, Target(blocks[0].found, True, share[None]), None), None
    classes = np.unique(np.concatenate([block.found for block in blocks]))
    if len(classes) < 2:
        label = classes.tolist()[0]
        raise ValueError(f"y must have at least two classes, got the one class {label!r}.")
    totals = np.zeros(len(classes))
    for block in blocks:
        totals[np.searchsorted(classes, block.found)] += block.totals
    if not totals.any():
        raise ValueError("sample_weight is zero for every sample.")
    codes = np.arange(len(classes))
    target = Target(classes, False, codes[:, None] == 1 if len(classes) == 2 else codes)
    weights = class_weights(class_weight, target, totals).rows(target, totals)
    data = Data(X, target, weights)
    if class_weight is None or weights is None:
        return data, None
    return data, np.divide(weights, totals, out=np.zeros(len(totals)), where=totals > 0)


def labels(blocks: Blocks) -> list[Labels]:
    """Find the labels of every block that has rows."""
    return [of_block for _, of_block in _for_each(blocks, _labels)]


def validate_blocks(
    blocks: Blocks,
    estimator: Any,
    classes: np.ndarray,
    class_weight: np.ndarray | None,
    dtype: Any,
) -> Shard:
    """Validate and encode blocks.

    Parameters
    ----------
    blocks : dict of int to (X, y, sample_weight)
    estimator : estimator
        Knows the features that X must have, and no class weight.
    classes : ndarray of shape (n_classes,)
        Found in all blocks.
    class_weight : ndarray of shape (n_classes,) or None
    dtype : dtype
        Of X: that of a single block may differ.
    """

    def data(X: Any, y: Any, sample_weight: Any) -> Data | None:
        rows = validate(estimator, X, _column(y), None, classes, reset=False)
        weights = _weights(y, sample_weight)
        if class_weight is not None:
            factor = class_weight[np.searchsorted(classes, _column(y))]
            weights = factor if weights is None else weights * factor
        rows = rows._replace(X=rows.X.astype(dtype, copy=False), weights=weights)
        return rows.weighted() if weights is None or weights.any() else None

    return {number: rows for number, rows in _for_each(blocks, data) if rows is not None}


def moments(shard: Shard, standardize: bool) -> list[FeatureMoments]:
    """Return the moments of the features in every block."""
    return [data.moments(standardize=standardize) for data in shard.values()]


def row_counts(shard: Shard) -> list[tuple[int, int]]:
    """Return the number of every block and of its rows."""
    return [(number, data.X.shape[0]) for number, data in shard.items()]


def every(shard: Shard, starts: dict[int, int], stride: int) -> list[Data]:
    """Take every `stride`-th row of each block, from row ``starts[number]`` on."""
    return [
        data.take(np.arange(starts[number], data.X.shape[0], stride))
        for number, data in shard.items()
    ]


def right_weight(estimator: Any, X: Any, y: Any, sample_weight: Any) -> tuple[float, float]:
    """Return the sample weight of the rows that are predicted right, and of all rows."""
    if X.shape[0] == 0:
        return 0.0, 0.0
    right = estimator.predict(X) == _column(y)
    right = right.all(axis=1) if right.ndim == 2 else right
    weights = _weights(y, sample_weight)
    weights = np.ones(len(right)) if weights is None else weights
    return float(weights @ right), float(weights.sum())


def _for_each(blocks: Blocks, function: Callable[..., Any]) -> Iterator[tuple[int, Any]]:
    """Call a function for each block that has rows; its ValueError says for which."""
    for number, (X, y, sample_weight) in blocks.items():
        try:
            for name, values in (("y", y), ("sample_weight", sample_weight)):
                if values is not None and values.shape[0] != X.shape[0]:
                    raise ValueError(f"X has {X.shape[0]} rows, {name} has {values.shape[0]}.")
            if X.shape[0] > 0:
                yield number, function(X, y, sample_weight)
        except (ValueError, TypeError) as error:
            raise ValueError(f"In block {number} of the data: {error}") from error


def _labels(X: Any, y: Any, sample_weight: Any) -> Labels:
    y, weights = _column(y), _weights(y, sample_weight)
    if weights is None:
        weights = np.ones(X.shape[0])
    check_classification_targets(y)
    multilabel = type_of_target(y).startswith("multilabel")
    if y.ndim > 1 and not multilabel:
        raise ValueError(f"y must be 1d or a multilabel indicator, got shape {y.shape}.")
    if multilabel:
        found, totals = np.arange(y.shape[1]), weights @ (y != 0)
    else:
        found, codes = np.unique(y, return_inverse=True)
        totals = np.bincount(codes, weights, minlength=len(found))
    weight = float(weights.sum())
    return Labels(X.shape[0], sparse.issparse(X), multilabel, found, totals, weight)


def _column(y: Any, name: str = "y") -> np.ndarray:
    """Labels or weights as on one machine, from any container; one column is made 1d."""
    if not isinstance(y, np.ndarray):
        options = {"accept_sparse": "csr", "dtype": None, "ensure_2d": False}
        y = check_array(y, ensure_min_samples=0, input_name=name, **options)
        y = y.toarray() if sparse.issparse(y) else y
    return np.asarray(y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y)


def _weights(y: Any, sample_weight: Any) -> np.ndarray | None:
    if sample_weight is None:
        return None
    sample_weight = _column(sample_weight, "sample_weight")
    if not sample_weight.any():  # all zero, which in one of many blocks is no error
        return np.zeros(len(sample_weight))
    return np.asarray(check_sample_weight(sample_weight, y, ensure_non_negative=True))
