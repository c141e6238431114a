"""
15. Data larger than memory
===========================

Two ways to train on rows that do not fit in memory: a memory map for an array in a file, and
``partial_fit`` for rows that arrive in pieces.
"""

# %%
# A file of 400 000 rows, written piece by piece so that it is never in memory as a whole. It is kept
# small so that this example runs in seconds; the same code works for a file of any size.

import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss

from sk_mlp import TwoLayerMLPClassifier

ROWS, FEATURES, PIECE = 400_000, 20, 20_000
offset, scale = np.linspace(-100, 100, FEATURES), np.logspace(-3, 3, FEATURES)


def measure(seed, rows=PIECE):
    """Return rows of features in different units, and their classes."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(rows, FEATURES))
    score = 3 * (Z[:, 0] * Z[:, 1] + np.abs(Z[:, 2]) - Z[:, 3] * Z[:, 4] - 0.8)
    y = (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(np.int8)
    return (offset + scale * Z).astype(np.float32), y


folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "X.npy"
X = np.lib.format.open_memmap(path, "w+", np.float32, (ROWS, FEATURES))
y = np.empty(ROWS, np.int8)  # one byte per row: labels fit in memory
for start in range(0, ROWS, PIECE):
    X[start : start + PIECE], y[start : start + PIECE] = measure(start)
X.flush()
X_test, y_test = measure(seed=1, rows=50_000)
print(f"file: {path.stat().st_size / 1e6:.0f} MB")

# %%
# An array in a file
# ------------------
#
# ``np.load(..., mmap_mode="r")`` opens the file without reading it, and ``fit`` works through it in
# blocks of rows. The mean and scale of the features are computed on all rows; the penalty is chosen on
# at most 3000 of them.

mapped = np.load(path, mmap_mode="r")
network = TwoLayerMLPClassifier(random_state=0)
tracemalloc.start()
begin = time.process_time()
network.fit(mapped, y)
seconds, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
tracemalloc.stop()
loss = log_loss(y_test, network.predict_proba(X_test))
print(f"log-loss {loss:.3f}  accuracy {network.score(X_test, y_test):.3f}")
print(f"{network.n_iter_} epochs, {seconds:.1f} s, at most {peak / 1e6:.0f} MB allocated")
print(f"alpha {network.alpha_:.3g}, weights in {network.coefs_[0].dtype}")

# %%
# Rows in pieces
# --------------
#
# ``partial_fit`` makes one pass over the rows that it is given. Name all classes in the first call.
# No piece is kept, so memory is bounded by one piece. There is no penalty to choose in a stream: take
# the `alpha_` of a fit to a sample.

alpha = TwoLayerMLPClassifier(random_state=0).fit(*measure(0)).alpha_
stream = TwoLayerMLPClassifier(alpha=alpha, random_state=0)
begin = time.process_time()
losses = []
for seed in range(0, ROWS, PIECE):
    stream.partial_fit(*measure(seed), classes=[0, 1])
    losses.append(log_loss(y_test[:5000], stream.predict_proba(X_test[:5000])))
seconds = time.process_time() - begin
loss = log_loss(y_test, stream.predict_proba(X_test))
print(f"log-loss {loss:.3f}  accuracy {stream.score(X_test, y_test):.3f}  {seconds:.1f} s")

# %%
# The stream saw every row once, the fit several times. Its validation loss shows when more pieces no
# longer help.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(np.arange(1, len(losses) + 1) * PIECE, losses, "o-", label="partial_fit")
ax.axhline(
    log_loss(y_test[:5000], network.predict_proba(X_test[:5000])),
    color="0.5", linestyle="--", label="fit on the memory map",
)  # fmt: skip
ax.set(xlabel="rows seen", ylabel="log-loss of other rows", ylim=(0.2, None))
ax.legend()
plt.show()

# %%
# :doc:`/guide/large_data` says what to mind, such as the layout of the file; :doc:`/guide/dask` trains
# on several machines.

folder.cleanup()
