"""What runs on the client: how tasks are submitted and waited for, and what may fail.

Nothing here waits without an end: while it waits it asks, once a second, whether the scheduler
answers and whether there are workers (`Cluster.check`).
"""

import asyncio
import contextlib
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any, Self

import dask
from dask.utils import format_bytes, parse_timedelta
from distributed import Client, Future, KilledWorker, get_client, get_worker, wait

POLL_SECONDS = 1.0
STALL_SECONDS = 60.0  # without any worker that accepts work


class SchedulerLostError(RuntimeError):
    """The scheduler is gone or does not answer."""


class StalledError(RuntimeError):
    """There are no workers, and none has come for a while."""


class StrandedError(Exception):
    """All workers were gone at one moment, and tasks are left that Dask does not run again."""


class WorkersLostError(RuntimeError):
    """The workers that held a shard were lost too often."""


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

    def submit_anchored(self, worker: str, lazy: Callable[[Future], Any]) -> Future:
        """Compute a Delayed on a worker, or on others should that one be lost; see `check`."""
        place = {"workers": [worker], "allow_other_workers": True}
        self.anchors.append(self.submit(_nothing, **place))
        future = self.client.compute(lazy(self.anchors[-1]), **place)
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

    def workers(self) -> list[str]:
        """Wait for workers that accept work; return their addresses."""
        while not (running := self._ask("ncores_running")):
            self.check()
            time.sleep(POLL_SECONDS)
        return sorted(running)

    def holders(self, future: Future) -> dict[str, int]:
        """Return the workers that hold a result, and the number of their threads."""
        places = (self._ask("who_has", keys=[future.key]) or {}).get(future.key)
        return (self._ask("ncores", workers=list(places)) or {}) if places else {}

    def wait(self, futures: Sequence[Future]) -> None:
        """Wait until futures are finished, as long as there is hope."""
        while True:
            try:
                wait(list(futures), timeout=POLL_SECONDS)
            except TimeoutError:
                self.check()
            else:
                return

    def gather(self, futures: Sequence[Future]) -> list[Any]:
        """Results of futures, once they are there, as long as there is hope."""
        self.wait(futures)

        async def gathered() -> list[Any]:
            return list(await self.client.gather(list(futures), asynchronous=True))

        call = asyncio.run_coroutine_threadsafe(gathered(), self.client.loop.asyncio_loop)
        try:
            while True:
                try:
                    return call.result(timeout=POLL_SECONDS)
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
        the anchor of a run of blocks shares the preference, and so the fate, of their tasks.

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
            keys = [future.key for future in self.anchors]
            if "no-worker" in (self._ask("get_task_status", keys=keys) or {}).values():
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

    def _scheduler_lost(self) -> SchedulerLostError:
        return SchedulerLostError(
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
    """Compute nothing: a task whose state tells that of the tasks beside it."""
