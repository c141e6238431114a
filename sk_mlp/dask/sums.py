"""The objective of all rows: sums by actors, each on the worker that holds a shard.

A call of an actor costs a twentieth of a task. If a worker is lost, the scheduler computes its
shard again, but not its actor, which is replaced here.
"""

import contextlib
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from distributed import Future

from sk_mlp._backend.threads import SERIAL, Threads
from sk_mlp._data.data import Data
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Rows, RowSum
from sk_mlp.dask.cluster import POLL_SECONDS, WorkersLostError
from sk_mlp.dask.shards import Shards, Span

REPLACEMENTS = 3  # of the actor of one shard in one fit, as many as Dask retries a task


def span_sum(span: Span, known: dict[Span, np.ndarray]) -> np.ndarray:
    """Sum over a span of blocks, from the known sums over parts of it.

    A span is halved until its parts are known. So the order of the additions, and with it
    every bit of the sum, depends on the blocks alone and not on who holds which of them.
    """
    if span in known:
        return known[span]
    start, stop = span
    middle = (start + stop) // 2
    return np.asarray(span_sum((start, middle), known) + span_sum((middle, stop), known))


def partial_sums(held: Span, span: Span, known: dict[Span, np.ndarray]) -> dict[Span, np.ndarray]:
    """Add up the blocks held, to the fewest sums from which `span_sum` can go on."""
    start, stop = span
    if held[1] <= start or stop <= held[0]:
        return {}
    if held[0] <= start and stop <= held[1]:
        return {span: span_sum(span, known)}
    middle = (start + stop) // 2
    return partial_sums(held, (start, middle), known) | partial_sums(held, (middle, stop), known)


class ShardSums:
    """Actor: sums over the rows of a shard.

    Parameters
    ----------
    shard : dict of int to Data
        Its blocks that have rows.
    span : Span
        All of its blocks.
    n_blocks : int
        Number of blocks of all shards.
    network : Network
    n_threads : int
        Number of blocks to work on at a time.
    """

    def __init__(
        self, shard: dict[int, Data], span: Span, n_blocks: int, network: Network, n_threads: int
    ) -> None:
        self.blocks = {number: RowSum(network, data.rows()) for number, data in shard.items()}
        self.span, self.n_blocks, self.n_threads = span, n_blocks, n_threads

    def loss_gradient(self, params: np.ndarray) -> dict[Span, np.ndarray]:
        """Loss sum, weight sum and gradient sum as one vector, by spans of blocks."""

        def sums(number: int) -> np.ndarray:
            if number not in self.blocks:
                return np.zeros(2 + len(params))
            loss, gradient, weight = self.blocks[number].loss_gradient(params)
            return np.concatenate([[loss, weight], gradient])

        numbers = range(*self.span)
        with ThreadPoolExecutor(self.n_threads) as pool:
            by_block = zip(numbers, pool.map(sums, numbers), strict=True)
            known = {(number, number + 1): total for number, total in by_block}
        return partial_sums(self.span, (0, self.n_blocks), known)


class ClusterRows:
    """All rows, as what an `Objective` is summed over.

    Parameters
    ----------
    shards : Shards
        Of dicts of numbers to Data.
    some : Rows
        Some two thousand of the rows, which are on the client.
    n_rows : int
    weight_sum : float
    """

    weight_unit = 1.0

    def __init__(self, shards: Shards, some: Rows, n_rows: int, weight_sum: float) -> None:
        self.shards, self.some, self.cluster = shards, some, shards.cluster
        self.n_rows, self.weight_sum = n_rows, weight_sum
        self.network: Network | None = None
        self.loaded: dict[Span, Future] = {}  # the shards that have these actors
        self.futures: dict[Span, Future] = {}  # of the actors
        self.actors: dict[Span, Any] = {}
        self.replaced: Counter[Span] = Counter()

    def parts(self, network: Network, n_parts: int) -> list["ClusterRows"]:
        """Set the network of the actors; together they are one part."""
        self.network = self.network or network
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
        """Sum over all rows; see `RowSum.loss_gradient`."""
        sums = self.shards.call(lambda futures: self._sum(futures, params))
        return float(sums[0]), sums[2:].copy(), float(sums[1])

    def _sum(self, shards: dict[Span, Future], params: np.ndarray) -> np.ndarray:
        if shards is not self.loaded:
            self.loaded, self.replaced = shards, Counter()
            self._start_actors(shards)
        calls = {span: self._call(span, params) for span in shards}
        known: dict[Span, np.ndarray] = {}
        for span, call in calls.items():
            known |= self._result(span, call, params)
        return span_sum((0, self._n_blocks()), known)

    def _call(self, span: Span, params: np.ndarray) -> Any:
        with contextlib.suppress(RuntimeError):  # its worker is known to be lost
            return self.actors[span].loss_gradient(params)
        return None

    def _result(self, span: Span, call: Any, params: np.ndarray) -> dict[Span, np.ndarray]:
        """Wait for the result of a call, by another actor if the one called is lost."""
        while True:
            try:
                if call is not None:
                    return call.result(timeout=POLL_SECONDS)  # type: ignore[no-any-return]
            except TimeoutError:
                self.cluster.check()
                if self.futures[span].status == "finished":
                    continue  # it is at work
            except OSError:
                self.cluster.check()
            self.replaced[span] += 1
            if self.replaced[span] > REPLACEMENTS:
                raise WorkersLostError(f"{REPLACEMENTS} workers that held blocks {span} were lost.")
            self._start_actors([span])
            call = self._call(span, params)

    def _start_actors(self, spans: Iterable[Span]) -> None:
        """Start an actor where each of these shards is, in place of the one it had."""
        shards = {span: self.loaded[span] for span in spans}
        self.cluster.wait(list(shards.values()))
        for span, shard in shards.items():
            args = (span, self._n_blocks(), self.network)
            self.futures[span] = self.cluster.submit_actor(ShardSums, shard, *args)
        actors = self.cluster.gather([self.futures[span] for span in shards])
        self.actors |= dict(zip(shards, actors, strict=True))

    def _n_blocks(self) -> int:
        return max(stop for _, stop in self.loaded)
