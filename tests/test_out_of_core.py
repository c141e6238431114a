"""Fits on more data than the process may hold in memory.

A child process maps a file of 128 MiB and may then take 32 MiB more than it has: RLIMIT_DATA of
Linux counts private writable memory, so not the pages of the mapped file, which the kernel drops
when it needs room, but every copy of them.
"""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems limit otherwise")

N_FEATURES = 128
N_ROWS = 2**27 // (4 * N_FEATURES)
ROOM = 2**25

LIMITED = """
import re, resource, sys, warnings
from pathlib import Path
import numpy as np
from sk_mlp import TwoLayerMLPClassifier

warnings.simplefilter("ignore")  # the fits are short
X = np.load(sys.argv[1], mmap_mode="r")
y = np.load(sys.argv[2])

def network(**options):
    return TwoLayerMLPClassifier(hidden_units=4, n_init=1, random_state=0, **options)

def limit_memory():
    for solver in ("lbfgs", "adam"):  # what libraries allocate at their first use
        network(solver=solver, max_iter=2).fit(X[:2000], y[:2000]).predict_proba(X[:2000])
    held = int(re.search(r"VmData:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
    limit = held * 1024 + {room}
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

limit_memory()
try:
    np.array(X)
except MemoryError:
    pass
else:
    raise SystemExit("the limit does not hold")
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """X in float32 and C order, and y, on disk; made of repeated rows, to be quick."""
    folder = tmp_path_factory.mktemp("mapped")
    rng = np.random.default_rng(0)
    X = np.lib.format.open_memmap(
        folder / "X.npy", mode="w+", dtype=np.float32, shape=(N_ROWS, N_FEATURES)
    )
    block = rng.normal(size=(N_ROWS // 64, N_FEATURES))
    for start in range(0, N_ROWS, len(block)):
        X[start : start + len(block)] = block
    X.flush()
    y = np.tile((block[:, 0] > 0).astype(int), 64)
    np.save(folder / "y.npy", y)
    yield folder / "X.npy", folder / "y.npy"
    for file in folder.iterdir():
        file.unlink()


def run_limited(code, files):
    command = [sys.executable, "-c", LIMITED.replace("{room}", str(ROOM)) + textwrap.dedent(code)]
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/bin"}
    done = subprocess.run(
        command + [str(file) for file in files],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_fit_on_a_mapped_array_larger_than_memory(files, solver):
    code = f"""
    fitted = network(solver="{solver}", max_iter=4)
    fitted.fit(X[4096:], y[4096:], X_val=X[:4096], y_val=y[:4096])
    assert fitted.validation_loss_curve_[-1] < 0.6
    assert np.mean(fitted.predict(X) == y) > 0.9
    """
    run_limited(code, files)


def test_a_stream_takes_no_more_memory_however_long(files):
    code = """
    fitted = network()
    for i in range(0, len(X), 8192):
        fitted.partial_fit(np.array(X[i : i + 8192]), y[i : i + 8192], classes=[0, 1])
    assert fitted.score(X[:8192], y[:8192]) > 0.9
    """
    run_limited(code, files)
