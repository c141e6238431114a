"""Limit BLAS to one thread while threads of our own share the rows."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from threadpoolctl import ThreadpoolController


class Library(NamedTuple):
    """A loaded BLAS, the number of threads it may use, and how to set it.

    `per_thread` is True if the number belongs to the calling thread, False if to the process.
    """

    get: Callable[[], int]
    set: Callable[[int], Any]
    per_thread: bool


@cache
def libraries() -> list[Library]:
    """Return the loaded BLAS libraries; scans all shared libraries, so it is cached."""
    pools = ThreadpoolController().select(user_api="blas").lib_controllers
    return [_library(pool) for pool in pools]


def _library(pool: Any) -> Library:
    layer = getattr(pool, "threading_layer", None)
    per_thread = pool.internal_api == "mkl" or (
        pool.internal_api == "openblas" and layer == "openmp"
    )
    set_threads = pool.set_num_threads
    if pool.internal_api == "openblas" and not per_thread:
        # threadpoolctl 3.8 obeys the first thread only, for as long as it lives; the setting is
        # shared by all, and so is the count of those who need it
        for name in _OPENBLAS_SETTERS:
            set_threads = getattr(pool.dynlib, name, set_threads)
    return Library(pool.get_num_threads, set_threads, per_thread)


_OPENBLAS_SETTERS = [
    f"{prefix}openblas_set_num_threads{suffix}"
    for prefix in ("", "scipy_")
    for suffix in ("", "64_", "_64")
]


class _Limit:
    """The users of the limit of one BLAS thread, and the number of threads allowed before.

    An interrupt may come between any two lines: `enter` and `leave` can be cut short anywhere
    and `leave` be repeated. The lock is one that a signal handler or a finalizer may take again.
    One call is all that stands under it: CPython 3.13 leaves jumps inside a `with` unprotected,
    and an interrupt there would keep the lock.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.inside: dict[object, int] = {}  # thread of each token
        self.found: list[tuple[Library, int]] | None = None

    def enter(self, token: object) -> int:
        """Set the limit unless it is set; return the number of threads allowed before."""
        with self.lock:
            return self._enter(token)

    def _enter(self, token: object) -> int:
        self.inside[token] = threading.get_ident()
        if self.found is None:
            shared = [library for library in libraries() if not library.per_thread]
            self.found = [(library, library.get()) for library in shared]
        for library, allowed in self.found:
            if allowed != 1:
                library.set(1)
        return max((allowed for _, allowed in self.found), default=1)

    def leave(self, token: object) -> None:
        """Restore the former number of threads if no other context is active."""
        with self.lock:
            self._leave(token)

    def _leave(self, token: object) -> None:
        self.inside.pop(token, None)
        if self.inside or self.found is None:
            return
        for library, allowed in self.found:
            if library.get() == 1:  # otherwise other code has changed it meanwhile
                library.set(allowed)
        self.found = None

    def after_fork(self) -> None:
        """Drop the threads that the child process lacks, and the lock they may hold.

        The limit is restored when the child next leaves the context.
        """
        self.lock = threading.RLock()
        here = threading.get_ident()
        self.inside = {token: thread for token, thread in self.inside.items() if thread == here}


_limit = _Limit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_limit.after_fork)


@contextlib.contextmanager
def single_blas_thread() -> Iterator[int]:
    """Limit BLAS to one thread; yield the number of threads it was allowed.

    Contexts may overlap in several threads and be nested. Some libraries have a setting for each
    thread: enter the context in every thread that multiplies.
    """
    token, own = object(), [library for library in libraries() if library.per_thread]
    found: list[int] = []
    try:
        try:
            found = [library.get() for library in own]
            for library in own:
                library.set(1)
            yield max([_limit.enter(token), *found])
        finally:
            _release(token, own, found)
    finally:
        _release(token, own, found)  # an interrupt may have cut short the one above


def _release(token: object, own: list[Library], found: list[int]) -> None:
    _limit.leave(token)
    for library, allowed in zip(own, found, strict=False):
        library.set(allowed)
