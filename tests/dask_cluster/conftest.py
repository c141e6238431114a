"""Clusters to test on."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

if importlib.util.find_spec("distributed") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    import dask
    from distributed import Client, LocalCluster

    from dask_cluster.problems import N_FEATURES, N_ROWS


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(
            n_workers=3, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES)) * [1, 10, 1, 0.1, 1] + 3.0
    y = np.digitize((X[:, 0] - 3) * (X[:, 2] - 3), [-0.3, 0.3])
    weights = rng.integers(0, 4, N_ROWS).astype(np.float64)
    return X, y, weights


@pytest.fixture(scope="module")
def fork_server():
    """Start workers from a server that has imported what they need, which is quicker."""
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        yield


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler and a worker, each a process of its own."""
    path = str(tmp_path / "scheduler.json")
    command = [sys.executable, "-m", "distributed.cli.dask_{}", "--scheduler-file", path]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    more = {
        "scheduler": ["--port", "0", "--no-dashboard"],
        "worker": ["--no-nanny", "--no-dashboard", "--nthreads", "1"],
    }
    processes = [
        subprocess.Popen([part.format(name) for part in command] + more[name], **silent)
        for name in ("scheduler", "worker")
    ]
    try:
        yield path, processes[0]
    finally:
        for process in processes:
            process.kill()
            process.wait()
