"""The rows on the workers, each of which holds a run of consecutive blocks."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any, TypeVar

import dask
import numpy as np
from distributed import Future

from sk_mlp.dask.blocks import collect
from sk_mlp.dask.cluster import Cluster, StrandedError, WorkersLostError
from sk_mlp.dask.sums import Span

T = TypeVar("T")

RELOADS = 3  # of all rows in one step of a fit, after all workers were gone at one moment


def split_evenly(sizes: Sequence[float], n_shards: int) -> list[Span]:
    """Cut blocks into runs of nearly equal size; a run may not be empty."""
    ends = np.cumsum(sizes)
    middles = (ends - np.asarray(sizes) / 2) / ends[-1]
    shard_of = np.minimum((middles * n_shards).astype(int), n_shards - 1)
    cuts = np.flatnonzero(np.diff(shard_of, prepend=-1, append=n_shards))
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


def load(
    cluster: Cluster, parts: Sequence[Sequence[Any]], sizes: Sequence[float]
) -> dict[Span, Future]:
    """Compute the blocks, a run of consecutive ones on each worker.

    Parameters
    ----------
    cluster : Cluster
    parts : sequence of (Xs, ys, sample_weights)
        Each a list with a Delayed (or None) per block.
    sizes : sequence of float
        Of the blocks, in any unit.
    """
    workers = cluster.workers()
    put_together = dask.delayed(collect, pure=False)
    runs = {}
    for (start, stop), worker in zip(split_evenly(sizes, len(workers)), workers, strict=False):
        run = partial(put_together, start, *(part[start:stop] for part in parts))
        runs[start, stop] = cluster.submit_anchored(worker, run)
    return runs


class Shards:
    """Futures of all shards, which are loaded again should they all be lost at one moment.

    (If only some workers are lost, the scheduler computes their shards again by itself.)

    Parameters
    ----------
    cluster : Cluster
    load : callable () -> dict of Span to Future
    """

    def __init__(self, cluster: Cluster, load: Callable[[], dict[Span, Future]]) -> None:
        self.cluster, self.load = cluster, load
        self.futures: dict[Span, Future] = {}

    def use(self, function: Callable[[dict[Span, Future]], T]) -> T:
        """Call a function of the futures, and again if their tasks were stranded."""
        for _ in range(RELOADS):
            try:
                self.futures = self.futures or self.load()
                return function(self.futures)
            except StrandedError:
                self.futures = {}
                self.cluster.release()
        raise WorkersLostError(f"All workers were lost at one moment, {RELOADS} times.")

    def map(self, function: Callable[..., list[T]], *args: Any) -> list[T]:
        """Call ``function(shard, *args)`` beside each shard; join the lists that it returns."""

        def results(futures: dict[Span, Future]) -> list[list[T]]:
            calls = [self.cluster.submit(function, shard, *args) for shard in futures.values()]
            return self.cluster.gather(calls)

        return list(chain.from_iterable(self.use(results)))
