"""BLAS at one thread inside, and at what it was outside, whoever enters and leaves when."""

import linecache
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info

from sk_mlp._backend import blas
from sk_mlp._backend.blas import Library, libraries, single_blas_thread


@pytest.fixture
def threads():
    """Number of threads of the libraries of the process, which starts at two."""
    shared = [library for library in libraries() if not library.per_thread]
    if not shared:
        pytest.skip("no BLAS library with a setting of the process")
    before = [library.get() for library in shared]
    for library in shared:
        library.set(2)
    yield lambda: {library.get() for library in shared}
    for library, number in zip(shared, before, strict=True):
        library.set(number)


def test_inside_and_outside(threads):
    with single_blas_thread() as allowed:
        assert (allowed, threads()) == (2, {1})
        with single_blas_thread() as allowed:
            assert (allowed, threads()) == (2, {1})
        assert threads() == {1}
        reported = {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}
        assert reported == {1}
    assert threads() == {2}


def test_another_thread_after_the_main_one(threads):
    def count():
        with single_blas_thread() as allowed:
            return allowed, threads()

    assert count() == (2, {1})
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(count).result() == (2, {1})
    assert threads() == {2}


@pytest.mark.parametrize("first_out", [0, 1])
def test_overlap(threads, first_out):
    """Two threads are inside at the same time; either may leave first."""
    entered, leave = threading.Barrier(3), [threading.Event(), threading.Event()]

    def stay(i):
        with single_blas_thread() as allowed:
            entered.wait(10)
            leave[i].wait(10)
            return allowed, threads()

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(stay, i) for i in range(2)]
        entered.wait(10)
        for i in (first_out, 1 - first_out):
            leave[i].set()
            assert results[i].result() == (2, {1})
    assert threads() == {2}


def test_after_an_exception(threads):
    with pytest.raises(KeyError), single_blas_thread():
        raise KeyError
    assert threads() == {2}


def test_a_limit_set_meanwhile_by_somebody_else_is_left(threads):
    with single_blas_thread():
        for library in libraries():
            library.set(3)
        chosen = threads()
    assert threads() == chosen != {1}


def is_free(lock):
    free = lock.acquire(timeout=1)
    if free:
        lock.release()
    return free


def test_an_interrupt_between_any_two_lines(threads):
    """Raise once at each line of the module, as Ctrl-C may.

    Not at the lines of `with`: no signal comes between the last line inside and the release of
    a lock, but the tracer would.
    """

    def run(stop):
        seen = 0

        def local(frame, event, arg):
            nonlocal seen
            text = linecache.getline(blas.__file__, frame.f_lineno)
            if event == "line" and not text.strip().startswith("with "):
                seen += 1
            if seen == stop:
                sys.settrace(None)
                raise KeyboardInterrupt
            return local

        before = sys.gettrace()
        sys.settrace(lambda f, *_: local if f.f_code.co_filename == blas.__file__ else None)
        try:
            with single_blas_thread():
                pass
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        return seen

    n_lines = run(0)
    assert n_lines > 20
    for stop in range(1, n_lines + 1):
        run(stop)
        assert threads() == {2}, stop
        assert not blas._limit.inside
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(is_free, blas._limit.lock).result(), stop


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork_while_another_thread_is_inside(threads):
    inside, done = threading.Event(), threading.Event()

    def stay():
        with blas._limit.lock, single_blas_thread():
            inside.set()
            done.wait(10)

    other = threading.Thread(target=stay)
    other.start()
    assert inside.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(5)  # ends a child that hangs
        with single_blas_thread() as allowed:
            right = (allowed, threads()) == (2, {1})
        os._exit(0 if right and threads() == {2} else 1)
    status = os.waitpid(child, 0)[1]
    done.set()
    other.join()
    assert status == 0
    assert threads() == {2}


def test_a_library_with_a_setting_for_each_thread(monkeypatch):
    local = threading.local()
    library = Library(
        lambda: getattr(local, "n", 4), lambda n: setattr(local, "n", n), per_thread=True
    )
    monkeypatch.setattr(blas, "libraries", lambda: [library])
    with single_blas_thread() as allowed, ThreadPoolExecutor(1) as pool:
        assert (allowed, library.get()) == (4, 1)

        def nested():
            with single_blas_thread() as allowed:
                return allowed, library.get()

        assert pool.submit(nested).result() == (4, 1)
        assert pool.submit(library.get).result() == 4
        assert library.get() == 1
    assert library.get() == 4
