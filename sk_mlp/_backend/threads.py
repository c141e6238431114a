"""Share rows among threads, with BLAS limited to one thread."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from sk_mlp._backend.arrays import Array, on_host
from sk_mlp._backend.blas import single_blas_thread
from sk_mlp._backend.rows import gradient_rows

# Multiply-adds of one pass from which a second thread is worth waking.
THREAD_WORK = 5e6


class Threads(NamedTuple):
    """Threads to share work among; ``map(function, items)`` is like the built-in."""

    n: int
    map: Callable[..., Any]


SERIAL = Threads(1, map)


@contextlib.contextmanager
def row_threads(X: Array, multiply_adds: int, widest: int) -> Iterator[Threads]:
    """Yield the threads worth using for a pass over the rows of X.

    A row takes `multiply_adds` in a forward pass, whose widest array has `widest` columns.

    BLAS is limited to one thread: its own threads are not worth it on blocks that fit the cache, and
    are ten times slower when another process competes for the cores. The threads it was
    allowed work on ranges of rows instead, if there is enough to do. Libraries other than
    NumPy are left to themselves.
    """
    if not on_host(X):
        yield SERIAL
        return
    with single_blas_thread() as allowed:
        n_threads = 1
        if pays(X.shape[0] * multiply_adds):
            n_threads = max(1, min(allowed, X.shape[0] // gradient_rows(X, widest)))
        if n_threads == 1:
            yield SERIAL
        else:
            with ThreadPoolExecutor(n_threads - 1) as pool:
                yield Threads(n_threads, partial(_map, pool))


def pays(multiply_adds: float) -> bool:
    """Return True if this much work is worth waking another thread."""
    return multiply_adds > THREAD_WORK


def _map(pool: ThreadPoolExecutor, function: Callable[..., Any], items: Sequence[Any]) -> list[Any]:
    """Map with the help of a pool: the first item is done here, which saves waking a thread."""
    others = [pool.submit(function, item) for item in items[1:]]
    return [function(items[0]), *(other.result() for other in others)]
