"""The machine that the figures of a benchmark depend on, and what else runs on it."""

import contextlib
import os
import platform
import re
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from threadpoolctl import threadpool_info

PACKAGES = ("sk_mlp", "scikit-learn", "numpy", "scipy", "torch", "lightgbm", "pytabkit", "dask")


def cpu_seconds() -> float:
    """Processor time of this process and of its living children."""
    total = time.process_time()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(child.cpu_times()[:2])
    return total


def watch_others() -> Callable[[], float]:
    """Return a function: how many cores other processes have used since this call."""

    def others() -> float:
        times = psutil.cpu_times()
        return times.user + times.system + getattr(times, "nice", 0.0) - cpu_seconds()

    start, before = time.perf_counter(), others()
    return lambda: round(max(0.0, others() - before) / (time.perf_counter() - start), 2)


def machine() -> str:
    """Describe what the figures depend on: date, processor, BLAS and versions."""
    processor = platform.machine()
    with contextlib.suppress(OSError):  # Linux
        found = re.search("model name\t: (.*)", Path("/proc/cpuinfo").read_text())
        processor = found[1] if found else processor
    versions = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions.append(f"{name} {version(name)}")
    blas = sorted({p["version"] for p in threadpool_info() if p["user_api"] == "blas"})
    libraries = ", ".join([*versions, *(f"BLAS {version}" for version in blas)])
    return f"Measured on {time.strftime('%Y-%m-%d')}: {processor}, {os.cpu_count()} cores; {libraries}."
