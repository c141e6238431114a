"""Problems of the sizes that matter: overhead, middle, and bound by products of matrices."""

from functools import cache

import numpy as np
from scipy import sparse

# rows, features, classes, hidden units
SIZES = {
    "500x2 h3": (500, 2, 2, 3),
    "1797x64 h100": (1_797, 64, 10, 100),
    "20000x50 h100": (20_000, 50, 2, 100),
    "10000x500 h256": (10_000, 500, 10, 256),
}


@cache
def problem(size: str, dtype: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Features, labels and hidden units."""
    n, d, classes, h = SIZES[size]
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    S = np.tanh(X @ rng.standard_normal((d, 20)) / np.sqrt(d)) @ rng.standard_normal((20, classes))
    return X.astype(dtype), S.argmax(axis=1), h


@cache
def sparse_problem() -> tuple[sparse.csr_matrix, np.ndarray]:
    """Rows like tf-idf text: 10 000 features, half a percent of them not zero."""
    rng = np.random.default_rng(0)
    X = sparse.random(2_000, 10_000, 0.005, "csr", rng=rng)
    return X, (X @ rng.standard_normal(10_000) > 0).astype(int)
