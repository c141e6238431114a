"""What a fit on Dask costs: one evaluation of the objective on 1, 2, ... workers.

    python benchmarks/dask_scaling.py                       # 1 to as many workers as cores
    python benchmarks/dask_scaling.py --workers 1 2 4 8 --rows 400000
    python benchmarks/dask_scaling.py --scheduler tcp://...  # that cluster, as it is
    python benchmarks/dask_scaling.py --overhead            # why actors: other ways to sum

Every worker is a process with one thread. Times are medians over the evaluations. Bytes are
those that passed the loopback interface per evaluation (Linux, and nobody else may use it).
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import _machine
import dask
import dask.array as da
import numpy as np
import psutil
from distributed import Client, LocalCluster

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._network.network import Network
from sk_mlp.dask.cluster import Cluster
from sk_mlp.dask.rows import Rows, place_rows, sample
from sk_mlp.dask.sums import ShardSums
from sk_mlp.dask.team import Team

BLOCKS_PER_WORKER = 4


@contextmanager
def connect(n_workers: int, scheduler: str | None) -> Iterator[Client]:
    """Connect to a cluster, a new one of `n_workers` if there is no scheduler."""
    if scheduler:
        with Client(scheduler) as client:
            yield client
        return
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        LocalCluster(
            n_workers=n_workers, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def place(cluster: Cluster, n_rows: int, n_features: int, n_blocks: int) -> Rows:
    """Make random rows on the workers."""
    block = -(-n_rows // n_blocks)
    X = da.random.default_rng(0).normal(size=(n_rows, n_features), chunks=(block, n_features))
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
    return place_rows(cluster, TwoLayerMLPClassifier(), X.astype(np.float32), y, None)


def network_of(rows: Rows, hidden_units: int) -> Network:
    """Return the network to be trained on these rows."""
    return Network.named(rows.classes.layout(hidden_units), "relu", rows.classes.target.output)


def team_of(rows: Rows, network: Network) -> Team:
    """Return the actors that sum over these rows."""
    few = sample(rows, lambda n_rows: max(1, n_rows // 100)).rows()
    team = Team(rows.shards, few, rows.n_rows, rows.moments.weight)
    team.parts(network, 1)
    return team


def per_call(function: Callable[[], Any], n_calls: int) -> tuple[float, float, float]:
    """Median and quartiles of the milliseconds of a call."""
    for _ in range(3):
        function()
    seconds = []
    for _ in range(n_calls):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    low, middle, high = statistics.quantiles(seconds, n=4)
    return middle * 1e3, low * 1e3, high * 1e3


def loopback_bytes() -> int:
    """Bytes sent over the loopback interface so far."""
    return int(psutil.net_io_counters(pernic=True)["lo"].bytes_sent)


def scaling(args: argparse.Namespace) -> None:
    """Print the time and volume of an evaluation for every number of workers and of rows."""
    print("| workers | rows | parameters | ms (quartiles) | kB sent | kB / parameters / workers |")
    print("| --- | --- | --- | --- | --- | --- |")
    for n_workers in args.workers:
        with connect(n_workers, args.scheduler) as client:
            n_workers = len(client.nthreads())
            for n_rows in (args.rows // 10, args.rows):
                cluster = Cluster(client)
                blocks = BLOCKS_PER_WORKER * n_workers
                rows = place(cluster, n_rows, args.features, blocks)
                network = network_of(rows, args.hidden_units)
                size = network.layout.size
                params = np.random.default_rng(0).normal(scale=0.1, size=size)
                with team_of(rows, network) as team:
                    evaluate = partial(team.loss_gradient, params)
                    middle, low, high = per_call(evaluate, args.calls)
                    before = loopback_bytes()
                    for _ in range(args.calls):
                        evaluate()
                    sent = (loopback_bytes() - before) / args.calls
                print(
                    f"| {n_workers} | {n_rows} | {size} | {middle:.1f} ({low:.1f}-{high:.1f}) "
                    f"| {sent / 1e3:.0f} | {sent / 8 / size / n_workers:.2f} x 8 bytes |",
                    flush=True,
                )


def local_sums(shard: Any, n_blocks: int, network: Network, params: Any) -> Any:
    """Add up a shard by a task."""
    sums = ShardSums(shard, n_blocks, network, 1).loss_gradient(params)
    return sum(sums.values())


class Tasks:
    """Sums by tasks instead of actors, one per worker."""

    def __init__(self, client: Client, rows: Rows, network: Network, params: np.ndarray) -> None:
        self.client, self.submit = client, partial(client.submit, pure=False)
        self.rows, self.network, self.params = rows, network, params
        self.n_blocks = max(stop for _, stop in rows.shards.futures)

    def _tasks(self, params: Any) -> list[Any]:
        work = self.n_blocks, self.network, params
        shards = self.rows.shards.futures.values()
        return [self.submit(local_sums, shard, *work) for shard in shards]

    def gather(self) -> Any:
        """Add on the client."""
        return sum(self.client.gather(self._tasks(self.params)))

    def scatter(self) -> Any:
        """Send the parameters beforehand; add on the client."""
        params = self.client.scatter(self.params, hash=False, broadcast=True)
        return sum(self.client.gather(self._tasks(params)))

    def tree(self) -> Any:
        """Add on the workers, pair by pair."""
        sums = self._tasks(self.params)
        while len(sums) > 1:
            rest = sums[-1:] if len(sums) % 2 else []
            pairs = zip(sums[::2], sums[1::2], strict=False)
            sums = [self.submit(np.add, *pair) for pair in pairs] + rest
        return sums[0].result()


def overhead(args: argparse.Namespace) -> None:
    """Print what one evaluation over next to no rows costs, for several ways to sum."""
    print("| workers | parameters | way | ms (quartiles) |\n| --- | --- | --- | --- |")
    for n_workers in args.workers:
        with connect(n_workers, args.scheduler) as client:
            for hidden_units in (5, args.hidden_units):
                cluster = Cluster(client)
                rows = place(cluster, 40 * n_workers, args.features, n_workers)
                network = network_of(rows, hidden_units)
                params = np.zeros(network.layout.size)
                tasks = Tasks(client, rows, network, params)
                with team_of(rows, network) as team:
                    ways = {
                        "actors": partial(team.loss_gradient, params),
                        "a task per worker, gather": tasks.gather,
                        "scatter, a task per worker, gather": tasks.scatter,
                        "a task per worker, tree of additions": tasks.tree,
                    }
                    for name, way in ways.items():
                        middle, low, high = per_call(way, args.calls)
                        times = f"{middle:.1f} ({low:.1f}-{high:.1f})"
                        print(f"| {n_workers} | {len(params)} | {name} | {times} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    cores = range(1, (os.cpu_count() or 1) + 1)
    parser.add_argument("--workers", type=int, nargs="+", default=list(cores))
    parser.add_argument("--scheduler", help="address of a cluster to use instead of local ones")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--hidden-units", type=int, default=100)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--overhead", action="store_true")
    args = parser.parse_args()
    with _machine.Neighbours() as neighbours:
        (overhead if args.overhead else scaling)(args)
    # the workers are processes of their own, and count among the others
    print(f"\ncores in use outside of the client, workers included: {neighbours.cores:.1f}")


if __name__ == "__main__":
    main()
