"""The validation split: in proportion, repeatable, equal rows together."""

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sk_mlp._data import holdout
from sk_mlp._data.holdout import (
    FEW_DISTINCT,
    FEW_MIXED,
    OFTEN,
    check_splits,
    key_folds,
    repetitions,
    row_keys,
    some_rows,
    split_keys,
    stratified_holdout,
)
from sk_mlp._data.targets import encode


def keys_of(X, seed=0):
    return row_keys(X, np.random.RandomState(seed))


@pytest.fixture
def X():
    X = np.random.RandomState(0).normal(size=(1000, 3)).astype(np.float32)
    X[np.abs(X) < 0.3] = 0.0
    X[:, 2] = np.arange(1000)  # so that every row is distinct
    return X


@pytest.fixture
def y():
    return np.random.RandomState(1).choice(["a", "b", "c"], p=[0.7, 0.25, 0.05], size=1000)


def test_keys_depend_on_the_values_only(X):
    keys = keys_of(X)
    assert len(np.unique(keys)) == 1000
    order = np.random.RandomState(1).permutation(1000)
    assert_array_equal(keys_of(X[order]), keys[order])
    assert_array_equal(keys_of(X.astype(np.float64)), keys)
    assert_array_equal(keys_of(np.asfortranarray(X)), keys)
    assert_array_equal(keys_of(sparse.csr_matrix(X)), keys)
    assert_array_equal(keys_of(array_api_strict.asarray(X)), keys)
    assert_array_equal(keys_of(np.where(X == 0, np.float32(-0.0), X)), keys)
    assert (keys_of(X, seed=1) != keys).all()


def test_keys_are_those_of_the_table_in_single_precision():
    X = np.random.RandomState(0).normal(size=(500, 4))
    assert (X.astype(np.float32) != X).all()
    assert_array_equal(keys_of(X), keys_of(X.astype(np.float32)))
    assert_array_equal(
        keys_of(sparse.csr_matrix(X)), keys_of(sparse.csr_matrix(X, dtype=np.float32))
    )
    X[0] = X[1] * (1 + 1e-12)  # one pair that single precision merges is no matter
    assert_array_equal(keys_of(X), keys_of(X.astype(np.float32)))


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 1e8), (1e-50, 0.0), (1e50, 0.0)])
def test_rows_that_single_precision_cannot_tell_apart_keep_keys_of_their_own(scale, offset):
    X = scale * np.random.RandomState(0).normal(size=(500, 2)) + offset
    with np.errstate(over="ignore"):
        assert len(np.unique(X.astype(np.float32), axis=0)) < 400
    assert len(np.unique(keys_of(X))) == 500
    index = np.arange(3, 500, 2)
    assert_array_equal(row_keys(X, np.random.RandomState(0), index), keys_of(X)[index])


def test_sparse_rows_without_an_entry_have_the_key_zero():
    X = np.array([[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]])
    keys = keys_of(sparse.csr_matrix(X))
    assert keys[0] == keys[2] == 0 != keys[1]


def test_keys_of_few_values_are_spread_evenly():
    # small integers as floats have many equal bits
    X = np.stack(np.meshgrid(*[np.arange(10.0)] * 4), axis=-1).reshape(-1, 4)
    keys = keys_of(X)
    assert len(np.unique(keys)) == 10_000
    low = np.flatnonzero(keys < 2**63)
    assert abs(len(low) - 5000) < 200
    for column in X[low].T:  # a fair coin for every value: 500 +- 4 standard deviations
        assert np.abs(np.bincount(column.astype(int)) - 500).max() < 64


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5])
def test_split_is_stratified(X, y, fraction):
    target = encode(y)
    train, held = stratified_holdout(target, keys_of(X), fraction)
    assert_array_equal(np.sort(np.concatenate([train, held])), np.arange(1000))
    assert len(held) == round(1000 * fraction)
    for label in "abc":
        expected = fraction * np.sum(y == label)
        assert abs(np.sum(y[held] == label) - expected) <= 1


def test_every_class_keeps_a_row_to_train_on(X):
    y = np.array(["rare"] + ["often"] * 999)
    for seed in range(20):
        train, _ = stratified_holdout(encode(y), keys_of(X, seed), 0.9)
        assert 0 in train


def test_equal_rows_stay_together(X, y):
    counts = np.random.RandomState(2).randint(1, 4, size=1000)
    _, held = stratified_holdout(encode(y), keys_of(X), 0.2)
    copies = np.repeat(np.arange(1000), counts)
    _, held_copies = stratified_holdout(encode(y[copies]), keys_of(X[copies]), 0.2)
    assert_array_equal(np.unique(copies[held_copies]), held)
    assert len(held_copies) == counts[held].sum()


def test_another_seed_is_another_split(X, y):
    first, second = (stratified_holdout(encode(y), keys_of(X, s), 0.1)[1] for s in (0, 1))
    # 100 of 1000 twice at random share 10 +- 3
    assert len(np.intersect1d(first, second)) < 25


def test_multilabel_is_split_at_random(X):
    Y = np.random.RandomState(0).randint(2, size=(1000, 4))
    train, held = stratified_holdout(encode(Y), keys_of(X), 0.1)
    assert (len(train), len(held)) == (900, 100)


def test_nothing_to_hold_out_is_an_error(X):
    target = encode(np.array(["a", "b", "c"]))
    with pytest.raises(ValueError, match=r"validation_fraction=0.1 of 3 samples"):
        stratified_holdout(target, keys_of(X[:3]), 0.1)


def test_equal_rows_of_two_classes_stay_together(X):
    X, y = np.repeat(X[:100], 2, axis=0), np.arange(200) % 2
    train, held = stratified_holdout(encode(y), keys_of(X), 0.2)
    assert len(held) == 40
    assert not set(map(tuple, X[held])) & set(map(tuple, X[train]))


def test_a_class_with_the_rows_of_others_keeps_one_to_train_on(X):
    X = np.concatenate([X[:50], X[:1]])
    y = np.r_[np.arange(50) % 2, 2]
    for seed in range(20):
        train, _ = stratified_holdout(encode(y), keys_of(X, seed), 0.5)
        assert set(y[train]) == {0, 1, 2}


def test_few_distinct_rows_are_split_between_both_parts():
    X = np.random.RandomState(0).randint(2, size=(800, 2)).astype(float)
    for y in (X[:, 0] != X[:, 1], X[:, 0] > 0):
        target = encode(y)
        keys = split_keys(X, target.encoded, np.random.RandomState(0))
        train, held = stratified_holdout(target, keys, 0.1)
        assert len(held) == 80
        assert len(np.unique(X[train], axis=0)) == len(np.unique(X[held], axis=0)) == 4
        for train, held in key_folds(target, keys, 3):
            assert len(np.unique(X[train], axis=0)) == len(np.unique(X[held], axis=0)) == 4


@pytest.mark.parametrize(
    ("n_distinct", "n_copies", "mixed", "apart"),
    [
        (FEW_DISTINCT, OFTEN, False, True),
        (FEW_DISTINCT + 1, OFTEN, False, False),
        (FEW_DISTINCT, OFTEN - 1, False, False),
        (FEW_MIXED, OFTEN, True, True),
        (FEW_MIXED + 1, OFTEN, True, False),
        (FEW_MIXED, OFTEN - 1, True, False),
    ],
)
def test_equal_rows_are_observations_if_they_are_few_or_have_several_labels(
    X, n_distinct, n_copies, mixed, apart
):
    copies = np.repeat(np.arange(n_distinct), n_copies)
    y = np.arange(len(copies)) % 2 if mixed else copies % 2
    keys = split_keys(X[copies], y, np.random.RandomState(0))
    assert len(np.unique(keys)) == (len(copies) if apart else n_distinct)
    order = np.random.RandomState(1).permutation(len(copies))
    permuted = split_keys(X[copies[order]], y[order], np.random.RandomState(0))
    assert_array_equal(np.sort(permuted), np.sort(keys))


def test_rows_of_classes_without_a_row_to_train_on_are_not_held_out(X):
    assert key_folds(encode(np.arange(20)), keys_of(X[:20]), 3) == []
    y = np.r_[np.arange(60) % 2, 2]
    splits = key_folds(encode(y), keys_of(X[:61]), 3)
    assert sum(len(held) for _, held in splits) == 60
    assert not any(60 in held for _, held in splits)


def test_rows_that_are_looked_at_do_not_follow_a_period(monkeypatch, X):
    monkeypatch.setattr(holdout, "LOOK_ROWS", 500)
    y = np.arange(1000) % 2
    dense, keys, share, thinning = some_rows(X, y, 1000, 0)
    assert (share, thinning) == (0.5, 1.0)
    assert len(np.unique(dense)) == len(dense) == 500
    assert abs(np.mean(dense % 2) - 0.5) < 0.1  # of every second row, one kind only
    for other in (sparse.csr_matrix(X), array_api_strict.asarray(X)):
        index, other_keys, *_ = some_rows(other, y, 1000, 0)
        assert_array_equal(index, dense)
        assert_array_equal(other_keys, keys)


def test_repetitions_that_are_not_looked_at_make_no_distinct_rows(monkeypatch, X):
    monkeypatch.setattr(holdout, "LOOK_ROWS", 500)
    copies = np.repeat(np.arange(100), 20)
    _, keys, share, thinning = some_rows(X[copies], copies % 2, 1000, 0)
    assert len(keys) == 500
    assert (share, thinning) == pytest.approx((1.0, 4.0), rel=0.1)


@pytest.mark.parametrize("y", [[0, 1, 0, 0, 1], [[0, 1], [1, 1], [0, 1], [0, 1], [1, 1]]])
def test_repetitions_are_equal_rows_of_equal_labels(y):
    number = repetitions(np.asarray(y), np.array([7, 7, 7, 5, 7], dtype=np.uint64))
    assert number[0] == number[2]
    assert number[1] == number[4]
    assert len(set(number.tolist())) == 3


SPLIT = (np.arange(40), np.arange(40, 60))


@pytest.mark.parametrize(
    ("splits", "weight", "message"),
    [
        ([], None, "gives no split"),
        ([SPLIT, (SPLIT[0], [])], None, "leaves split 1 no row to score on"),
        ([([], SPLIT[1])], None, "leaves split 0 no row to train on"),
        ([SPLIT], np.r_[np.ones(40), np.zeros(20)], "zero for all rows to score on in split 0"),
        (
            [SPLIT, (SPLIT[0], [60])],
            None,
            "cv=3 must give pairs of .* the 60 rows.* split 1 .* 60 is",
        ),
        ([(1, 2)], None, "cv=3 must give pairs of indices or masks"),
        ([(SPLIT[0], SPLIT[1] + 0.5)], None, "cv=3 must give pairs of indices or masks"),
        ([(np.ones(50, bool), SPLIT[1])], None, "cv=3 must give pairs of indices or masks"),
    ],
)
def test_splits_that_leave_nothing(splits, weight, message):
    with pytest.raises(ValueError, match=message):
        check_splits(splits, 60, 3, weight)


@pytest.mark.parametrize("container", [np.asarray, list])
def test_splits_may_be_masks(container):
    mask = np.arange(60) < 40
    [split] = check_splits([(container(mask), container(~mask))], 60, 3, None)
    for rows, expected in zip(split, SPLIT, strict=True):
        assert_array_equal(rows, expected)
