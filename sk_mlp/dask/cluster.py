"""What runs on the client: how tasks are submitted and waited for, and what may fail.

Nothing here waits without an end: while it waits it asks, once a second, whether the scheduler
answers and whether there are workers (`Cluster.check`).
"""

import asyncio
import contextlib
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any, Self

import dask
from dask.utils import format_bytes, parse_timedelta
from distributed import Client, Future, KilledWorker, get_client, get_worker, wait

POLL_SECONDS = 1.0
STALL_SECONDS = 60.0  # without any worker that accepts work


class ClusterLostError(RuntimeError):
    """The scheduler does not answer, or there have been no workers for a while."""


class StrandedError(Exception):
    """All workers were gone at one moment, and tasks are left that Dask does not run again."""


class WorkersLostError(RuntimeError):
    """The workers that held a shard were lost too often."""


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

    A context manager: when it is left, the workers forget all that was submitted, and a failure
    of the cluster becomes an error that says what happened:

    * MemoryError if workers died because they exceeded their memory limit;
    * RuntimeError if workers died for another reason, or the scheduler is lost.
    """

    def __init__(self, client: Client) -> None:
        self.client, self.address = client, client.scheduler.address
        self.started = time.time()
        self.last_seen_running = time.monotonic()
        self.submitted: weakref.WeakSet[Future] = weakref.WeakSet()
        self.anchors: list[Future] = []
        self.actors: list[Future] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.release()
        if isinstance(error, ClusterLostError):
            return
        if isinstance(error, (KilledWorker, WorkersLostError)):
            raise self._why_killed(error) from error
        failed = isinstance(error, (OSError, RuntimeError, CancelledError))
        if failed and self._ask("ncores") is None:
            raise self._scheduler_lost() from error

    def submit(self, function: Callable[..., Any], *args: Any, **options: Any) -> Future:
        """Submit a task, which is forgotten when the fit ends."""
        future = self.client.submit(function, *args, pure=False, **options)
        self.submitted.add(future)
        return future

    def submit_anchored(self, worker: str, lazy: Callable[[Future], Any]) -> Future:
        """Compute a Delayed on a worker, or on others if that one is lost.

        Its last argument is the result of an empty task, its anchor; see `check`.
        """
        preferred = {"workers": [worker], "allow_other_workers": True}
        self.anchors.append(self.submit(_nothing, **preferred))
        future = self.client.compute(lazy(self.anchors[-1]), **preferred)
        self.submitted.add(future)
        return future

    def release(self) -> None:
        """Let the workers forget all that was submitted.

        The frames of an exception may hold the futures for as long as the user holds it. An
        actor refers to its own future, so that only to cancel it is sure to end it.
        """
        if self.client.status == "running":
            with contextlib.suppress(OSError):  # the scheduler is gone, and all tasks with it
                self.client.cancel(self.actors)
        for future in list(self.submitted):
            future.release()
        for futures in (self.submitted, self.anchors, self.actors):
            futures.clear()

    def workers(self) -> list[str]:
        """Wait for workers that accept work; return their addresses."""
        while not (running := self._ask("ncores_running")):
            self.check()
            time.sleep(POLL_SECONDS)
        return sorted(running)

    def submit_actor(self, cls: type, data: Future, *args: Any) -> Future:
        """Start an actor ``cls(data, *args, n_threads)`` on a worker that holds the data."""
        holders = (self._ask("who_has", keys=[data.key]) or {}).get(data.key) or ()
        threads = (self._ask("ncores", workers=list(holders)) or {}) if holders else {}
        future = self.submit(
            cls,
            data,
            *args,
            max(threads.values(), default=1),
            actor=True,
            workers=list(threads) or None,  # Dask would choose the worker with the fewest actors
            allow_other_workers=bool(threads),
        )
        self.actors.append(future)
        return future

    def wait(self, futures: Sequence[Future]) -> None:
        """Wait until futures are finished; see `check`."""
        while True:
            try:
                wait(list(futures), timeout=POLL_SECONDS)
            except TimeoutError:
                self.check()
            else:
                return

    def gather(self, futures: Sequence[Future]) -> list[Any]:
        """Wait for the results of futures; see `check`."""
        self.wait(futures)
        gathered = self.client.gather(list(futures), asynchronous=True)
        call = asyncio.run_coroutine_threadsafe(gathered, self.client.loop.asyncio_loop)
        try:
            while True:
                try:
                    return list(call.result(timeout=POLL_SECONDS))
                except TimeoutError:
                    if call.done():
                        raise
                    self.check()
        finally:
            call.cancel()

    def check(self) -> None:
        """Raise if the scheduler does not answer, or if no worker can go on.

        A task with a preferred worker that becomes ready while there is no worker at all is
        never tried again by Dask, unless that same worker comes back. Such tasks are stranded;
        the anchor of such a task shares its preference, and so its fate.
        """
        running = self._ask("ncores_running")
        if running is None:
            raise self._scheduler_lost()
        now = time.monotonic()
        if running:
            self.last_seen_running = now
            keys = [future.key for future in self.anchors]
            if "no-worker" in (self._ask("get_task_status", keys=keys) or {}).values():
                raise StrandedError
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

    def _ask(self, question: str, **details: Any) -> Any:
        """Return the answer of the scheduler, or None if there is none in time."""
        if self.client.status != "running":
            return None
        seconds = parse_timedelta(dask.config.get("distributed.comm.timeouts.tcp"))
        try:
            ask = getattr(self.client.scheduler, question)
            return self.client.sync(ask, callback_timeout=float(seconds), **details)
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


def _nothing() -> None:
    """Compute nothing: the function of an anchor."""
