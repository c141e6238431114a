"""All rows of Dask collections: what the client knows of them, and sums over them."""

import contextlib
import math
from collections.abc import Sequence
from functools import partial, reduce
from itertools import chain
from typing import Any

import numpy as np
from distributed import Future
from scipy import sparse
from sklearn.utils.validation import check_array, validate_data

from sk_mlp._backend.threads import SERIAL, Threads
from sk_mlp._classifier import TwoLayerMLPClassifier
from sk_mlp._data.data import Data, in_container
from sk_mlp._data.moments import FeatureMoments
from sk_mlp._data.targets import Target, class_weights, encode
from sk_mlp._network.network import Network
from sk_mlp._network.objective import CONTRIBUTION_ROWS, Rows
from sk_mlp._training.alpha import SAMPLE_ROWS
from sk_mlp._training.training import TrainingSet
from sk_mlp.dask import blocks as of_block
from sk_mlp.dask.cluster import Cluster
from sk_mlp.dask.collections import row_of_zeros, row_partitions

ALPHA_ROWS = 3 * SAMPLE_ROWS  # of which equal ones count once


def load_rows(
    cluster: Cluster, estimator: TwoLayerMLPClassifier, X: Any, y: Any, sample_weight: Any
) -> tuple[TrainingSet, Rows]:
    """Load and validate Dask collections on the workers; bring some two thousand rows here.

    The estimator gets ``n_features_in_`` and ``feature_names_in_``; its `class_weight` counts.
    """
    classes, blocks = _validated(cluster, estimator, X, y, sample_weight)
    found = cluster.call(of_block.summary, blocks, standardize=estimator.standardize)
    blocks = [block for block, some in zip(blocks, found, strict=True) if some]
    counts, moments = zip(*filter(None, found), strict=True)
    of_all = reduce(FeatureMoments.merge, moments)
    rows = ClusterRows(cluster, blocks, counts, of_all.weight)
    sample = partial(rows.sample, math.ceil(rows.n_rows / ALPHA_ROWS))
    return TrainingSet(classes, rows, of_all, sample), rows.some


def _validated(
    cluster: Cluster, estimator: TwoLayerMLPClassifier, X: Any, y: Any, sample_weight: Any
) -> tuple[Data, list[Future]]:
    """Return what `summarize` does, and the validated blocks."""
    raw = cluster.load(row_partitions(X, y, sample_weight))
    zeros = row_of_zeros(X)
    unweighted = TwoLayerMLPClassifier()  # validates blocks, which cannot know class weights
    for knowing in (estimator, unweighted):
        validate_data(knowing, zeros, skip_check_array=True)
    dtype = check_array(zeros, dtype=[np.float64, np.float32]).dtype
    found = cluster.call(of_block.labels, range(len(raw)), raw)
    numbers = [number for number, some in enumerate(found) if some]
    classes = summarize([found[number] for number in numbers], estimator.class_weight)
    blocks = cluster.map(
        of_block.validated,
        numbers,
        [raw[number] for number in numbers],
        estimator=unweighted,
        classes=classes.target.classes,
        class_weight=classes.class_weights.factors,
        dtype=dtype,
    )
    return classes._replace(X=np.empty((0, X.shape[1]), dtype)), blocks


def summarize(found: Sequence[tuple[np.ndarray, np.ndarray]], class_weight: Any) -> Data:
    """Return data, without features, that have the classes and the log-odds of all rows."""
    if not found:
        raise ValueError("X has no rows.")
    y, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if not weights.any():
        raise ValueError("sample_weight is zero for every sample.")
    if y.ndim == 1:
        target = encode(y)
    elif class_weight is None:
        target = Target(np.arange(y.shape[1]), True, y)
    else:
        raise ValueError(f"class_weight must be None for multilabel y, got {class_weight!r}.")
    by_class = class_weights(class_weight, target, weights)
    return Data(np.empty((0, 0)), target, by_class.rows(target, weights), by_class)


class ClusterRows:
    """All rows, as what an `Objective` is summed over: futures of Data, and the rows of each."""

    weight_unit = 1.0

    def __init__(
        self, cluster: Cluster, blocks: list[Future], counts: Sequence[int], weight_sum: float
    ) -> None:
        self.cluster, self.blocks, self.counts = cluster, blocks, counts
        self.n_rows, self.weight_sum = sum(counts), weight_sum
        self.some = self.sample(max(1, self.n_rows // CONTRIBUTION_ROWS)).rows()
        self.network: Network | None = None

    def sample(self, stride: int) -> Data:
        """Bring every `stride`-th row to the client."""
        starts = -np.cumsum([0, *self.counts[:-1]]) % stride
        some = self.cluster.call(of_block.every, self.blocks, starts.tolist(), stride=stride)
        Xs, is_text = [data.X for data in some], False
        if any(sparse.issparse(X) for X in Xs):
            X = sparse.vstack([sparse.csr_matrix(X) for X in Xs], format="csr")
            X, is_text = in_container(X)
        else:
            X = np.concatenate(Xs)
        encoded = np.concatenate([data.target.encoded for data in some])
        weights = None  # those of no block or of all
        if some[0].weights is not None:
            weights = np.concatenate([data.weights for data in some])
        return Data(X, some[0].target._replace(encoded=encoded), weights, is_text=is_text)

    def parts(self, network: Network, n_parts: int) -> list["ClusterRows"]:
        """Set the network; the rows are one part."""
        self.network = network
        return [self]

    def threads(self, network: Network) -> contextlib.AbstractContextManager[Threads]:
        """Give one thread: the workers have their own."""
        return contextlib.nullcontext(SERIAL)

    def unit_deviations(self, network: Network, params: np.ndarray) -> np.ndarray:
        """Standard deviation of each hidden unit, over the rows that are on the client."""
        return self.some.unit_deviations(network, params)

    def loss(self, params: np.ndarray) -> tuple[float, float]:
        """Loss sum and weight sum over all rows."""
        loss, _, weight = self.loss_gradient(params)
        return loss, weight

    def loss_gradient(self, params: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Sum over all rows, in the order of the blocks; see `RowSum.loss_gradient`."""
        held = self.cluster.by_worker(self.blocks)
        groups = [[self.blocks[number] for number in numbers] for numbers in held]
        sums = self.cluster.call(of_block.sums, groups, network=self.network, params=params)
        by_number = dict(zip(chain(*held), chain(*sums), strict=True))
        in_order = (by_number[number] for number in range(len(self.blocks)))
        loss, gradient, weight = zip(*in_order, strict=True)
        return sum(loss), np.asarray(sum(gradient)), sum(weight)
