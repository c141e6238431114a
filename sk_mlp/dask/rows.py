"""From Dask collections to validated rows on the workers, and what the client knows of them."""

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from distributed import Future
from scipy import sparse
from sklearn.utils.validation import check_array, validate_data

from sk_mlp._classifier import TwoLayerMLPClassifier
from sk_mlp._data.data import Data, in_container
from sk_mlp._data.moments import FeatureMoments
from sk_mlp._data.targets import Target, class_weights
from sk_mlp.dask.blocks import Labels, Span, encode, every, labels, moments, row_counts
from sk_mlp.dask.cluster import Cluster, StrandedError
from sk_mlp.dask.collections import is_frame, row_of_zeros, row_partitions


class Rows(NamedTuple):
    """Rows that are held by the workers of a cluster.

    Attributes
    ----------
    shards : dict of Span to Future
        A list of Data (or None) for each run of consecutive blocks.
    reload : callable () -> dict of Span to Future
        Loads the shards again, should all be lost at once.
    n_rows : int
    moments : FeatureMoments
    classes : Data
        One row without features for each class, with the weight of the class; for multilabel
        targets one row with the share of each label. It has the layout and the log-odds of
        all rows.
    """

    shards: dict[Span, Future]
    reload: Callable[[], dict[Span, Future]]
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
    blocks: dict[Span, Future] = {}

    def find_labels() -> list[Labels]:
        blocks.update(cluster.load(parts, sizes))
        futures = [cluster.submit(labels, f, held[0]) for held, f in blocks.items()]
        return [block for block in _chained(cluster, futures) if block is not None]

    def encoded() -> dict[Span, Future]:
        runs = blocks.copy() or cluster.load(parts, sizes)
        blocks.clear()  # the scheduler keeps their recipes
        return {held: cluster.submit(encode, f, held[0], *options) for held, f in runs.items()}

    def find_moments() -> tuple[dict[Span, Future], list[FeatureMoments]]:
        shards = encoded()
        standardize = estimator.standardize
        futures = [cluster.submit(moments, shard, standardize) for shard in shards.values()]
        return shards, _chained(cluster, futures)

    found = cluster.again_if_stranded(find_labels)
    dtype = check_array(row_of_zeros(X), dtype=[np.float64, np.float32]).dtype
    classes, factor = summarize(found, estimator.class_weight, np.empty((0, X.shape[1]), dtype))
    options = (unweighted, classes.target.classes, factor, dtype)
    shards, (first, *rest) = cluster.again_if_stranded(find_moments)
    for of_block in rest:
        first = first.merge(of_block)
    return Rows(shards, encoded, sum(block.n_rows for block in found), first, classes)


def _chained(cluster: Cluster, futures: Sequence[Future]) -> list[Any]:
    return list(chain.from_iterable(cluster.gather(futures)))


def sample(cluster: Cluster, rows: Rows, n_rows: int) -> Data:
    """Bring some of the rows to the client, at one stride over all blocks.

    Which ones depends on the partitions alone, and not on who holds them.

    Parameters
    ----------
    cluster : Cluster
    rows : Rows
        Loaded again if all shards are lost.
    n_rows : int
        At the most.
    """

    def counted() -> list[int]:
        futures = [cluster.submit(row_counts, shard) for shard in rows.shards.values()]
        return _chained(cluster, futures)

    def taken() -> list[Data]:
        if not rows.shards:
            rows.shards.update(rows.reload())
        try:
            counts = np.array(counted())
            step = math.ceil(counts.sum() / n_rows)
            starts = (-(np.cumsum(counts) - counts) % step).tolist()
            futures = [
                cluster.submit(every, shard, starts[slice(*held)], step)
                for held, shard in rows.shards.items()
            ]
            return _chained(cluster, futures)
        except StrandedError:
            rows.shards.clear()
            raise

    return _concatenated(cluster.again_if_stranded(taken))


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
