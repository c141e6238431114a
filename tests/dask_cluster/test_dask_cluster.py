"""What happens when the cluster fails, with real processes where it matters.

Processes die at a point of the fit, not at a time: by what loads the data, or at an iteration.
"""

import os
import signal
import time
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster, wait
from numpy.testing import assert_array_equal

from dask_cluster.problems import circles
from sk_mlp.dask import DaskTwoLayerMLPClassifier
from sk_mlp.dask.cluster import Cluster

# the fits are short on purpose
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

OPTIONS = {"hidden_units": 8, "n_init": 1, "max_iter": 40, "tol": 0.0, "random_state": 0}


@pytest.mark.parametrize("n_fits", [1, 6])
def test_a_fit_inside_a_task_is_an_error(client, n_fits):
    def fit(number):
        X = da.ones((4, 2), chunks=2)
        return DaskTwoLayerMLPClassifier().fit(X, X[:, 0])

    futures = client.map(fit, range(n_fits), pure=False)  # 6 are twice what the cluster can hold
    wait(futures, timeout=60)
    for future in futures:
        with pytest.raises(RuntimeError, match="inside a Dask task"):
            future.result()


@pytest.mark.parametrize(
    ("ncores", "error", "message"),
    [
        ({"a": 1}, MemoryError, "paused because they are short of memory"),
        ({}, RuntimeError, "no workers. Start some"),
    ],
)
def test_a_cluster_that_stands_still_is_an_error(client, monkeypatch, ncores, error, message):
    cluster = Cluster(client)
    cluster.check()
    answers = {"ncores": ncores, "ncores_running": {}}
    monkeypatch.setattr(cluster, "_ask", answers.get)
    cluster.check()  # for a short time it may
    monkeypatch.setattr("sk_mlp.dask.cluster.STALL_SECONDS", -1.0)
    with pytest.raises(error, match=message):
        cluster.check()


def workers(n_workers, **options):
    return LocalCluster(
        processes=True,
        n_workers=n_workers,
        threads_per_worker=1,
        dashboard_address=":0",
        **options,
    )


@pytest.fixture(scope="module")
def expected():
    """The fit without a fault."""
    with workers(1) as cluster, Client(cluster):
        return DaskTwoLayerMLPClassifier(**OPTIONS).fit(*circles())


def assert_same_bits(network, expected):
    assert network.loss_curve_ == expected.loss_curve_
    for ours, theirs in zip(network.coefs_, expected.coefs_, strict=True):
        assert_array_equal(ours, theirs)


def kill_in_training(client, n_workers, n_killed):
    """Fit, and kill workers at the tenth iteration."""
    victims = list(client.run(os.getpid).values())

    def kill(self, iteration, x, loss, validation_loss):
        while iteration == 10 and len(victims) > n_workers - n_killed:
            os.kill(victims.pop(), signal.SIGKILL)
        return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sk_mlp._reporting.Reporter.end_iteration", kill)
        network = DaskTwoLayerMLPClassifier(**OPTIONS, verbose=1).fit(*circles())
    assert len(victims) == n_workers - n_killed
    return network


@pytest.mark.parametrize(("n_workers", "n_killed"), [(1, 1), (3, 1), (3, 3)])
def test_a_worker_killed_in_training_costs_time_but_not_the_answer(
    fork_server, expected, n_workers, n_killed
):
    with workers(n_workers) as cluster, Client(cluster) as client:
        network = kill_in_training(client, n_workers, n_killed)
    assert_same_bits(network, expected)


def die_once(block, note):
    """Kill the worker that loads this block, but not the one that tries next."""
    if not Path(note).exists():
        Path(note).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return block


@pytest.mark.parametrize("n_workers", [1, 3])
def test_a_worker_killed_in_loading_costs_time_but_not_the_answer(
    fork_server, expected, n_workers, tmp_path
):
    note = tmp_path / "killed"
    with workers(n_workers) as cluster, Client(cluster):
        X, y = circles()
        X = X.map_blocks(die_once, str(note), meta=np.empty((0, 0)))
        network = DaskTwoLayerMLPClassifier(**OPTIONS).fit(X, y)
    assert note.exists()
    assert_same_bits(network, expected)


def die(block):
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_die_again_and_again_are_an_error(fork_server):
    # by default Dask tries the task on three more workers
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        workers(1) as cluster,
        Client(cluster),
    ):
        X, y = circles(700)
        with pytest.raises(RuntimeError, match="died again and again"):
            DaskTwoLayerMLPClassifier().fit(X.map_blocks(die, meta=np.empty((0, 0))), y)


@pytest.mark.parametrize("moment", ["loading", "training"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_a_lost_scheduler_is_an_error_in_bounded_time(scheduler, how, moment):
    path, process = scheduler
    pid, number = process.pid, how.value

    def end(block):  # not of this module, which neither process can import
        os.kill(pid, number)
        return block

    with (
        dask.config.set({"distributed.comm.timeouts.tcp": "11s"}),  # the least it takes
        Client(scheduler_file=path, timeout=60) as client,
    ):
        client.wait_for_workers(1, timeout=60)
        X, y = circles()
        if moment == "loading":
            X = X.map_blocks(end, meta=np.empty((0, 0)))

        def strike(self, iteration, x, loss, validation_loss):
            if iteration == 10 and moment == "training":
                os.kill(pid, number)
            return False

        network = DaskTwoLayerMLPClassifier(max_iter=100_000, tol=0.0, verbose=1)
        start = time.monotonic()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sk_mlp._reporting.Reporter.end_iteration", strike)
            with pytest.raises(RuntimeError, match=r"scheduler tcp://.* was lost during the fit"):
                network.fit(X, y)
        # the time that a fit may be silent, and what a loaded machine needs for the rest of it
        assert time.monotonic() - start < 11.0 + 60.0
        process.kill()
    assert not hasattr(network, "coefs_")


def hoard(block):
    """Take more memory than the worker may, and hold it until the nanny has seen it."""
    hoarded = [np.ones(2**21) for _ in range(30)]  # 16 MB each
    signal.pause()
    return hoarded


def test_a_worker_out_of_memory_is_reported_as_such(fork_server):
    # at the first death; by default Dask tries the task on three more workers
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        workers(1, memory_limit="400MB") as cluster,
        Client(cluster),
    ):
        X, y = circles(700)
        with pytest.raises(MemoryError, match="1 were stopped by their nanny, the last with"):
            DaskTwoLayerMLPClassifier().fit(X.map_blocks(hoard, meta=np.empty((0, 0))), y)
