"""Peak memory of one fit beyond its data; run as a process of its own by compare.py.

Usage: python _memory.py {ours,sklearn} SOLVER N_ROWS {array,memmap}

Prints the extra memory in MB. For an array it is the growth of the peak resident size. The
kernel keeps that peak for the life of a process, and hands the peak of getrusage on to child
processes, so it is read from /proc. The pages of a memory map count as resident although the
kernel may drop them at any time; there it is the growth of the anonymous memory, looked at
every few milliseconds.
"""

import re
import resource
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
from _common import Problem
from _peers import ours, sklearn_mlp

N_FEATURES, HIDDEN_UNITS = 50, 100


def status_mb(field: str) -> float:
    """Read a field of /proc/self/status, in MB."""
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:  # not Linux: the peak only, in bytes on macOS
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = re.search(rf"{field}:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else float("nan")


class AnonymousPeak(threading.Thread):
    """Follow the anonymous memory of this process until `stop` is set."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stop, self.peak = threading.Event(), status_mb("RssAnon")

    def run(self) -> None:
        """Look until told to stop."""
        while not self.stop.wait(0.005):
            self.peak = max(self.peak, status_mb("RssAnon"))


def data(n_rows: int, folder: str | None) -> Problem:
    """Make normal float32 features block by block, so that nothing larger is ever in memory."""
    shape = (n_rows, N_FEATURES)
    if folder is None:
        X = np.empty(shape, np.float32)
    else:
        X = np.memmap(Path(folder, "X"), np.float32, "w+", shape=shape)
    rng = np.random.default_rng(0)
    for first in range(0, n_rows, 10_000):
        block = X[first : first + 10_000]
        block[...] = rng.standard_normal(block.shape, dtype=np.float32)
    if folder is not None:
        X.flush()
        X = np.memmap(Path(folder, "X"), np.float32, "r", shape=shape)
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
    return Problem(X, y, HIDDEN_UNITS, "relu", 1.0)


def extra_mb(who: str, solver: str, n_rows: int, folder: str | None) -> float:
    """Growth of the peak memory by one fit."""
    fit = {"ours": ours, "sklearn": sklearn_mlp}[who]
    fit(data(1_000, None), solver, 1)  # what is imported and allocated once does not count
    problem = data(n_rows, folder)
    if folder is None:
        before = status_mb("VmHWM")
        fit(problem, solver, 1)
        return status_mb("VmHWM") - before
    watch = AnonymousPeak()
    before = watch.peak
    watch.start()
    fit(problem, solver, 1)
    watch.stop.set()
    watch.join()
    return watch.peak - before


if __name__ == "__main__":
    who, solver, n_rows, kind = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        print(extra_mb(who, solver, int(n_rows), folder if kind == "memmap" else None))
