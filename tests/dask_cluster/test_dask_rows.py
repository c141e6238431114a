"""What goes into a fit: dense and sparse blocks of any size, or a readable error."""

import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from dask_cluster.problems import N_ROWS, SHORT, assert_same_fit, cut, cut_rows
from sk_mlp import TwoLayerMLPClassifier
from sk_mlp.dask import DaskTwoLayerMLPClassifier
from sk_mlp.dask.cluster import Cluster
from sk_mlp.dask.rows import load_rows

# the fits are short on purpose
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("standardize", [True, False])
def test_sparse_blocks(client, problem, standardize):
    X, y, weights = problem
    X = np.where(X > 3.5, X, 0.0)
    options = {**SHORT, "standardize": standardize}
    local = TwoLayerMLPClassifier(solver="lbfgs", **options).fit(sparse.csr_matrix(X), y, weights)
    blocks = cut(X, 170, 2).map_blocks(sparse.csr_matrix, dtype=X.dtype)
    ours = DaskTwoLayerMLPClassifier(**options).fit(blocks, cut_rows(y, 170), cut_rows(weights, 99))
    assert_same_fit(ours, local)
    assert_allclose(ours.predict_proba(blocks).compute(), local.predict_proba(X), atol=1e-6)


def test_dense_and_sparse_blocks(client, problem):
    X, y, _ = problem
    dense, labels = cut(X, 150), cut_rows(y, 150)
    some_sparse = da.concatenate([dense[:300], dense[300:].map_blocks(sparse.csr_matrix)])
    expected = DaskTwoLayerMLPClassifier(**SHORT).fit(dense, labels)
    ours = DaskTwoLayerMLPClassifier(**SHORT).fit(some_sparse, labels)
    assert ours.loss_curve_ == expected.loss_curve_


def test_unequal_and_empty_partitions(client, problem):
    X, y, weights = problem
    weights[100:160] = 0.0  # a partition without weight
    chunks = (0, 100, 60, 3, 0, 437, 0)
    local = TwoLayerMLPClassifier(solver="lbfgs", **SHORT).fit(X, y, weights)
    ours = DaskTwoLayerMLPClassifier(**SHORT).fit(
        cut(X, chunks), cut_rows(y, chunks), cut_rows(weights, chunks)
    )
    assert_same_fit(ours, local)
    assert_array_equal(ours.predict(cut(X, chunks)).compute(), local.predict(X))


def test_errors_of_data(client, problem):
    X, y, weights = problem
    network, DX, dy = DaskTwoLayerMLPClassifier(), cut(X, 300), cut_rows(y, 300)
    with pytest.raises(TypeError, match="X must be a Dask array or dataframe, got ndarray"):
        network.fit(X, y)
    with pytest.raises(TypeError, match="y must be a Dask array or dataframe, got ndarray"):
        network.fit(DX, y)
    with pytest.raises(ValueError, match="X has 600 rows, y has 500"):
        network.fit(DX, dy[:500])
    unknown = dy[dy >= 0]
    with pytest.raises(ValueError, match="X has 6 partitions, y has 2, and their sizes"):
        network.fit(cut(X, 100), unknown)
    with pytest.raises(ValueError, match="block 1 of the data: X has 300 rows, y has"):
        network.fit(DX, dy[~((dy == 0) & (da.arange(N_ROWS, chunks=300) > 350))])
    with pytest.raises(ValueError, match="one class 7"):
        network.fit(DX, da.full_like(dy, 7))
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        network.fit(DX, dy, cut_rows(weights - 1.0, 300))
    with pytest.raises(ValueError, match="sample_weight is zero for every sample"):
        network.fit(DX, dy, cut_rows(0.0 * weights, 300))
    with pytest.raises(ValueError, match="y must be 1d or a multilabel indicator"):
        network.fit(DX, cut(np.stack([y, 2 - y], axis=1), 300))
    broken = X.copy()
    broken[450, 2] = np.nan
    with pytest.raises(ValueError, match=r"block 1 of the data: .*NaN"):
        network.fit(cut(broken, 300), dy)
    with pytest.raises(ValueError, match="X has no rows"):
        network.fit(DX[:0], dy[:0])


@pytest.mark.parametrize("sparse_blocks", [False, True])
def test_sample_is_at_a_stride_over_all_blocks(client, problem, sparse_blocks):
    X, y, weights = problem
    chunks = (0, 100, 3, 60, 437)
    DX = cut(X, chunks)
    if sparse_blocks:
        DX = DX.map_blocks(sparse.csr_matrix, dtype=X.dtype)
    with Cluster(client) as cluster:
        training, _ = load_rows(
            cluster,
            TwoLayerMLPClassifier(),
            DX,
            cut_rows(y, chunks),
            cut_rows(weights, chunks),
        )
        kept = np.flatnonzero(weights)
        stride = len(kept) // 70
        some = training.rows.sample(stride)
        kept = kept[::stride]
        assert_array_equal(some.X, X[kept])
        assert_array_equal(some.target.encoded, y[kept])
        assert_array_equal(some.weights, weights[kept])
