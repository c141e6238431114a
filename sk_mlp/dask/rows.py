"""From Dask collections to validated rows on the workers, and what the client knows of them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from distributed import Future
from scipy import sparse
from sklearn.utils.validation import check_array, validate_data

from sk_mlp._classifier import TwoLayerMLPClassifier
from sk_mlp._data.data import Data, in_container
from sk_mlp._data.moments import FeatureMoments
from sk_mlp._data.targets import Target, class_weights
from sk_mlp.dask.blocks import Labels, encode, every, labels, moments, row_counts
from sk_mlp.dask.cluster import Cluster
from sk_mlp.dask.collections import is_frame, row_of_zeros, row_partitions
from sk_mlp.dask.shards import Shards, load
from sk_mlp.dask.sums import Span


class Rows(NamedTuple):
    """Rows that are held by the workers of a cluster.

    Attributes
    ----------
    shards : Shards
        Of encoded blocks.
    n_rows : int
    moments : FeatureMoments
    classes : Data
        One row without features for each class, with the weight of the class; for multilabel
        targets one row with the share of each label. It has the layout and the log-odds of
        all rows.
    """

    shards: Shards
    n_rows: int
    moments: FeatureMoments
    classes: Data


def place_rows(
    cluster: Cluster, estimator: TwoLayerMLPClassifier, X: Any, y: Any, sample_weight: Any
) -> Rows:
    """Load, validate and encode the rows on the workers, where they stay.

    Parameters
    ----------
    cluster : Cluster
    estimator : TwoLayerMLPClassifier
        Gets ``n_features_in_`` and ``feature_names_in_``; its `class_weight` counts.
    X, y, sample_weight : dask collections
    """
    parts, sizes = row_partitions(X, y, sample_weight)
    features = X._meta if is_frame(X) else np.empty((0, X.shape[1]))
    unweighted = TwoLayerMLPClassifier()  # validates blocks, which cannot know class weights
    for knowing in (estimator, unweighted):
        validate_data(knowing, features, skip_check_array=True)
    raw = Shards(cluster, lambda: load(cluster, parts, sizes))
    found = raw.map(labels)
    dtype = check_array(row_of_zeros(X), dtype=[np.float64, np.float32]).dtype
    classes, factor = summarize(found, estimator.class_weight, np.empty((0, X.shape[1]), dtype))
    options = (unweighted, classes.target.classes, factor, dtype)

    def encoded() -> dict[Span, Future]:
        runs = raw.futures or raw.load()
        raw.futures = {}  # the scheduler keeps their recipes
        return {held: cluster.submit(encode, run, *options) for held, run in runs.items()}

    shards = Shards(cluster, encoded)
    first, *rest = shards.map(moments, estimator.standardize)
    for of_block in rest:
        first = first.merge(of_block)
    return Rows(shards, sum(block.n_rows for block in found), first, classes)


def sample(rows: Rows, step: Callable[[int], int]) -> Data:
    """Bring some of the rows to the client, at one stride over all blocks.

    Which ones depends on the partitions alone, and not on who holds them.

    Parameters
    ----------
    rows : Rows
    step : callable (n_rows) -> int
        The stride, for the number of rows of positive weight.
    """
    counts = np.array(rows.shards.map(row_counts))
    stride = step(int(counts.sum()))
    starts = (-(np.cumsum(counts) - counts) % stride).tolist()
    return _concatenated(rows.shards.map(every, starts, stride))


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
    """Classes of all blocks, as `Rows.classes`, and the class weight of each.

    Parameters
    ----------
    blocks : sequence of Labels
    class_weight : dict, "balanced" or None
    X : ndarray of shape (0, n_features)
        In the dtype of the data.

    Raises
    ------
    ValueError
        If there are no rows, or their labels or weights cannot be used.
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
