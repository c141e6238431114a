"""Who holds the rows: each worker a shard, which is a run of consecutive blocks.

Blocks are the partitions of the user's collections, numbered from 0.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any, TypeVar

import dask
import numpy as np
from distributed import Future

from sk_mlp.dask.cluster import Cluster, StrandedError, WorkersLostError

T = TypeVar("T")
Span = tuple[int, int]  # blocks start:stop

RELOADS = 3  # of all rows in one step of a fit, after all workers were gone at one moment


def split_evenly(sizes: Sequence[float], n_shards: int) -> list[Span]:
    """Cut blocks of these sizes, in any unit, into at most `n_shards` spans of about equal size."""
    ends = np.cumsum(sizes)
    middles = (ends - np.asarray(sizes) / 2) / ends[-1]
    shard_of = np.minimum((middles * n_shards).astype(int), n_shards - 1)
    cuts = np.flatnonzero(np.diff(shard_of, prepend=-1, append=n_shards))
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


def load(cluster: Cluster, parts: Sequence[Any], sizes: Sequence[float]) -> dict[Span, Future]:
    """Compute a shard on each worker, a dict of numbers to blocks; see `row_partitions`."""
    workers = cluster.workers()
    numbered = dask.delayed(_numbered, pure=False)
    shards = {}
    for span, worker in zip(split_evenly(sizes, len(workers)), workers, strict=False):
        lazy = partial(numbered, span[0], parts[slice(*span)])
        shards[span] = cluster.submit_anchored(worker, lazy)
    return shards


def _numbered(first: int, blocks: Sequence[Any], anchor: None) -> dict[int, Any]:
    return dict(enumerate(blocks, first))


class Shards:
    """Futures of all shards, which are loaded again if they are all lost at one moment.

    If only some workers are lost, the scheduler computes their shards again by itself.

    Parameters
    ----------
    cluster : Cluster
    load : callable () -> dict of Span to Future
    """

    def __init__(self, cluster: Cluster, load: Callable[[], dict[Span, Future]]) -> None:
        self.cluster, self.load = cluster, load
        self.futures: dict[Span, Future] = {}

    def then(self, function: Callable[..., Any], *args: Any) -> "Shards":
        """Return the shards ``function(shard, *args)``; the workers forget those of `self`."""

        def load() -> dict[Span, Future]:
            shards = self.futures or self.load()
            self.futures = {}  # the scheduler keeps their recipes
            return {
                span: self.cluster.submit(function, shard, *args) for span, shard in shards.items()
            }

        return Shards(self.cluster, load)

    def call(self, function: Callable[[dict[Span, Future]], T]) -> T:
        """Call a function with the futures, and again if their tasks were stranded."""
        for _ in range(RELOADS):
            try:
                self.futures = self.futures or self.load()
                return function(self.futures)
            except StrandedError:
                self.futures = {}
                self.cluster.release()
        raise WorkersLostError(f"All workers were lost at one moment, {RELOADS} times.")

    def map(self, function: Callable[..., list[T]], *args: Any) -> list[T]:
        """Call ``function(shard, *args)`` where each shard is; join the lists that it returns."""

        def results(futures: dict[Span, Future]) -> list[list[T]]:
            calls = [self.cluster.submit(function, shard, *args) for shard in futures.values()]
            return self.cluster.gather(calls)

        return list(chain.from_iterable(self.call(results)))
