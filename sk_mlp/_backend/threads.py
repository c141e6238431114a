"""Rows over threads, with BLAS held to one thread."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from sk_mlp._network.objective import block_rows
from sk_mlp._network.parameters import Layout

Array = Any  # an array of any namespace of the array API standard

# Multiply-adds of one pass from which a second thread pays for being woken.
THREAD_WORK = 5e6


@cache
def _threadpools() -> ThreadpoolController:
    return ThreadpoolController()  # a scan of the loaded libraries, so done once


class _SingleBlasThread:
    """Hold BLAS to one thread while anyone is inside.

    The limit is one of the process. Fits and predictions may overlap in several threads, so
    only the first to enter sets it and only the last to leave restores what was before.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside, self.allowed = 0, 1
        self.limit: Any = None

    def __enter__(self) -> int:
        """Threads that BLAS was allowed, by environment or by an enclosing limit."""
        with self.lock:
            if self.inside == 0:
                pools = _threadpools().select(user_api="blas")
                self.allowed = max((pool["num_threads"] for pool in pools.info()), default=1)
                self.limit = pools.limit(limits=1)
            self.inside += 1
            return self.allowed

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.limit.restore_original_limits()


_single_blas_thread = _SingleBlasThread()


def row_ranges(n_rows: int, n_ranges: int) -> list[range]:
    """Ranges of about equal length that cover all rows in order."""
    return [range(a, b) for a, b in pairwise(n_rows * i // n_ranges for i in range(n_ranges + 1))]


@contextlib.contextmanager
def row_threads(xp: Any, X: Array, layout: Layout) -> Iterator[tuple[int, Callable[..., Any]]]:
    """Give the number of row ranges to work on at the same time, and a map over them.

    BLAS is held to one thread: its own threads do not pay on blocks that fit the cache, and
    are ten times slower when another process competes for the cores. The threads it was
    allowed work on ranges of rows instead, if there is enough to do.

    Parameters
    ----------
    xp : module
        The array namespace of X; other than NumPy's are left to themselves.
    X : array of shape (n_samples, n_features)
    layout : Layout

    Yields
    ------
    n_ranges : int
    map : callable
        Like the built-in.
    """
    if xp is not np:
        yield 1, map
        return
    work = X.shape[0] * layout.hidden_units * (layout.n_features + layout.n_outputs)
    with _single_blas_thread as allowed:
        n_threads = 1
        if work > THREAD_WORK:
            n_threads = max(1, min(allowed, X.shape[0] // block_rows(xp, X, layout)))
        if n_threads == 1:
            yield 1, map
        else:
            with ThreadPoolExecutor(n_threads - 1) as pool:
                yield n_threads, partial(_map, pool)


def _map(pool: ThreadPoolExecutor, function: Callable[..., Any], items: Sequence[Any]) -> list[Any]:
    """Map with the help of a pool: the first item is done here, which saves waking a thread."""
    others = [pool.submit(function, item) for item in items[1:]]
    return [function(items[0]), *(other.result() for other in others)]


def batch_threads(n_threads: int, batch_size: int, layout: Layout) -> int:
    """Threads that pay on the rows of one batch."""
    work = batch_size * layout.hidden_units * (layout.n_features + layout.n_outputs)
    return n_threads if work > THREAD_WORK else 1
