"""Statistics of the columns of a table, in one call or running, and the scales that follow."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import Array, namespace_of, place, to_numpy, widest_float
from sk_mlp._backend.rows import pass_rows, row_blocks
from sk_mlp._network.parameters import IDENTITY, Standardization

# Below this width, or above this share of non-zeros, dense arithmetic costs little more than
# sparse arithmetic. Tables with categories have .04 to .5 non-zeros, texts less than .01.
TEXT_COLUMNS, TEXT_DENSITY = 500, 0.05
# Root mean squared norm of text-like rows, at most. On 5000 reviews of 24 438 words log-loss at
# alpha=1 is .463 without limit, .445 at 6, .442 at 4.6, .444 at 3.
TEXT_ROW_NORM = 5.0


def is_text_like(X: Array) -> bool:
    """Return True if X has at least 500 columns and at most 5 % of its values are not zero.

    Such data are kept in sparse form and columns that are zero mostly are not centred. All
    others are treated as dense tables, whatever their container.
    """
    n_rows, n_features = X.shape
    if n_features < TEXT_COLUMNS:
        return False
    if sparse.issparse(X):
        non_zeros = int(np.count_nonzero(X.data))
    elif isinstance(X, np.ndarray):
        blocks = row_blocks(0, n_rows, pass_rows(X, 8 * n_features))
        non_zeros = sum(int(np.count_nonzero(X[block])) for block in blocks)
    else:
        return False  # other libraries have no sparse arithmetic here
    return bool(non_zeros <= TEXT_DENSITY * n_rows * n_features)


class FeatureMoments(NamedTuple):
    """Statistics of the rows seen so far, each but the weight of shape (n_features,).

    Attributes
    ----------
    weight : float
        Total sample weight.
    mean, variance : ndarray or None
        None if the features are not standardised; then all the others are, too.
    low, high : ndarray or None
        Smallest and largest value.
    at_low, at_zero, at_high : ndarray or None
        Weight of the rows with the smallest value, with zero, with the largest value.
    """

    weight: float
    mean: Any = None
    variance: Any = None
    low: Any = None
    high: Any = None
    at_low: Any = None
    at_zero: Any = None
    at_high: Any = None

    @classmethod
    def restore(cls, state: Any, n_features: int) -> "FeatureMoments":
        """Return the moments from a stored dict, or from the tuple that 0.1.0 stored.

        The tuple has no extremes: its rows count as being between infinite ones. Its sparse rows
        have one mean square for all columns.
        """
        if isinstance(state, dict):
            return cls(**state)
        weight, mean, variance = state
        if mean is None:
            mean = np.zeros(n_features)
            variance = np.full(n_features, float(variance) / n_features)
        nothing = np.zeros(n_features)
        infinite = np.full(n_features, np.inf)
        return cls(weight, mean, variance, -infinite, infinite, nothing, nothing, nothing)

    def merge(self, other: "FeatureMoments") -> "FeatureMoments":
        """Moments of both sets of rows together (Chan, Golub & LeVeque, 1983)."""
        weight = self.weight + other.weight
        if self.mean is None or other.mean is None:
            return FeatureMoments(weight)
        a, b = self, other
        share = b.weight / weight
        with np.errstate(under="ignore"):
            shift = b.mean - a.mean
            variance = (1.0 - share) * a.variance + share * b.variance
            variance = variance + share * (1.0 - share) * shift**2
            mean = a.mean + share * shift
        low, high = np.minimum(a.low, b.low), np.maximum(a.high, b.high)
        return FeatureMoments(
            weight,
            mean,
            variance,
            low,
            high,
            a.at_low * (a.low == low) + b.at_low * (b.low == low),
            a.at_zero + b.at_zero,
            a.at_high * (a.high == high) + b.at_high * (b.high == high),
        )

    def standardization(self, *, text: bool = False) -> Standardization:
        """Change of variables that brings these rows to mean 0 and scale 1.

        The scale of a column is its standard deviation. If half of its rows or more hold one
        value, zero or one of its extremes, it is at least half the root mean square distance
        of the others from that value: the standard deviation would magnify what is rare. For
        a column of two values that is half their range (Gelman, 2008).

        The scale of a constant column is infinite, so that its weights are zero in the units
        of the features, and whatever it holds later has no effect.

        Parameters
        ----------
        text : bool, default=False
            True for text-like data, whose columns are not centred where they are zero mostly,
            and whose root mean squared row norm is at most 5.
        """
        if self.mean is None:
            return IDENTITY
        with np.errstate(all="ignore"):
            scale = np.sqrt(self.variance)
            # what rounding leaves of a constant is not a scale
            constant = scale <= 10 * np.finfo(np.float64).eps * np.abs(self.mean)
            for value, at in (
                (self.low, self.at_low),
                (np.zeros(len(scale)), self.at_zero),
                (self.high, self.at_high),
            ):
                others = self.weight - at
                square = self.weight / others * (self.variance + (self.mean - value) ** 2)
                half = 0.5 * np.sqrt(square)
                scale = np.where((at >= others) & (half > scale), half, scale)
        scale[constant] = np.inf
        mean = self.mean
        if text:
            mean = np.where(2 * self.at_zero >= self.weight, 0.0, mean)
            with np.errstate(all="ignore"):
                squares = (self.variance + (self.mean - mean) ** 2) / scale**2
            scale *= max(1.0, float(np.sqrt(squares.sum())) / TEXT_ROW_NORM)
        return Standardization(mean, scale)


def dense(X: Array) -> Array:
    """Return X as a dense array."""
    return X.toarray() if sparse.issparse(X) else X


def feature_moments(
    X: Array, sample_weight: np.ndarray | None, *, text: bool = False
) -> FeatureMoments:
    """Moments of the rows of X, weighted, in float64; two passes over blocks of rows.

    A sparse table is made dense block by block, so that its moments are those of the dense
    one bit by bit; with `text` the arithmetic is sparse.

    Raises
    ------
    ValueError
        If the features are so large or vary so little that their variance over- or underflows.
    """
    with np.errstate(all="ignore"):
        moments = _text_moments(X, sample_weight) if text else _moments(X, sample_weight)
    finite = np.isfinite(moments.variance)
    if not finite.all():
        raise ValueError(
            f"The values of X are too large: the variance of feature {np.argmin(finite)} "
            "overflows. Rescale X."
        )
    lost = (moments.variance < np.finfo(np.float64).tiny) & (moments.low < moments.high)
    if lost.any():
        raise ValueError(
            f"The values of X vary too little: the variance of feature {np.argmax(lost)} "
            "underflows. Rescale X."
        )
    return moments


def _moments(X: Array, sample_weight: np.ndarray | None) -> FeatureMoments:
    n_rows, n_features = X.shape
    xp, wide = (np, np.float64) if sparse.issparse(X) else (namespace_of(X), widest_float(X))
    like = dense(X[:1]) if sparse.issparse(X) else X
    blocks = list(row_blocks(0, n_rows, pass_rows(like, 8 * n_features)))
    weights = None if sample_weight is None else place(sample_weight, like, wide)

    def rows(block: slice) -> Array:
        part = dense(X[block]) if sparse.issparse(X) else X[block, ...]
        return xp.astype(part, wide, copy=False)

    def column_sum(values: Array, block: slice) -> np.ndarray:
        values = xp.astype(values, wide, copy=False)
        return to_numpy(xp.sum(values, axis=0) if weights is None else weights[block] @ values)

    weight = float(n_rows) if weights is None else float(xp.sum(weights))
    first = rows(slice(0, 1))
    shift, at_zero, variance, at_low, at_high = np.zeros((5, n_features))
    low = high = to_numpy(first)[0]
    for block in blocks:
        x = rows(block)
        # relative to the first row, so that a constant has exactly the variance 0
        shift += column_sum(x - first, block)
        at_zero += column_sum(x == 0, block)
        low = np.minimum(low, to_numpy(xp.min(x, axis=0)))
        high = np.maximum(high, to_numpy(xp.max(x, axis=0)))
    mean = to_numpy(first)[0] + shift / weight
    center, lowest, highest = (place(v, like, wide) for v in (mean, low, high))
    for block in blocks:
        x = rows(block)
        variance += column_sum((x - center) ** 2, block)
        at_low += column_sum(x == lowest, block)
        at_high += column_sum(x == highest, block)
    variance /= weight
    return FeatureMoments(weight, mean, variance, low, high, at_low, at_zero, at_high)


def _text_moments(X: Any, sample_weight: np.ndarray | None) -> FeatureMoments:
    n_rows, n_features = X.shape
    weights = np.ones(n_rows) if sample_weight is None else sample_weight.astype(np.float64)
    weight = float(weights.sum())
    columns, values = X.indices, X.data.astype(np.float64)
    of_entry = np.repeat(weights, np.diff(X.indptr))

    def column_sum(entries: np.ndarray) -> np.ndarray:
        return np.bincount(columns, of_entry * entries, minlength=n_features)

    at_zero = weight - column_sum(values != 0)
    implicit = weight - column_sum(np.ones(len(values)))
    mean = column_sum(values) / weight
    variance = (column_sum((values - mean[columns]) ** 2) + implicit * mean**2) / weight
    low, high = (to_numpy(dense(m))[0] for m in (X.min(axis=0), X.max(axis=0)))
    at_low = column_sum(values == low[columns]) + implicit * (low == 0)
    at_high = column_sum(values == high[columns]) + implicit * (high == 0)
    return FeatureMoments(weight, mean, variance, low, high, at_low, at_zero, at_high)
