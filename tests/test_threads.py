"""Threads that share rows: how many, and what they do to BLAS."""

import threading

import numpy as np
import pytest
from scipy import sparse

from sk_mlp._backend import threads as threads_module
from sk_mlp._backend.rows import gradient_rows
from sk_mlp._backend.threads import SERIAL, THREAD_WORK, row_threads

X = np.zeros((20_000, 4))
ENOUGH = int(THREAD_WORK)  # multiply-adds of a row


@pytest.fixture(autouse=True)
def allowed(monkeypatch):
    """Let BLAS be allowed three threads; note whether it is limited."""
    limited = []

    class Limit:
        def __enter__(self):
            limited.append(True)
            return 3

        def __exit__(self, *error):
            limited.append(False)

    monkeypatch.setattr(threads_module, "single_blas_thread", Limit)
    return limited


def test_as_many_threads_as_blas_was_allowed(allowed):
    with row_threads(X, ENOUGH, 100) as threads:
        assert threads.n == 3
        assert allowed == [True]
    assert allowed == [True, False]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_one_thread_for_little_work_under_the_limit_all_the_same(allowed, container):
    with row_threads(container(X), 1, 100) as threads:
        assert threads is SERIAL
        assert allowed == [True]


def test_each_thread_has_a_block_at_least():
    step = gradient_rows(X, 100)
    with row_threads(X[: 2 * step], ENOUGH, 100) as threads:
        assert threads.n == 2
    with row_threads(X[: 2 * step - 1], ENOUGH, 100) as threads:
        assert threads is SERIAL


def test_map_keeps_the_order_and_works_at_the_same_time():
    together = threading.Barrier(3)

    def work(i):
        together.wait(10)  # raises if another item never starts
        return i, threading.get_ident()

    with row_threads(X, ENOUGH, 100) as threads:
        results = list(threads.map(work, range(3)))
    assert [i for i, _ in results] == [0, 1, 2]
    assert results[0][1] == threading.get_ident()  # the caller helps
    assert len({thread for _, thread in results}) == 3


def test_an_error_in_any_thread_is_raised():
    def work(i):
        if i == 2:
            raise KeyError(i)

    with row_threads(X, ENOUGH, 100) as threads, pytest.raises(KeyError):
        threads.map(work, range(3))


def test_other_libraries_are_left_to_themselves(allowed):
    torch = pytest.importorskip("torch")
    with row_threads(torch.zeros(20_000, 4), ENOUGH, 100) as threads:
        assert threads is SERIAL
    assert not allowed
