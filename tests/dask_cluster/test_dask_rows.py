"""What goes into a fit: arrays, data frames and sparse blocks of any size, or a readable error."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from dask_cluster.problems import N_ROWS, SHORT, assert_same_fit, cut, cut_rows
from sk_mlp import TwoLayerMLPClassifier
from sk_mlp.dask import DaskTwoLayerMLPClassifier
from sk_mlp.dask.cluster import Cluster
from sk_mlp.dask.rows import place_rows, sample

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


def test_data_frames_of_unknown_sizes(client, problem):
    X, y, _ = problem
    frame = pd.DataFrame(X, columns=list("abcde")).assign(y=y, keep=np.arange(N_ROWS) > 210)
    frames = dd.from_pandas(frame, npartitions=3)
    frames = frames[frames["keep"]]  # one partition is empty now
    local = TwoLayerMLPClassifier(solver="lbfgs", **SHORT).fit(X[211:], y[211:])
    ours = DaskTwoLayerMLPClassifier(**SHORT).fit(frames[list("abcde")], frames["y"])
    assert_same_fit(ours, local)
    assert_array_equal(ours.feature_names_in_, list("abcde"))
    predicted = ours.predict_proba(frames[list("abcde")])
    assert isinstance(predicted, da.Array)
    assert_allclose(predicted.compute(), local.predict_proba(X[211:]), atol=1e-5)
    assert ours.score(frames[list("abcde")], frames["y"]) == local.score(X[211:], y[211:])
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(frames[list("edcba")])
    arrays = frames[list("abcde")].to_dask_array(), frames["y"].to_dask_array()
    assert np.isnan(arrays[0].shape[0])
    assert clone(ours).fit(*arrays).loss_ == ours.loss_


EXTENSION_DTYPES = {
    "Float64": "Float64",
    "boolean": "boolean",
    "Int32": "Int32",
    "double[pyarrow]": "double[pyarrow]",
    "category": "category",
    "int8 and float32": {"a": "int8", "b": "float32"},
}


@pytest.mark.parametrize("dtype", EXTENSION_DTYPES.values(), ids=EXTENSION_DTYPES)
def test_extension_dtypes_give_the_fit_of_one_machine(client, dtype):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2 if dtype == "boolean" else 5, size=(80, 2))
    frame = pd.DataFrame(values, columns=["a", "b"]).astype(dtype)
    y = pd.Series(np.where(values.sum(axis=1) > values.sum(axis=1).mean(), 1, 0))
    local = TwoLayerMLPClassifier(solver="lbfgs", **{**SHORT, "max_iter": 5}).fit(frame, y)
    frames = dd.from_pandas(frame, npartitions=3)
    ours = DaskTwoLayerMLPClassifier(**{**SHORT, "max_iter": 5})
    ours.fit(frames, dd.from_pandas(y, npartitions=3))
    assert ours.coefs_[0].dtype == local.coefs_[0].dtype
    assert_allclose(ours.loss_curve_, local.loss_curve_, rtol=1e-5)
    assert_allclose(ours.predict_proba(frames).compute(), local.predict_proba(frame), atol=1e-4)


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "category", "string[pyarrow]"])
def test_labels_of_extension_dtypes(client, problem, dtype):
    X, y, _ = problem
    labels = pd.Series(y > 0 if dtype == "boolean" else y).astype(dtype)
    frame = pd.DataFrame(X, columns=list("abcde"))
    local = TwoLayerMLPClassifier(solver="lbfgs", **{**SHORT, "max_iter": 2}).fit(frame, labels)
    frames, dlabels = (dd.from_pandas(part, npartitions=3) for part in (frame, labels))
    ours = DaskTwoLayerMLPClassifier(**{**SHORT, "max_iter": 2}).fit(frames, dlabels)
    assert ours.classes_.tolist() == local.classes_.tolist()
    assert ours.classes_.dtype == local.classes_.dtype
    assert ours.score(frames, dlabels) == local.score(frame, labels)


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
        rows = place_rows(
            cluster,
            TwoLayerMLPClassifier(),
            DX,
            cut_rows(y, chunks),
            cut_rows(weights, chunks),
        )
        some = sample(rows, lambda n_rows: n_rows // 70)
        kept = np.flatnonzero(weights)
        kept = kept[:: len(kept) // 70]
        assert_array_equal(some.X, X[kept])
        assert_array_equal(some.target.encoded, y[kept])
        assert_array_equal(some.weights, weights[kept])
        rows.shards.futures = {}  # as if all were lost
        assert_array_equal(sample(rows, lambda n_rows: n_rows // 70).X, some.X)
