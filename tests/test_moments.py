"""Weighted moments of the features, in one call and running."""

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from sk_mlp._data.moments import FeatureMoments, feature_moments


@pytest.fixture
def X():
    return np.random.RandomState(0).normal(size=(300, 4)) @ np.diag([1e-6, 1.0, 1e3, 1e6])


@pytest.fixture
def weights():
    return np.random.RandomState(1).uniform(0, 3, size=300)


@pytest.mark.parametrize("weighted", [True, False])
def test_agrees_with_standard_scaler(X, weights, weighted):
    sample_weight = weights if weighted else None
    scaler = StandardScaler().fit(X, sample_weight=sample_weight)
    moments = feature_moments(np, X, sample_weight)
    standardization = moments.standardization(4)
    assert_allclose(moments.weight, 300 if not weighted else weights.sum())
    assert_allclose(standardization.mean, scaler.mean_, rtol=1e-12, atol=1e-9)
    assert_allclose(standardization.scale, scaler.scale_, rtol=1e-12)


def test_a_shift_of_1e8_leaves_the_scale(X):
    X = X / X.std(axis=0)
    plain = feature_moments(np, X, None)
    shifted = feature_moments(np, X + 1e8, None)
    # 1e8 + x keeps x to 1.5e-8
    assert_allclose(shifted.standardization(4).scale, plain.standardization(4).scale, rtol=1e-7)
    assert_allclose(shifted.mean - 1e8, plain.mean, atol=1e-7)


def test_float32_moments_are_computed_in_float64(X):
    X = (X / X.std(axis=0) + 1e3).astype(np.float32)
    moments = feature_moments(np, X, None)
    assert moments.mean.dtype == np.float64
    exact = feature_moments(np, X.astype(np.float64), None)
    assert_allclose(moments.variance, exact.variance, rtol=1e-14)


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, -1e8, 1e-300])
def test_a_constant_feature_has_scale_one(X, constant, weights):
    X[:, 2] = constant
    for sample_weight in (None, weights):
        moments = feature_moments(np, X, sample_weight)
        assert moments.mean[2] == constant
        assert moments.variance[2] == 0
        scale = moments.standardization(4).scale
        assert scale[2] == 1.0
        assert scale[3] != 1.0


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_merged_moments_are_those_of_all_rows(X, weights, weighted, container):
    X = X / X.std(axis=0) + 5.0
    sample_weight = weights if weighted else None
    joint = feature_moments(np, container(X), sample_weight)
    merged = None
    for part in (slice(0, 1), slice(1, 90), slice(90, 300)):
        moments = feature_moments(np, container(X[part]), sample_weight[part] if weighted else None)
        merged = moments if merged is None else merged.merge(moments)
    assert_allclose(merged.weight, joint.weight, rtol=1e-13)
    assert_allclose(merged.variance, joint.variance, rtol=1e-11)
    if joint.mean is None:
        assert merged.mean is None
    else:
        assert_allclose(merged.mean, joint.mean, rtol=1e-11)


def test_merge_survives_an_offset_of_1e8():
    x = np.random.RandomState(0).normal(size=(200, 1)) + 1e8
    merged = feature_moments(np, x[:50], None).merge(feature_moments(np, x[50:], None))
    assert_allclose(merged.variance, x.var(axis=0), rtol=1e-6)


@pytest.mark.parametrize(("n_features", "norm"), [(9, 3.0), (400, 10.0)])
def test_sparse_rows_have_one_scale_and_no_mean(n_features, norm):
    X = sparse.random(50, n_features, density=0.2, format="csr", random_state=0)
    standardization = feature_moments(np, X, None).standardization(n_features)
    assert standardization.mean is None
    rows = X / standardization.scale
    assert_allclose(np.sqrt(rows.multiply(rows).sum() / 50), norm)


def test_sparse_zeros_have_scale_one():
    moments = feature_moments(np, sparse.csr_matrix((4, 3)), None)
    assert moments.standardization(3).scale == 1.0


def test_repetition_is_weight(X):
    counts = np.random.RandomState(2).randint(1, 4, size=300)
    weighted = feature_moments(np, X, counts.astype(float))
    repeated = feature_moments(np, X.repeat(counts, axis=0), None)
    assert weighted.weight == repeated.weight
    assert_allclose(weighted.mean, repeated.mean, rtol=1e-10)
    assert_allclose(weighted.variance, repeated.variance, rtol=1e-10)


def test_overflowing_variance_is_an_error():
    X = np.array([[0.0, 1e200], [1.0, -1e200]])
    with pytest.raises(ValueError, match="variance of feature 1 overflows"):
        feature_moments(np, X, None)
    with pytest.raises(ValueError, match="squares overflow"):
        feature_moments(np, sparse.csr_matrix(X), None)


def test_input_is_not_modified(X, weights):
    X.flags.writeable = weights.flags.writeable = False
    before = X.copy()
    feature_moments(np, X, weights)
    assert_array_equal(X, before)


def test_same_numbers_in_another_namespace(X, weights):
    xp = array_api_strict
    expected = feature_moments(np, X, weights)
    moments = feature_moments(xp, xp.asarray(X), xp.asarray(weights))
    assert_allclose(moments.mean, expected.mean, rtol=1e-14)
    assert_allclose(moments.variance, expected.variance, rtol=1e-14)


def test_moments_survive_a_round_trip_through_a_tuple(X):
    moments = feature_moments(np, X, None)
    assert FeatureMoments(*tuple(moments)) == moments
