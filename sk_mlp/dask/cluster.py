"""What runs on the client: where the rows are held, how sums are asked for, what may fail.

Every shard is a future with a recipe, so that the scheduler computes it again when its worker
is lost. The sums over it are taken by an actor beside it, because a call to an actor costs a
twentieth of a task; an actor is not computed again, so it is replaced here.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any, Self

import dask
import numpy as np
from dask.utils import format_bytes, parse_timedelta
from distributed import Client, Future, KilledWorker, wait

from sk_mlp._backend.threads import SERIAL, Threads
from sk_mlp._network.network import Network
from sk_mlp._network.objective import deviation
from sk_mlp.dask.blocks import ShardSums, Span, collect, total

POLL_SECONDS = 1.0
STALL_SECONDS = 60.0  # without any worker that accepts work
REPLACEMENTS = 3  # of the actor of one shard in one fit, as many as Dask retries a task


def silence_seconds() -> float:
    """Time after which a scheduler that does not answer counts as lost."""
    return float(parse_timedelta(dask.config.get("distributed.comm.timeouts.tcp")))


def split_evenly(sizes: Sequence[float], n_shards: int) -> list[Span]:
    """Cut blocks into runs of nearly equal size; a run may not be empty."""
    ends = np.cumsum(sizes)
    middles = (ends - np.asarray(sizes) / 2) / ends[-1]
    shard_of = np.minimum((middles * n_shards).astype(int), n_shards - 1)
    cuts = np.flatnonzero(np.diff(shard_of, prepend=-1, append=n_shards))
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


class Cluster:
    """The workers of a client, and the errors of theirs in words.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Client) -> None:
        self.client, self.address = client, client.scheduler.address
        self.started = time.time()
        self.last_seen_running = time.monotonic()

    def load(self, parts: Sequence[Sequence[Any]], sizes: Sequence[float]) -> dict[Span, Future]:
        """Compute the blocks, a run of consecutive ones on each worker.

        Parameters
        ----------
        parts : sequence of (Xs, ys, sample_weights)
            Each a list with a Delayed (or None) per block.
        sizes : sequence of float
            Of the blocks, in any unit.
        """
        workers = sorted(self.client.nthreads())
        if not workers:
            raise RuntimeError("The Dask cluster has no workers.")
        held = split_evenly(sizes, len(workers))
        put_together = dask.delayed(collect, pure=False)
        return {
            (start, stop): self.client.compute(
                put_together(*(part[start:stop] for part in parts)),
                workers=[worker],
                allow_other_workers=True,  # should this one be lost
            )
            for (start, stop), worker in zip(held, workers, strict=False)
        }

    def gather(self, futures: Sequence[Future]) -> list[Any]:
        """Results of futures, once they are there."""
        self.wait(futures)
        return list(self.client.gather(list(futures)))

    def wait(self, futures: Sequence[Future]) -> None:
        """Wait for futures as long as there is hope."""
        while True:
            try:
                wait(list(futures), timeout=POLL_SECONDS)
            except TimeoutError:
                self.check()
            else:
                return

    def check(self) -> None:
        """Raise if the scheduler does not answer, or if no worker can go on.

        Raises
        ------
        RuntimeError, MemoryError
        """
        running = self._ask("ncores_running")
        if running is None:
            raise self._scheduler_lost()
        now = time.monotonic()
        if running:
            self.last_seen_running = now
        elif now - self.last_seen_running > STALL_SECONDS:
            if self._ask("ncores"):
                raise MemoryError(
                    "All Dask workers are paused because they are short of memory. "
                    "Use more workers, or workers with more memory."
                )
            raise RuntimeError("The Dask cluster has lost all its workers.")

    def _ask(self, question: str) -> Any:
        """Answer of the scheduler; None if there is none in time."""
        if self.client.status != "running":
            return None
        try:
            ask = getattr(self.client.scheduler, question)
            return self.client.sync(ask, callback_timeout=silence_seconds())
        except (OSError, RuntimeError, AttributeError, CancelledError):
            return None  # a timeout is an OSError; a closed client has no scheduler

    def _scheduler_lost(self) -> "SchedulerLostError":
        return SchedulerLostError(
            f"The Dask scheduler {self.address} was lost during the fit. Nothing is left of the "
            "computation: connect a new Client and fit again."
        )

    @contextlib.contextmanager
    def errors_in_words(self) -> Iterator[None]:
        """Say what happened when the cluster fails, and why as far as it is known.

        Raises
        ------
        MemoryError
            If workers died because they exceeded their memory limit.
        RuntimeError
            If workers died for another reason, or the scheduler is lost.
        """
        try:
            yield
        except SchedulerLostError:
            raise
        except (KilledWorker, WorkersLostError) as error:
            raise self._why_killed(error) from error
        except (OSError, RuntimeError, CancelledError) as error:
            if self._ask("ncores") is None:
                raise self._scheduler_lost() from error
            raise

    def _why_killed(self, error: Exception) -> Exception:
        events = self.client.get_events("worker-restart-memory") or ()
        rss = [event["rss"] for stamp, event in events if stamp >= self.started]
        if rss:
            return MemoryError(
                f"Dask workers ran out of memory during the fit: {len(rss)} were stopped by their "
                f"nanny, the last with {format_bytes(rss[-1])} in use. Use more workers, workers "
                "with more memory, or float32 data in smaller blocks."
            )
        return RuntimeError(
            f"Dask workers died again and again during the fit: {error} The operating system may "
            "have stopped them for lack of memory; their logs tell."
        )


class SchedulerLostError(RuntimeError):
    """The scheduler is gone or does not answer."""


class WorkersLostError(RuntimeError):
    """The workers that held a shard were lost too often."""


class Team:
    """All rows, as what an `Objective` is summed over: sums by actors, each beside its shard.

    A context manager: at its end the workers may forget the rows.

    Parameters
    ----------
    cluster : Cluster
    shards : dict of Span to Future
        Futures of lists of Data.
    n_rows : int
    weight_sum : float
    """

    def __init__(
        self, cluster: Cluster, shards: dict[Span, Future], n_rows: int, weight_sum: float
    ) -> None:
        self.cluster, self.shards = cluster, shards
        self.n_rows, self.weight_sum = n_rows, weight_sum
        self.n_blocks = max(stop for _, stop in shards)
        self.replaced = dict.fromkeys(shards, 0)
        self.network: Network | None = None
        self.futures: dict[Span, Future] = {}
        self.actors: dict[Span, Any] = {}

    def parts(self, network: Network, n_parts: int) -> list["Team"]:
        """Start an actor beside each shard; together they are one part."""
        if self.network is None:
            self.network = network
            self.cluster.wait(list(self.shards.values()))
            self.futures = {held: self._start_actor(held) for held in self.shards}
            actors = self.cluster.gather(list(self.futures.values()))
            self.actors = dict(zip(self.shards, actors, strict=True))
        return [self]

    def threads(self, network: Network) -> contextlib.AbstractContextManager[Threads]:
        """Give one thread: the workers have their own."""
        return contextlib.nullcontext(SERIAL)

    def unit_deviations(self, network: Network, params: np.ndarray) -> np.ndarray:
        """Standard deviation of each hidden unit over all rows, shape (hidden_units,)."""
        sums = self._sum("unit_sums", params)
        first, second = sums[1:].reshape(2, -1)
        return deviation(first, second, float(sums[0]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        # a reference cycle in the actors would keep the data on the workers for a while
        self.cluster.client.cancel(list(self.futures.values()))

    def loss_gradient(self, params: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Sum over all rows; see `RowSum.loss_gradient`."""
        sums = self._sum("loss_gradient", params)
        return float(sums[0]), sums[2:].copy(), float(sums[1])

    def loss(self, params: np.ndarray) -> tuple[float, float]:
        """Loss sum and weight sum over all rows."""
        loss, _, weight = self.loss_gradient(params)
        return loss, weight

    def _start_actor(self, held: Span) -> Future:
        client, shard = self.cluster.client, self.shards[held]
        places = client.who_has([shard])[shard.key]
        n_threads = max(client.nthreads(places).values(), default=1) if places else 1
        return client.submit(
            ShardSums,
            shard,
            held,
            self.n_blocks,
            self.network,
            n_threads,
            actor=True,
            pure=False,
            workers=list(places) or None,  # an actor goes to where there are fewest otherwise
            allow_other_workers=bool(places),
        )

    def _sum(self, method: str, params: np.ndarray) -> np.ndarray:
        calls = {held: self._call(held, method, params) for held in self.shards}
        known: dict[Span, np.ndarray] = {}
        for held, call in calls.items():
            known |= self._result(held, call, lambda h: self._call(h, method, params))
        return total((0, self.n_blocks), known)

    def _call(self, held: Span, method: str, params: np.ndarray) -> Any:
        with contextlib.suppress(RuntimeError):  # its worker is known to be lost
            return getattr(self.actors[held], method)(params)
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

    def _replace(self, held: Span) -> None:
        self.replaced[held] += 1
        if self.replaced[held] > REPLACEMENTS:
            raise WorkersLostError(f"{REPLACEMENTS} workers that held blocks {held} were lost.")
        self.cluster.wait([self.shards[held]])
        self.futures[held] = self._start_actor(held)
        self.actors[held] = self.cluster.gather([self.futures[held]])[0]
