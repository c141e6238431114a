"""What runs on the client: where the rows are held, how sums are asked for, what may fail.

Every shard is a future with a recipe, so that the scheduler computes it again when its worker
is lost. The sums over it are taken by an actor beside it, because a call to an actor costs a
twentieth of a task; an actor is not computed again, so it is replaced here.
"""

import contextlib
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any, Self, TypeVar

import dask
import numpy as np
from dask.utils import format_bytes, parse_timedelta
from distributed import Client, Future, KilledWorker, get_client, get_worker, wait

from sk_mlp._backend.threads import SERIAL, Threads
from sk_mlp._network.network import Network
from sk_mlp._network.objective import CONTRIBUTION_ROWS, deviation
from sk_mlp.dask.blocks import ShardSums, Span, anchor, collect, total

T = TypeVar("T")

POLL_SECONDS = 1.0
STALL_SECONDS = 60.0  # without any worker that accepts work
REPLACEMENTS = 3  # of the actor of one shard in one fit, as many as Dask retries a task
RELOADS = 3  # of all rows in one fit, after all workers were gone at one moment


def silence_seconds() -> float:
    """Time after which a scheduler that does not answer counts as lost."""
    return float(parse_timedelta(dask.config.get("distributed.comm.timeouts.tcp")))


def current_client() -> Client:
    """Client to fit with.

    Raises
    ------
    ValueError
        If there is none.
    RuntimeError
        Inside a task: the fit would wait for tasks that wait for its thread.
    """
    try:
        get_worker()
    except ValueError:
        pass
    else:
        raise RuntimeError(
            "A Dask fit inside a Dask task would wait for workers that wait for it. Call fit "
            "where the Client is, or fit a TwoLayerMLPClassifier inside the task."
        )
    try:
        return get_client()
    except ValueError as error:
        raise ValueError(
            "No Dask client found. Create one before fit: distributed.Client() starts a cluster "
            "on this machine, distributed.Client(address) connects to a running one."
        ) from error


def split_evenly(sizes: Sequence[float], n_shards: int) -> list[Span]:
    """Cut blocks into runs of nearly equal size; a run may not be empty."""
    ends = np.cumsum(sizes)
    middles = (ends - np.asarray(sizes) / 2) / ends[-1]
    shard_of = np.minimum((middles * n_shards).astype(int), n_shards - 1)
    cuts = np.flatnonzero(np.diff(shard_of, prepend=-1, append=n_shards))
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


class Cluster:
    """The workers of a client, with readable errors when they fail.

    A context manager: however it is left, the workers may forget all that was submitted.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Client) -> None:
        self.client, self.address = client, client.scheduler.address
        self.started = time.time()
        self.last_seen_running = time.monotonic()
        self.submitted: weakref.WeakSet[Future] = weakref.WeakSet()
        self.anchors: list[Future] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def submit(self, function: Callable[..., Any], *args: Any, **options: Any) -> Future:
        """Submit a task, to be forgotten when the fit ends."""
        future = self.client.submit(function, *args, pure=False, **options)
        self.submitted.add(future)
        return future

    def release(self) -> None:
        """Let the workers forget all that was submitted.

        The frames of an exception may hold the futures for as long as the user holds it.
        """
        for future in list(self.submitted):
            future.release()
        self.submitted.clear()
        self.anchors.clear()

    def again_if_stranded(self, step: Callable[[], T]) -> T:
        """Call a function, and again if its tasks were stranded, after releasing them."""
        for _ in range(RELOADS):
            try:
                return step()
            except StrandedError:
                self.release()
        raise WorkersLostError(f"All workers were lost at one moment, {RELOADS} times.")

    def load(self, parts: Sequence[Sequence[Any]], sizes: Sequence[float]) -> dict[Span, Future]:
        """Compute the blocks, a run of consecutive ones on each worker.

        Parameters
        ----------
        parts : sequence of (Xs, ys, sample_weights)
            Each a list with a Delayed (or None) per block.
        sizes : sequence of float
            Of the blocks, in any unit.
        """
        while not (workers := sorted(self._ask("ncores_running") or ())):
            self.check()
            time.sleep(POLL_SECONDS)
        held = split_evenly(sizes, len(workers))
        put_together = dask.delayed(collect, pure=False)
        runs = {}
        for (start, stop), worker in zip(held, workers, strict=False):
            place = {"workers": [worker], "allow_other_workers": True}  # should this one be lost
            self.anchors.append(self.submit(anchor, **place))
            run = put_together(*(part[start:stop] for part in parts), self.anchors[-1])
            runs[start, stop] = self.client.compute(run, **place)
            self.submitted.add(runs[start, stop])
        return runs

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

        A task with a preferred worker that becomes ready while there is no worker at all is
        never tried again by Dask, unless that same worker comes back. Such tasks are stranded;
        the anchor of a run of blocks shares the preference, and so the fate, of their tasks.

        Raises
        ------
        RuntimeError, MemoryError
        """
        keys = [future.key for future in self.anchors]
        states = self._ask("get_task_status", keys=keys) if keys else {}
        running = self._ask("ncores_running")
        if running is None:
            raise self._scheduler_lost()
        now = time.monotonic()
        if running:
            self.last_seen_running = now
            if "no-worker" in (states or {}).values():
                raise StrandedError
        elif now - self.last_seen_running > STALL_SECONDS:
            if self._ask("ncores"):
                raise MemoryError(
                    "All Dask workers are paused because they are short of memory. "
                    "Use more workers, or workers with more memory."
                )
            raise StalledError(
                "The Dask cluster has no workers. Start some and fit again, for example with "
                "client.cluster.scale(4)."
            )

    def _ask(self, question: str, **details: Any) -> Any:
        """Answer of the scheduler; None if there is none in time."""
        if self.client.status != "running":
            return None
        try:
            ask = getattr(self.client.scheduler, question)
            return self.client.sync(ask, callback_timeout=silence_seconds(), **details)
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
        except (SchedulerLostError, StalledError):
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


class StalledError(RuntimeError):
    """There are no workers, and none has come for a while."""


class StrandedError(Exception):
    """All workers were gone at one moment, and tasks are left that Dask does not run again."""


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
    reload : callable () -> dict of Span to Future
        Loads the rows again, after all workers were lost at one moment.
    n_rows : int
    weight_sum : float
    """

    weight_unit = 1.0

    def __init__(
        self,
        cluster: Cluster,
        shards: dict[Span, Future],
        reload: Callable[[], dict[Span, Future]],
        n_rows: int,
        weight_sum: float,
    ) -> None:
        self.cluster, self.shards, self.reload = cluster, shards, reload
        self.n_rows, self.weight_sum = n_rows, weight_sum
        self.n_blocks = max(stop for _, stop in shards)
        self.replaced: dict[Span, int] = {}
        self.network: Network | None = None
        self.futures: dict[Span, Future] = {}
        self.actors: dict[Span, Any] = {}

    def parts(self, network: Network, n_parts: int) -> list["Team"]:
        """Name the network of the actors; together they are one part."""
        self.network = self.network or network
        return [self]

    def threads(self, network: Network) -> contextlib.AbstractContextManager[Threads]:
        """Give one thread: the workers have their own."""
        return contextlib.nullcontext(SERIAL)

    def unit_deviations(self, network: Network, params: np.ndarray) -> np.ndarray:
        """Standard deviation of each hidden unit, over the rows that `Rows` would take."""
        counts = self._sum("row_counts")
        step = max(1, int(counts.sum()) // CONTRIBUTION_ROWS)
        starts = -(np.cumsum(counts) - counts) % step
        sums = self._sum("unit_sums", params, starts, step)
        first, second = sums[1:].reshape(2, -1)
        return deviation(first, second, float(sums[0]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._dismiss()

    def _gather_actors(self) -> None:
        """Start an actor beside each shard, unless they are there."""
        if self.actors:
            return
        self.shards = self.shards or self.reload()
        self.replaced = dict.fromkeys(self.shards, 0)
        self.cluster.wait(list(self.shards.values()))
        self.futures = {held: self._start_actor(held) for held in self.shards}
        actors = self.cluster.gather(list(self.futures.values()))
        self.actors = dict(zip(self.shards, actors, strict=True))

    def _dismiss(self) -> None:
        # a reference cycle in the actors would keep the data on the workers for a while
        if self.cluster.client.status == "running":
            self.cluster.client.cancel(list(self.futures.values()))
        self.shards, self.futures, self.actors = {}, {}, {}

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
        return self.cluster.submit(
            ShardSums,
            shard,
            held,
            self.n_blocks,
            self.network,
            n_threads,
            actor=True,
            workers=list(places) or None,  # an actor goes to where there are fewest otherwise
            allow_other_workers=bool(places),
        )

    def _sum(self, method: str, *args: Any) -> np.ndarray:
        def sums() -> np.ndarray:
            try:
                return self._sum_once(method, *args)
            except StrandedError:
                self._dismiss()
                raise

        return self.cluster.again_if_stranded(sums)

    def _sum_once(self, method: str, *args: Any) -> np.ndarray:
        self._gather_actors()
        calls = {held: self._call(held, method, *args) for held in self.shards}
        known: dict[Span, np.ndarray] = {}
        for held, call in calls.items():
            known |= self._result(held, call, lambda h: self._call(h, method, *args))
        return total((0, self.n_blocks), known)

    def _call(self, held: Span, method: str, *args: Any) -> Any:
        with contextlib.suppress(RuntimeError):  # its worker is known to be lost
            return getattr(self.actors[held], method)(*args)
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
