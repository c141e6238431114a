"""The flat vector, the change of variables, random starts and the canonical order."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sk_mlp._network.parameters import (
    IDENTITY,
    LARGE,
    Layout,
    Parameters,
    Standardization,
    in_canonical_order,
    initial_parameters,
    rescaled,
)

LAYOUT = Layout(n_features=3, hidden_units=4, n_outputs=2)


@pytest.fixture
def vector():
    return np.random.RandomState(0).normal(size=LAYOUT.size)


@pytest.fixture
def standardization():
    rng = np.random.RandomState(1)
    return Standardization(rng.normal(size=3), rng.uniform(0.1, 10, size=3))


def predict(vector, X):
    W1, b1, W2, b2 = LAYOUT.views(vector)
    return np.tanh(X @ W1 + b1) @ W2 + b2


def test_views_cover_the_vector_once(vector):
    views = LAYOUT.views(vector)
    assert [v.shape for v in views] == [(3, 4), (4,), (4, 2), (2,)]
    assert sum(v.size for v in views) == LAYOUT.size == vector.size
    for view in views:
        assert np.shares_memory(view, vector)
        view[...] = 0.0
    assert not vector.any()


def test_weights_are_one_slice(vector):
    W1, _, W2, _ = LAYOUT.views(vector)
    weights = vector[LAYOUT.weights]
    assert_allclose(weights @ weights, (W1**2).sum() + (W2**2).sum())


def test_flatten_inverts_views(vector):
    assert_array_equal(LAYOUT.flatten(LAYOUT.views(vector)), vector)


def test_user_units_give_the_same_function_on_raw_features(vector, standardization):
    X = np.random.RandomState(2).normal(size=(10, 3))
    before = vector.copy()
    user = standardization.to_user_units(LAYOUT, vector)
    standardized = (X - standardization.mean) / standardization.scale
    assert_allclose(predict(user, X), predict(vector, standardized), rtol=1e-12)
    assert_array_equal(vector, before)


@pytest.mark.parametrize("centred", [True, False])
def test_change_of_variables_is_invertible(vector, standardization, centred):
    if not centred:
        standardization = IDENTITY
    user = standardization.to_user_units(LAYOUT, vector)
    assert_allclose(standardization.to_standardized_units(LAYOUT, user), vector, rtol=1e-13)


def test_identity_changes_nothing(vector):
    assert_array_equal(IDENTITY.to_user_units(LAYOUT, vector), vector)
    gradient = vector.copy()
    IDENTITY.chain_rule(LAYOUT, gradient)
    assert_array_equal(gradient, vector)


def test_chain_rule_is_the_transpose_of_the_change_of_variables(vector, standardization):
    # to_user_units is linear, u = A v, so the gradient is A^T g
    A = np.stack([standardization.to_user_units(LAYOUT, e) for e in np.eye(LAYOUT.size)], axis=1)
    gradient = vector.copy()
    standardization.chain_rule(LAYOUT, gradient)
    assert_allclose(gradient, A.T @ vector, rtol=1e-12, atol=1e-14)


def test_random_start_is_in_the_glorot_range_and_repeatable():
    layout = Layout(50, 40, 3)
    log_odds = np.array([0.1, 0.2, -0.3])
    start = initial_parameters(layout, 2.0, np.random.RandomState(0), log_odds)
    W1, b1, W2, b2 = layout.views(start)
    bound1, bound2 = 2.0 * np.sqrt(6 / 90), np.sqrt(6 / 43)
    for values, bound in ((W1, bound1), (b1, bound1), (W2, bound2)):
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.8 * bound
    assert_array_equal(b2, log_odds)
    again = initial_parameters(layout, 2.0, np.random.RandomState(0), log_odds)
    assert_array_equal(start, again)


@pytest.mark.parametrize("odd", [True, False])
def test_canonical_order_keeps_the_function(vector, odd):
    X = np.random.RandomState(2).normal(size=(10, 3))
    strength = np.array([1.0, 3.0, 0.0, 2.0])
    ordered = in_canonical_order(LAYOUT, vector, strength, odd)
    assert_allclose(predict(ordered, X), predict(vector, X), rtol=1e-12, atol=1e-14)
    W2, ordered_W2 = LAYOUT.views(vector)[2], LAYOUT.views(ordered)[2]
    assert_allclose(np.abs(ordered_W2), np.abs(W2[[1, 3, 0, 2]]))
    largest = np.take_along_axis(ordered_W2, np.abs(ordered_W2).argmax(1)[:, None], 1)
    if odd:
        assert (largest > 0).all()
    else:
        assert_array_equal(ordered_W2, W2[[1, 3, 0, 2]])


def test_canonical_order_does_not_depend_on_the_order_or_signs_before(vector):
    W1, b1, W2, b2 = LAYOUT.views(vector)
    sign, shuffle = np.array([1, -1, -1, 1.0]), [2, 0, 3, 1]
    other = LAYOUT.flatten(
        Parameters((W1 * sign)[:, shuffle], (b1 * sign)[shuffle], (W2 * sign[:, None])[shuffle], b2)
    )
    strength = np.array([4.0, 1.0, 3.0, 2.0])
    assert_array_equal(
        in_canonical_order(LAYOUT, other, strength[shuffle], True),
        in_canonical_order(LAYOUT, vector, strength, True),
    )


@pytest.fixture
def trained():
    layout = Layout(3, 8, 1)
    rng = np.random.RandomState(0)
    old = Standardization(np.array([1.0, 2.0, 5.0]), np.array([1.0, 1e-4, np.inf]))
    vector = initial_parameters(layout, 1.0, rng, np.zeros(1))
    fresh = initial_parameters(layout, 1.0, rng, np.zeros(1))
    return layout, old, old.to_user_units(layout, vector), fresh


def test_an_ordinary_change_of_scale_leaves_the_function(trained):
    layout, old, user, fresh = trained
    new = Standardization(old.mean + 0.1, old.scale * 1.09)
    result = new.to_user_units(layout, rescaled(layout, user, old, new, fresh))
    assert_allclose(result, user, rtol=1e-9, atol=1e-9)
    new = Standardization(old.mean, old.scale * 0.5)
    result = new.to_user_units(layout, rescaled(layout, user, old, new, fresh))
    assert_allclose(result, user, rtol=1e-9, atol=1e-9)


def test_a_column_that_hardly_varied_does_not_become_steep(trained):
    layout, old, user, fresh = trained
    new = Standardization(np.array([1.0, 3000.0, 5.0]), np.array([1.0, 1e3, np.inf]))
    vector = rescaled(layout, user, old, new, fresh)
    W1 = layout.views(vector).W1
    start = layout.views(fresh).W1
    assert_allclose(np.linalg.norm(W1[1]), LARGE * np.sqrt(8 * np.mean(start**2)))
    after, before = (layout.views(v) for v in (new.to_user_units(layout, vector), user))
    assert_allclose(after.W1[0], before.W1[0])
    # at the old mean the hidden units are as they were
    assert_allclose(old.mean @ after.W1 + after.b1, old.mean @ before.W1 + before.b1, rtol=1e-6)


def test_a_column_that_was_constant_starts_afresh(trained):
    layout, old, user, fresh = trained
    assert_array_equal(layout.views(user).W1[2], 0.0)
    new = Standardization(np.array([1.0, 2.0, 40.0]), np.array([1.0, 1e-4, 1e3]))
    vector = rescaled(layout, user, old, new, fresh)
    assert_allclose(layout.views(vector).W1[2], layout.views(fresh).W1[2])
    after, before = (layout.views(v) for v in (new.to_user_units(layout, vector), user))
    seen = np.array([1.5, 2.0, 5.0])  # with the only value that the column had
    assert_allclose(seen @ after.W1 + after.b1, seen @ before.W1 + before.b1, rtol=1e-9)
