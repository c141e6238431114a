"""Splits into rows to train on and rows to validate on."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import Array, place, take_rows, to_numpy
from sk_mlp._backend.rows import pass_rows, row_blocks
from sk_mlp._data.targets import Target

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# More rows than this are thinned out before they are looked at one by one.
LOOK_ROWS = 100_000
# Equal rows are observations of their own, not copies, if there are at most so many distinct ones and
# ten times as many rows: the combinations of a few features, such as the corners of XOR. To hold one out
# would be to hold out a whole region. With several labels for equal rows, copies are unlikely.
FEW_DISTINCT, FEW_MIXED, OFTEN = 16, 100, 10
# Share of the distinct rows that single precision may merge: by chance in a large table, but not
# all rows of a table with an offset of 1e8.
MERGED = 0.01


def row_keys(X: Array, rng: np.random.RandomState, index: np.ndarray | None = None) -> np.ndarray:
    """Random number for each row that depends on nothing but the values in the row.

    A linear hash modulo 2**64 of the bits of the values, with random odd factors: the same dense
    and sparse, and wherever in X the row is. The values are rounded to single precision, so that
    a table has the same keys in float32 and float64, unless more than a few rows differ by
    less than that.

    Parameters
    ----------
    X : array or CSR matrix of shape (n_samples, n_features)
    rng : RandomState
    index : int ndarray of shape (n_rows,), optional
        Rows to look at; all by default.

    Returns
    -------
    keys : uint64 ndarray of shape (n_rows,)
    """
    factors = rng.randint(0, 2**64, size=X.shape[1], dtype=np.uint64) | np.uint64(1)
    keys = _hashes(X, factors, index, np.float32)
    distinct, number, counts = np.unique(keys, return_inverse=True, return_counts=True)
    repeated = np.flatnonzero(counts[number] > 1)
    repeated = repeated if index is None else index[repeated]
    n_merged = len(np.unique(_hashes(X, factors, repeated, np.float64))) - np.sum(counts > 1)
    if n_merged > MERGED * len(distinct):
        return _hashes(X, factors, index, np.float64)
    return keys


def _hashes(X: Array, factors: np.ndarray, index: np.ndarray | None, dtype: type) -> np.ndarray:
    if sparse.issparse(X):
        X = X if index is None else X[index]
        sums = np.cumsum(_bits(X.data, dtype) * factors[X.indices], dtype=np.uint64)
        sums = np.concatenate([np.zeros(1, dtype=np.uint64), sums])
        return np.asarray(sums[X.indptr[1:]] - sums[X.indptr[:-1]])
    n_rows, keys = X.shape[0] if index is None else len(index), [np.empty(0, dtype=np.uint64)]
    for block in row_blocks(0, n_rows, pass_rows(X, 8 * X.shape[1])):
        rows = X[block, ...] if index is None else take_rows(X, place(index[block], X))
        bits = _bits(to_numpy(rows), dtype)
        keys.append(np.sum(bits * factors, axis=1, dtype=np.uint64))
    return np.concatenate(keys)


def _bits(values: np.ndarray, dtype: type) -> np.ndarray:
    """Well-mixed bits of values in a floating dtype; of zero, whatever its sign, 0."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = values.astype(dtype).astype(np.float64)
    bits = (rounded + 0.0).view(np.uint64) * GOLDEN
    return np.asarray(bits ^ (bits >> np.uint64(32)))


def split_keys(
    X: Array, encoded: np.ndarray, rng: np.random.RandomState, index: np.ndarray | None = None
) -> np.ndarray:
    """Keys of rows that tell which ones a split must not separate.

    Those of `row_keys`, or one for each row if there are few distinct ones, see `FEW_DISTINCT`.
    `encoded` has the labels of all rows.
    """
    keys = row_keys(X, rng, index)
    n_distinct = len(np.unique(keys))
    if n_distinct > FEW_MIXED or n_distinct * OFTEN > len(keys):
        return keys
    number = repetitions(encoded if index is None else encoded[index], keys)
    mixed = 1 + number.max() >= 1.5 * n_distinct
    if n_distinct > FEW_DISTINCT and not mixed:
        return keys
    place_of = np.empty(len(keys), dtype=np.uint64)
    place_of[np.argsort(number, kind="stable")] = np.arange(1, len(keys) + 1)
    own = keys + place_of * GOLDEN
    own = (own ^ (own >> np.uint64(32))) * GOLDEN
    return np.asarray(own ^ (own >> np.uint64(29)))


def some_rows(
    X: Array, encoded: np.ndarray, n_distinct: float, seed: int
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Choose rows by their keys, with all the repetitions of each.

    Parameters
    ----------
    X : array or CSR matrix of shape (n_samples, n_features)
    encoded : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Labels.
    n_distinct : int or inf
        Distinct rows to choose; all of them if there are no more.
    seed : int

    Returns
    -------
    index : int ndarray of shape (n_chosen,)
    keys : uint64 ndarray of shape (n_chosen,)
        See `split_keys`.
    share : float
        Of the distinct rows.
    thinning : float
        Repetitions of a distinct row over those that were looked at.
    """
    rng = np.random.RandomState(seed)
    stride = 1 if n_distinct == math.inf else math.ceil(X.shape[0] / LOOK_ROWS)
    if stride > 1:  # one of each few rows, by chance: their order may have a period
        index = np.arange(0, X.shape[0], stride)
        index = np.minimum(index + rng.randint(stride, size=len(index)), X.shape[0] - 1)
    else:
        index = np.arange(X.shape[0])
    keys = split_keys(X, encoded, rng, index)
    distinct, counts = np.unique(keys, return_counts=True)
    if len(distinct) > n_distinct:
        kept = np.flatnonzero(keys < distinct[int(n_distinct)])
        index, keys = index[kept], keys[kept]
    # a row seen once stands for as many distinct ones as the stride, repeated ones for themselves
    n_all = len(distinct) + (stride - 1) * np.count_nonzero(counts == 1)
    share = min(n_distinct, len(distinct)) / n_all
    return index, keys, share, stride * len(distinct) / n_all


def repetitions(encoded: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Number of each row with its label: the same for its repetitions."""
    pairs = np.column_stack([keys, encoded.reshape(len(keys), -1).astype(np.uint64)])
    by_pair = np.lexsort(pairs.T)  # np.unique of rows would turn a Ctrl-C into a TypeError
    is_new = np.any(np.diff(pairs[by_pair], axis=0), axis=1)
    number = np.zeros(len(keys), dtype=int)
    number[by_pair[1:]] = np.cumsum(is_new)
    return number


def stratified_holdout(
    target: Target, keys: np.ndarray, fraction: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows to validate on.

    Equal rows stay together, so that no validation row is also a training row, and a weight
    of k splits as k repetitions do. Each class is split in proportion to its distinct rows
    and keeps at least one to train on. Multilabel targets are split as one class.

    Parameters
    ----------
    target : Target
    keys : ndarray of shape (n_rows,)
        From `split_keys`; the distinct rows with the lowest keys are held out.
    fraction : float
        Of the distinct rows; one at least.

    Raises
    ------
    ValueError
        If no row is left to validate on.
    """
    n_rows = len(keys)
    groups = target.codes
    by_key = np.lexsort((groups, keys))  # a row that has several classes counts in the first
    distinct, first = np.unique(keys[by_key], return_index=True)
    group_of = groups[by_key][first]
    classes = [distinct[group_of == group] for group in np.unique(group_of)]
    share = max(fraction, 1.0 / len(distinct))  # at least one row
    held: list[np.ndarray] = []
    owed = 0.0  # rows that rounding left out of the validation part; the largest class comes last
    for members in sorted(classes, key=len):
        owed += share * len(members)
        n_held = min(int(owed + 0.5), len(members) - 1)
        owed -= n_held
        held.append(members[:n_held])
    held_out = np.isin(keys, np.concatenate(held))
    lost = np.setdiff1d(groups[held_out], groups[~held_out])
    for group in lost:  # its rows were all equal to some of other classes
        held_out[keys == keys[groups == group][0]] = False
    if not held_out.any():
        raise ValueError(
            f"validation_fraction={fraction} of {n_rows} samples leaves no sample to validate "
            "on when every class keeps one to train on; give X_val and y_val instead."
        )
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def key_folds(
    target: Target, keys: np.ndarray, n_folds: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Splits for cross-validation in which equal rows stay together.

    Parameters
    ----------
    target : Target
    keys : ndarray of shape (n_rows,)
        From `split_keys`. The distinct rows are dealt out in the order of their class and key, so
        that every fold has its share of each class.
    n_folds : int

    Returns
    -------
    splits : list of (train_rows, test_rows)
        Without held-out rows of classes that are absent from the rows to train on: there is
        nothing to learn of them.
    """
    distinct, first, number = np.unique(keys, return_index=True, return_inverse=True)
    fold_of = np.empty(len(distinct), dtype=int)
    # the class of a row that has several is that of its first appearance
    fold_of[np.lexsort((distinct, target.codes[first]))] = np.arange(len(distinct)) % n_folds
    fold = fold_of[number]
    splits = []
    for k in range(n_folds):
        held_out = fold == k
        known = np.isin(target.codes, target.codes[~held_out])
        splits.append((np.flatnonzero(~held_out), np.flatnonzero(held_out & known)))
    return [(train, test) for train, test in splits if len(train) and len(test)]


def check_splits(
    splits: Sequence[Any], n_rows: int, cv: Any, sample_weight: np.ndarray | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the splits by `cv`, of indices or masks, as indices.

    Raises
    ------
    ValueError
        If a split is no pair of these, or has nothing to train on, or to score on.
    """
    if not splits:
        raise ValueError(f"cv={cv!r} gives no split.")
    index, checked = np.arange(n_rows), []
    for number, split in enumerate(splits):
        try:
            train, test = (index[rows if len(rows) else []] for rows in map(np.asarray, split))
        except (IndexError, TypeError, ValueError) as error:
            raise ValueError(
                f"cv={cv!r} must give pairs of indices or masks of the {n_rows} rows of X; "
                f"split {number} is not: {error}."
            ) from error
        for rows, purpose in ((train, "train"), (test, "score")):
            if len(rows) == 0:
                raise ValueError(f"cv={cv!r} leaves split {number} no row to {purpose} on.")
            if sample_weight is not None and not sample_weight[rows].any():
                raise ValueError(
                    f"sample_weight is zero for all rows to {purpose} on in split {number} of cv={cv!r}."
                )
        checked.append((train, test))
    return checked
