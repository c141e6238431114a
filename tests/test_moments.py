"""Weighted moments of the features, in one call and running, and the scales that follow."""

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
def mixed():
    """A normal, a two-valued, a mostly zero, a signed mostly zero and a constant column."""
    rng = np.random.RandomState(0)
    rare = rng.uniform(size=(300, 3)) < 0.2
    X = rng.normal(size=(300, 5)) + 5.0
    X[:, 1] = np.where(rare[:, 0], 3.0, -1.0)
    X[:, 2] *= rare[:, 1]
    X[:, 3] = (X[:, 3] - 5.0) * rare[:, 2]
    X[:, 4] = 0.1
    return X


@pytest.fixture
def weights():
    return np.random.RandomState(1).uniform(0, 3, size=300)


@pytest.mark.parametrize("weighted", [True, False])
def test_agrees_with_standard_scaler(X, weights, weighted):
    sample_weight = weights if weighted else None
    scaler = StandardScaler().fit(X, sample_weight=sample_weight)
    moments = feature_moments(X, sample_weight)
    standardization = moments.standardization()
    assert_allclose(moments.weight, 300 if not weighted else weights.sum())
    assert_allclose(standardization.mean, scaler.mean_, rtol=1e-12, atol=1e-9)
    assert_allclose(standardization.scale, scaler.scale_, rtol=1e-12)


def test_scales_by_what_a_column_holds(mixed):
    standardization = feature_moments(mixed, None).standardization()
    column = mixed[:, 2]
    half = 0.5 * np.sqrt(np.mean(column[column != 0] ** 2))
    assert half > column.std()
    assert_allclose(standardization.mean, mixed.mean(axis=0))
    assert_allclose(standardization.scale[:3], [mixed[:, 0].std(), 2.0, half])
    column = mixed[:, 3]
    half = 0.5 * np.sqrt(np.mean(column[column != 0] ** 2))
    assert_allclose(standardization.scale[3], max(half, column.std()))
    assert standardization.scale[4] == np.inf


def test_scales_follow_a_change_of_units(mixed):
    scale = feature_moments(mixed[:, :3], None).standardization().scale
    moved = feature_moments(-3.0 * mixed[:, :3] + 7.0, None).standardization().scale
    assert_allclose(moved, 3.0 * scale)


def test_a_shift_of_1e8_leaves_the_scale(X):
    X = X / X.std(axis=0)
    plain = feature_moments(X, None)
    shifted = feature_moments(X + 1e8, None)
    # 1e8 + x keeps x to 1.5e-8
    assert_allclose(shifted.standardization().scale, plain.standardization().scale, rtol=1e-7)
    assert_allclose(shifted.mean - 1e8, plain.mean, atol=1e-7)


def test_float32_moments_are_computed_in_float64(X):
    X = (X / X.std(axis=0) + 1e3).astype(np.float32)
    moments = feature_moments(X, None)
    assert moments.mean.dtype == np.float64
    exact = feature_moments(X.astype(np.float64), None)
    assert_allclose(moments.variance, exact.variance, rtol=1e-14)


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, -1e8, 1e-300])
def test_a_constant_feature_has_infinite_scale(X, constant, weights):
    X[:, 2] = constant
    for sample_weight in (None, weights):
        moments = feature_moments(X, sample_weight)
        assert moments.mean[2] == constant
        assert moments.variance[2] == 0
        assert_array_equal(np.isinf(moments.standardization().scale), [False, False, True, False])


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("text", [False, True])
def test_merged_moments_are_those_of_all_rows(mixed, weights, weighted, text):
    sample_weight = weights if weighted else None
    X = sparse.csr_matrix(mixed)
    joint = feature_moments(mixed, sample_weight)
    merged = None
    for part in (slice(0, 1), slice(1, 90), slice(90, 300)):
        moments = feature_moments(X[part], sample_weight[part] if weighted else None, text=text)
        merged = moments if merged is None else merged.merge(moments)
    for a, b in zip(merged, joint, strict=True):
        assert_allclose(a, b, rtol=1e-11, atol=1e-14)


def test_merge_survives_an_offset_of_1e8():
    x = np.random.RandomState(0).normal(size=(200, 1)) + 1e8
    merged = feature_moments(x[:50], None).merge(feature_moments(x[50:], None))
    assert_allclose(merged.variance, x.var(axis=0), rtol=1e-6)


def test_a_sparse_table_has_the_moments_of_the_dense_one(mixed, weights):
    for sample_weight in (None, weights):
        a = feature_moments(mixed, sample_weight)
        b = feature_moments(sparse.csr_matrix(mixed), sample_weight)
        for first, second in zip(a, b, strict=True):
            assert_array_equal(first, second)


def test_text_is_centred_only_where_it_is_seldom_zero(mixed):
    standardization = feature_moments(mixed, None).standardization(text=True)
    expected = [*mixed[:, :2].mean(axis=0), 0.0, 0.0, mixed[:, 4].mean()]
    assert_allclose(standardization.mean, expected)


def test_text_rows_have_a_root_mean_squared_norm_of_five():
    X = sparse.random(200, 800, density=0.2, format="csr", random_state=0)
    mean, scale = feature_moments(X, None, text=True).standardization(text=True)
    rows = (X.toarray() - mean) / scale
    assert_allclose(np.sqrt((rows**2).sum() / 200), 5.0)


def test_repetition_is_weight(mixed):
    counts = np.random.RandomState(2).randint(1, 4, size=300)
    weighted = feature_moments(mixed, counts.astype(float))
    repeated = feature_moments(mixed.repeat(counts, axis=0), None)
    for a, b in zip(weighted, repeated, strict=True):
        assert_allclose(a, b, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("text", [False, True])
def test_a_variance_out_of_range_is_an_error(text):
    with np.errstate(all="raise"):
        X = sparse.csr_matrix([[0.0, 1e200], [1.0, -1e200]])
        with pytest.raises(ValueError, match="variance of feature 1 overflows"):
            feature_moments(X, None, text=text)
        X = sparse.csr_matrix([[0.0, 1e-170], [1.0, 2e-170]])
        with pytest.raises(ValueError, match="variance of feature 1 underflows"):
            feature_moments(X, None, text=text)


def test_input_is_not_modified(X, weights):
    X.flags.writeable = weights.flags.writeable = False
    before = X.copy()
    feature_moments(X, weights)
    assert_array_equal(X, before)


def test_same_numbers_in_another_namespace(mixed, weights):
    xp = array_api_strict
    expected = feature_moments(mixed, weights)
    moments = feature_moments(xp.asarray(mixed), xp.asarray(weights))
    for a, b in zip(moments, expected, strict=True):
        assert_allclose(a, b, rtol=1e-13)


def test_moments_survive_storage(X):
    moments = feature_moments(X, None)
    assert FeatureMoments.restore(moments._asdict(), 4) == moments


def test_moments_of_the_first_release_keep_mean_and_scale(X):
    moments = feature_moments(X, None)
    old = FeatureMoments.restore((moments.weight, moments.mean, moments.variance), 4)
    for merged in (old, old.merge(moments)):
        assert_allclose(merged.standardization().mean, X.mean(axis=0), atol=1e-9)
        assert_allclose(merged.standardization().scale, X.std(axis=0))
    sparse_rows = FeatureMoments.restore((300.0, None, 4.0), 4)
    assert_allclose(sparse_rows.standardization().scale, 1.0)
