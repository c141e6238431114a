"""Blocks of rows on the workers: who holds them, and that nobody does in the end."""

import gc
import itertools
import time

import numpy as np
import pytest
from distributed import Client, LocalCluster

from dask_cluster.problems import SHORT, cut, cut_rows
from sk_mlp.dask import DaskTwoLayerMLPClassifier
from sk_mlp.dask.cluster import Cluster

# the fits are short on purpose
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_same_bits_on_any_number_of_workers(client, problem):
    X, y, weights = problem
    data = cut(X, 77), cut_rows(y, 77), cut_rows(weights, 77)

    def bits():
        network = DaskTwoLayerMLPClassifier(**SHORT).fit(*data)
        return [network.loss_curve_, *(w.tolist() for w in network.coefs_ + network.intercepts_)]

    first = bits()
    assert bits() == first
    for n_workers in (1, 2):
        with (
            LocalCluster(
                n_workers=n_workers, threads_per_worker=2, processes=False, dashboard_address=":0"
            ) as cluster,
            Client(cluster).as_current(),
        ):
            assert bits() == first


def test_blocks_are_spread_over_the_workers(client, problem, monkeypatch):
    X, y, _ = problem
    found = []

    def by_worker(self, futures):
        found.append(by_worker_of_cluster(self, futures))
        return found[-1]

    by_worker_of_cluster = Cluster.by_worker
    monkeypatch.setattr(Cluster, "by_worker", by_worker)
    DaskTwoLayerMLPClassifier(**SHORT).fit(cut(X, 50), cut_rows(y, 50))
    assert sorted(itertools.chain(*found[0])) == list(range(12))
    assert len(found[0]) == 3


def tasks_of(client):
    return client.run_on_scheduler(lambda dask_scheduler: set(dask_scheduler.tasks))


def assert_nothing_is_left(client, before):
    """Wait until the scheduler has heard that nobody needs the tasks."""
    deadline = time.monotonic() + 60.0
    while left := tasks_of(client) - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_nothing_is_left_on_the_cluster(client, problem):
    X, y, _ = problem
    before = tasks_of(client)
    gc.disable()
    try:
        DaskTwoLayerMLPClassifier(**SHORT).fit(cut(X, 100), cut_rows(y, 100))
        assert_nothing_is_left(client, before)
    finally:
        gc.enable()


def test_a_failed_fit_leaves_nothing_on_the_cluster(client, problem):
    X, y, _ = problem
    X = X.copy()
    X[450, 2] = np.nan
    before = tasks_of(client)
    with pytest.raises(ValueError, match="NaN") as held:  # with all frames and their futures
        DaskTwoLayerMLPClassifier(**SHORT).fit(cut(X, 100), cut_rows(y, 100))
    assert_nothing_is_left(client, before)
    assert held.value.__traceback__ is not None
