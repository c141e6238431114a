"""The machine that the figures of a benchmark depend on."""

import contextlib
import importlib.metadata
import math
import os
import platform
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from threadpoolctl import threadpool_info

BUSY = 1.0  # cores in use by other processes from which times are not to be trusted


class Neighbours:
    """Cores used by other processes while a block runs; NaN where /proc/stat is missing."""

    def __enter__(self) -> Self:
        self.start, self.busy, self.own = time.perf_counter(), self._busy(), self._own()
        return self

    def __exit__(self, *exc: object) -> None:
        seconds = time.perf_counter() - self.start
        others = (self._busy() - self.busy) - (self._own() - self.own)
        self.cores = max(0.0, others / seconds)

    @staticmethod
    def _busy() -> float:
        try:
            fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        except OSError:
            return math.nan
        user, nice, system = (int(f) for f in fields[:3])
        return (user + nice + system) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _own() -> float:
        usage = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(u.ru_utime + u.ru_stime for u in usage) + sum(_living_children())


def _living_children() -> Iterator[float]:
    """Processor time of each child process; getrusage counts those that have ended only."""
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            with contextlib.suppress(OSError):
                fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
                yield (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processor() -> str:
    """Model name of the processor."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def machine() -> dict[str, Any]:
    """Describe what the figures depend on: processor, BLAS, threads, load and versions."""
    packages = ("sk_mlp", "scikit-learn", "numpy", "scipy", "torch", "skorch", "pytabkit")
    versions = {}
    for name in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": [
            f"{p['internal_api']} {p.get('version') or ''}: {p['num_threads']}".replace(" :", ":")
            for p in threadpool_info()
        ],
        "load": [round(x, 2) for x in os.getloadavg()],
        "python": platform.python_version(),
        "versions": versions,
    }


def print_machine(info: dict[str, Any]) -> None:
    """Print what `machine` returned, with a warning if the machine is busy."""
    print(f"{info['date']}  {info['processor']}, {info['cores']} cores")
    print("threads: " + "; ".join(info["threads"]))
    versions = ", ".join(f"{name} {version}" for name, version in info["versions"].items())
    print(f"Python {info['python']}, {versions}")
    print("load average: {} {} {}".format(*info["load"]))
    if info["load"][0] > BUSY:
        print(f"WARNING: the load is above {BUSY:g}: another process would spoil the times.")
