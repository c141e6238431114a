"""What runs on the client: how tasks are submitted and waited for, and what may fail.

Nothing here waits forever: while it waits it asks, once a second, whether the scheduler answers and
whether there are workers (`Cluster.check`). Dask recomputes what a lost worker held.
"""

import asyncio
import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import Any, Self

import dask
from dask.utils import format_bytes
from distributed import Client, Future, KilledWorker, get_client, get_worker

POLL_SECONDS = 1.0
STALL_SECONDS = 60.0  # without any worker that accepts work


class ClusterLostError(RuntimeError):
    """The scheduler does not answer, or there have been no workers for a while."""


def current_client() -> Client:
    """Return the client to fit with; a ValueError if there is none."""
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


class Cluster:
    """The workers of a client: submits tasks to them and waits for results.

    When it is left, the workers forget all that was submitted, and a failure of the cluster becomes
    a MemoryError, if workers exceeded their limit, or else a RuntimeError that says what happened.
    """

    def __init__(self, client: Client) -> None:
        self.client, self.address = client, client.scheduler.address
        self.started = time.time()
        self.last_seen_running = time.monotonic()
        self.submitted: weakref.WeakSet[Future] = weakref.WeakSet()
        # kept until the next ones are sent: a message about their end would delay those by 10 ms
        self.last_calls: list[Future] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        # the frames of an exception may hold the futures for as long as the user holds it
        for future in list(self.submitted):
            future.release()
        if isinstance(error, ClusterLostError):
            return
        if isinstance(error, KilledWorker):
            raise self._why_killed(error) from error
        failed = isinstance(error, (OSError, RuntimeError, CancelledError))
        if failed and self._ask("ncores") is None:
            raise self._scheduler_lost() from error

    def load(self, lazy: Sequence[Any]) -> list[Future]:
        """Compute Delayed objects, and keep the results on the workers."""
        return self._keep(self.client.compute(lazy))

    def map(self, function: Callable[..., Any], *args: Sequence[Any], **same: Any) -> list[Future]:
        """Submit a call for each item of `args`, and keep the results on the workers."""
        # Client.map itself would give large keyword arguments keys that are not unique
        return self._keep(self.client.map(partial(function, **same), *args, pure=False))

    def call(self, function: Callable[..., Any], *args: Sequence[Any], **same: Any) -> list[Any]:
        """Return the result of a call for each item of `args`."""
        self.last_calls = self.map(function, *args, **same)
        gathered = self.client.gather(self.last_calls, asynchronous=True)
        # if the fit is interrupted, this ends when the futures are released
        call = asyncio.run_coroutine_threadsafe(gathered, self.client.loop.asyncio_loop)
        while True:
            try:
                return list(call.result(timeout=POLL_SECONDS))
            except TimeoutError:
                if call.done():  # meanwhile, or a task has raised it
                    return list(call.result())
                self.check()

    def by_worker(self, futures: Sequence[Future]) -> list[list[int]]:
        """Return the numbers of the futures that each worker holds; of a lost one, it alone."""
        who_has = self._ask("who_has", keys=[future.key for future in futures]) or {}
        numbers = defaultdict(list)
        for number, future in enumerate(futures):
            holders = who_has.get(future.key) or [future.key]
            numbers[holders[0]].append(number)
        return list(numbers.values())

    def check(self) -> None:
        """Raise if the scheduler does not answer, or if there have been no workers for a while."""
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
            raise ClusterLostError(
                "The Dask cluster has no workers. Start some and fit again, for example with "
                "client.cluster.scale(4)."
            )

    def _keep(self, futures: list[Future]) -> list[Future]:
        self.submitted.update(futures)
        return futures

    def _ask(self, question: str, **details: Any) -> Any:
        """Return the answer of the scheduler, or None if there is none in time."""
        if self.client.status != "running":
            return None
        seconds = dask.config.get("distributed.comm.timeouts.tcp")
        try:
            ask = getattr(self.client.scheduler, question)
            return self.client.sync(ask, callback_timeout=seconds, **details)
        except (OSError, RuntimeError, AttributeError, CancelledError):
            return None  # a timeout is an OSError; a closed client has no scheduler

    def _scheduler_lost(self) -> ClusterLostError:
        return ClusterLostError(
            f"The Dask scheduler {self.address} was lost during the fit. Nothing is left of the "
            "computation: connect a new Client and fit again."
        )

    def _why_killed(self, error: Exception) -> Exception:
        events = self._ask("events", topic="worker-restart-memory") or ()
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
