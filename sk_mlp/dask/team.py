"""All rows, as what an objective is summed over: sums by actors, each beside its shard.

A call to an actor costs a twentieth of a task. A shard is a future with a recipe, which the
scheduler computes again when its worker is lost; an actor is not computed again, so it is
replaced here.
"""

import contextlib
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from distributed import Future

from sk_mlp._backend.threads import SERIAL, Threads
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Rows
from sk_mlp.dask.cluster import POLL_SECONDS, WorkersLostError
from sk_mlp.dask.shards import Shards
from sk_mlp.dask.sums import ShardSums, Span, total

REPLACEMENTS = 3  # of the actor of one shard in one fit, as many as Dask retries a task


class Team:
    """The actors of a fit.

    A context manager: at its end the workers may forget the rows.

    Parameters
    ----------
    shards : Shards
        Of encoded rows.
    some : Rows
        Of which some two thousand are on the client.
    n_rows : int
    weight_sum : float
    """

    weight_unit = 1.0

    def __init__(self, shards: Shards, some: Rows, n_rows: int, weight_sum: float) -> None:
        self.rows, self.some, self.cluster = shards, some, shards.cluster
        self.n_rows, self.weight_sum = n_rows, weight_sum
        self.network: Network | None = None
        self.shards: dict[Span, Future] = {}  # that have an actor
        self.futures: dict[Span, Future] = {}
        self.actors: dict[Span, Any] = {}
        self.replaced: dict[Span, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        # a reference cycle in the actors would keep the data on the workers for a while
        if self.cluster.client.status == "running":
            self.cluster.client.cancel(list(self.futures.values()))

    def parts(self, network: Network, n_parts: int) -> list["Team"]:
        """Name the network of the actors; together they are one part."""
        self.network = self.network or network
        return [self]

    def threads(self, network: Network) -> contextlib.AbstractContextManager[Threads]:
        """Give one thread: the workers have their own."""
        return contextlib.nullcontext(SERIAL)

    def unit_deviations(self, network: Network, params: np.ndarray) -> np.ndarray:
        """Standard deviation of each hidden unit, over the rows that are on the client."""
        return self.some.unit_deviations(network, params)

    def loss_gradient(self, params: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Sum over all rows; see `RowSum.loss_gradient`."""
        sums = self.rows.use(lambda shards: self._sum(shards, params))
        return float(sums[0]), sums[2:].copy(), float(sums[1])

    def loss(self, params: np.ndarray) -> tuple[float, float]:
        """Loss sum and weight sum over all rows."""
        loss, _, weight = self.loss_gradient(params)
        return loss, weight

    def _sum(self, shards: dict[Span, Future], params: np.ndarray) -> np.ndarray:
        if shards is not self.shards:
            self._start(shards)
        calls = {held: self._call(held, params) for held in shards}
        known: dict[Span, np.ndarray] = {}
        for held, call in calls.items():
            known |= self._result(held, call, lambda h: self._call(h, params))
        return total((0, self._n_blocks()), known)

    def _call(self, held: Span, params: np.ndarray) -> Any:
        with contextlib.suppress(RuntimeError):  # its worker is known to be lost
            return self.actors[held].loss_gradient(params)
        return None

    def _result(self, held: Span, call: Any, repeat: Callable[[Span], Any]) -> Any:
        """Wait for the result of a call, by another actor if the one called is lost."""
        while True:
            try:
                if call is not None:
                    return call.result(timeout=POLL_SECONDS)
            except TimeoutError:
                self.cluster.check()
                if self.futures[held].status == "finished":
                    continue  # it is at work
            except OSError:
                self.cluster.check()
            self._replace(held)
            call = repeat(held)

    def _start(self, shards: dict[Span, Future]) -> None:
        """Start an actor beside each shard."""
        self.shards = shards
        self.cluster.wait(list(shards.values()))
        self.futures = {held: self._actor(held) for held in shards}
        actors = self.cluster.gather(list(self.futures.values()))
        self.actors = dict(zip(shards, actors, strict=True))
        self.replaced = dict.fromkeys(shards, 0)

    def _replace(self, held: Span) -> None:
        self.replaced[held] += 1
        if self.replaced[held] > REPLACEMENTS:
            raise WorkersLostError(f"{REPLACEMENTS} workers that held blocks {held} were lost.")
        self.cluster.wait([self.shards[held]])
        self.futures[held] = self._actor(held)
        self.actors[held] = self.cluster.gather([self.futures[held]])[0]

    def _actor(self, held: Span) -> Future:
        holders = self.cluster.holders(self.shards[held])
        return self.cluster.submit(
            ShardSums,
            self.shards[held],
            self._n_blocks(),
            self.network,
            max(holders.values(), default=1),
            actor=True,
            workers=list(holders) or None,  # an actor goes to where there are fewest otherwise
            allow_other_workers=bool(holders),
        )

    def _n_blocks(self) -> int:
        return max(stop for _, stop in self.shards)
