"""Data, options and comparisons of the tests on a cluster."""

import dask.array as da
import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

N_ROWS, N_FEATURES = 600, 5
SHORT = {"hidden_units": 6, "n_init": 2, "max_iter": 40, "tol": 0.0, "random_state": 0}


def cut(array, chunks, columns=None):
    return da.from_array(array, chunks=(chunks, columns or array.shape[1]))


def cut_rows(array, chunks):
    return da.from_array(array, chunks=(chunks,))


def circles(n_rows=30_000):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n_rows, 8))
    return cut(X, n_rows // 7), cut_rows((X[:, 0] ** 2 + X[:, 1] ** 2 > 2).astype(int), n_rows // 7)


def assert_same_fit(distributed, local):
    assert distributed.n_iter_ == local.n_iter_
    assert_allclose(distributed.loss_, local.loss_, rtol=0, atol=1e-8)
    assert_allclose(distributed.loss_curve_, local.loss_curve_, rtol=0, atol=1e-8)
    assert_array_equal(distributed.classes_, local.classes_)
    assert_allclose(distributed.feature_importances_, local.feature_importances_, rtol=0, atol=1e-4)
    for ours, theirs in zip(distributed.coefs_, local.coefs_, strict=True):
        assert ours.dtype == theirs.dtype
        assert_allclose(ours, theirs, rtol=0, atol=1e-4)
