"""Rows in blocks: how many at a time, and which.

All byte budgets are here. A block is as large as one temporary array of it may be.
"""

from collections.abc import Iterator
from itertools import pairwise

from scipy import sparse

from sk_mlp._backend.arrays import Array, on_host

# A temporary of the forward and backward pass has to stay in the cache beside its neighbours;
# larger ones are also slower to allocate (measured: 256 rows x 100 units, float64).
CACHE_BYTES = 2**18
# What is read once: a pass for statistics or hashes, rows gathered for the next few batches.
PASS_BYTES = 2**20
# A device wants work for thousands of cores at a time; ten such arrays still fit a small one.
DEVICE_BYTES = 2**28
# Measured: more rows share the cost of adding up a gradient, of up to 500 x 256 here; fewer let
# BLAS take its kernel for small matrices. A forward pass of 100 000 x 50, 100 units, float64, takes
# a tenth less time in blocks of 1024 rows than of 192, and three times as much in one block.
MIN_BLOCK_ROWS, MIN_FORWARD_ROWS = 512, 1024


def row_blocks(start: int, stop: int, step: int) -> Iterator[slice]:
    """Slices of at most `step` rows that cover ``start:stop`` in order."""
    for first in range(start, stop, step):
        yield slice(first, min(first + step, stop))


def row_ranges(n_rows: int, n_ranges: int) -> list[range]:
    """Ranges of about equal length that cover all rows in order."""
    return [range(a, b) for a, b in pairwise(n_rows * i // n_ranges for i in range(n_ranges + 1))]


def pass_rows(X: Array, row_bytes: int) -> int:
    """Rows per block of a pass over X that makes an array of `row_bytes` a row."""
    return max(1, (PASS_BYTES if on_host(X) else DEVICE_BYTES) // max(1, row_bytes))


def gradient_rows(X: Array, widest: int) -> int:
    """Rows per block of a gradient, for arrays of up to `widest` columns."""
    if not on_host(X):
        return max(MIN_BLOCK_ROWS, DEVICE_BYTES // (8 * max(widest, int(X.shape[1]))))
    rows: int = max(MIN_BLOCK_ROWS, CACHE_BYTES // (X.dtype.itemsize * widest))
    if sparse.issparse(X):
        # X^T D is dense: let a block hold as many non-zeros as the gradient has columns
        rows = max(rows, int(X.shape[0] * X.shape[1] / max(X.nnz, 1)))
    return rows


def forward_rows(X: Array, widest: int) -> int:
    """Rows per block of a forward pass, which has half the arrays and no gradient to add up."""
    if not on_host(X) or sparse.issparse(X):
        return gradient_rows(X, widest)
    return max(MIN_FORWARD_ROWS, CACHE_BYTES // 2 // (int(X.dtype.itemsize) * widest))
