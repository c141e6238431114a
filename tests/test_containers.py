"""The same network from the same table, whatever its container."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._data import data
from sk_mlp._data.moments import is_text_like


@pytest.fixture
def table():
    rng = np.random.RandomState(0)
    X = np.round(5 * rng.normal(size=(700, 30))) * (rng.uniform(size=(700, 30)) < 0.3)
    X[:, 3] = 1e5 + rng.normal(size=700)
    return X, (X[:, 0] + X[:, 1] > 0).astype(int)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("dense_bytes", [0, 2**26])  # made dense block by block, or at once
@pytest.mark.parametrize("weighted", [False, True])
def test_a_sparse_table_gives_the_network_of_the_dense_one(
    table, solver, dense_bytes, weighted, monkeypatch
):
    X, y = table
    monkeypatch.setattr(data, "DENSE_BYTES", dense_bytes)
    weights = np.random.RandomState(1).uniform(0, 2, len(y)) if weighted else None

    def fit(X):
        network = TwoLayerMLPClassifier(
            8, solver=solver, alpha=1.0, max_iter=20, tol=1e-2, random_state=0
        )
        return network.fit(X, y, weights)

    dense, stored = fit(X), fit(sparse.csr_matrix(X))
    for a, b in zip(
        dense.coefs_ + dense.intercepts_, stored.coefs_ + stored.intercepts_, strict=True
    ):
        assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("shape", "density", "expected"),
    [((100, 499), 0.01, False), ((100, 500), 0.04, True), ((100, 500), 0.06, False)],
)
def test_text_like_is_wide_and_mostly_zero_in_every_container(shape, density, expected):
    X = sparse.random(*shape, density=density, format="csr", random_state=0)
    assert is_text_like(X) is expected
    assert is_text_like(X.toarray()) is expected


def test_dense_text_gives_the_network_of_sparse_text():
    X = sparse.random(300, 600, density=0.02, format="csr", random_state=0)
    y = np.arange(300) % 2
    a, b = (
        TwoLayerMLPClassifier(20, alpha=1.0, random_state=0).fit(Z, y) for Z in (X, X.toarray())
    )
    assert_array_equal(a.coefs_[0], b.coefs_[0])


def test_a_dense_column_beside_many_sparse_ones_is_centred():
    rng = np.random.RandomState(0)
    X = np.zeros((2000, 600))
    X[np.arange(2000), rng.randint(1, 600, 2000)] = 1.0
    X[:, 0] = 2000 + 5 * rng.normal(size=2000)
    y = (X[:, 0] > 2000).astype(int)
    network = TwoLayerMLPClassifier(
        20, alpha=1.0, solver="adam", max_iter=20, tol=0.1, random_state=0
    )
    assert network.fit(sparse.csr_matrix(X), y).score(X, y) > 0.95


def test_a_column_that_was_nearly_constant_does_not_ruin_a_stream():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(5000, 5))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    X[:, 4] = rng.lognormal(8, 1, 5000)
    for first in (0.0, 1e-3):
        X[:100, 4] = 0.0
        X[7, 4] = first
        network = TwoLayerMLPClassifier(16, alpha=1.0, random_state=0)
        for i in range(0, 4000, 100):
            network.partial_fit(X[i : i + 100], y[i : i + 100], classes=[0, 1])
        assert network.score(X[4000:], y[4000:]) > 0.95
