"""Weighted mean and scale of the features, in one call or as running statistics."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import namespace_of, place, to_numpy, widest_float
from sk_mlp._backend.rows import pass_rows, row_blocks
from sk_mlp._network.parameters import Standardization

Array = Any  # an array of any namespace of the array API standard

SPARSE_ROW_NORM = 10.0


class FeatureMoments(NamedTuple):
    """Weight, mean and variance of the rows seen so far.

    Attributes
    ----------
    weight : float
        Total sample weight.
    mean : ndarray of shape (n_features,) or None
        None for sparse data, which are not centred.
    variance : ndarray of shape (n_features,) or float
        For sparse data the mean squared row norm.
    """

    weight: float
    mean: np.ndarray | None
    variance: np.ndarray | float

    def merge(self, other: "FeatureMoments") -> "FeatureMoments":
        """Moments of both sets of rows together (Chan, Golub & LeVeque, 1983)."""
        weight = self.weight + other.weight
        share = other.weight / weight
        if self.mean is None or other.mean is None:
            norm = (1.0 - share) * self._squared_norm() + share * other._squared_norm()
            return FeatureMoments(weight, None, norm)
        variance = (1.0 - share) * self.variance + share * other.variance
        shift = other.mean - self.mean
        variance = variance + share * (1.0 - share) * shift**2
        return FeatureMoments(weight, self.mean + share * shift, variance)

    def _squared_norm(self) -> float:
        """Mean squared row norm, which is all that is known of sparse rows."""
        if self.mean is None:
            return float(self.variance)
        return float(np.sum(self.variance + self.mean**2))

    def standardization(self, n_features: int) -> Standardization:
        """Change of variables that brings these rows to mean 0 and scale 1.

        Sparse rows are brought to a root mean squared norm of ``sqrt(n_features)``, as dense
        ones, but of 10 at the most, and are not centred. A constant feature has scale 1.
        """
        if self.mean is None:
            norm = min(np.sqrt(n_features), SPARSE_ROW_NORM)
            scale = float(np.sqrt(self.variance)) / norm
            return Standardization(None, scale if scale > 0 else 1.0)
        scale = np.sqrt(self.variance)
        # what rounding leaves of a constant is not a scale
        constant = scale <= 10 * np.finfo(np.float64).eps * np.abs(self.mean)
        scale[constant] = 1.0
        return Standardization(self.mean, scale)


def feature_moments(X: Array, sample_weight: np.ndarray | None) -> FeatureMoments:
    """Moments of the rows of X, weighted, in float64; two passes over blocks of rows.

    Raises
    ------
    ValueError
        If the features are so large that their variance overflows.
    """
    if sparse.issparse(X):
        return _row_norm_moments(X, sample_weight)
    n_rows, n_features = X.shape
    xp, wide = namespace_of(X), widest_float(X)
    blocks = list(row_blocks(0, n_rows, pass_rows(X, 8 * n_features)))
    weights = None if sample_weight is None else place(sample_weight, X, wide)

    def weighted_sum(function: Any) -> np.ndarray:
        total = np.zeros(n_features)
        for block in blocks:
            values = function(xp.astype(X[block, ...], wide))
            sums = xp.sum(values, axis=0) if weights is None else weights[block] @ values
            total += to_numpy(sums)
        return total

    weight = float(n_rows) if weights is None else float(xp.sum(weights))
    with np.errstate(over="ignore", invalid="ignore"):
        # relative to the first row, so that a constant has exactly the variance 0
        first = xp.astype(X[:1, ...], wide)
        mean = to_numpy(first)[0] + weighted_sum(lambda x: x - first) / weight
        center = place(mean, X, wide)
        variance = weighted_sum(lambda x: (x - center) ** 2) / weight
    if not np.isfinite(variance).all():
        j = int(np.argmin(np.isfinite(variance)))
        raise ValueError(
            f"The values of X are too large: the variance of feature {j} overflows. Rescale X."
        )
    return FeatureMoments(weight, mean, variance)


def _row_norm_moments(X: Array, sample_weight: np.ndarray | None) -> FeatureMoments:
    """Moments of sparse rows: their mean squared norm stands for the variance."""
    weights = np.ones(X.shape[0]) if sample_weight is None else sample_weight.astype(np.float64)
    with np.errstate(over="ignore"):
        squares = np.square(X.data, dtype=np.float64) @ np.repeat(weights, np.diff(X.indptr))
    if not np.isfinite(squares):
        raise ValueError("The values of X are too large: their squares overflow. Rescale X.")
    weight = float(weights.sum())
    return FeatureMoments(weight, None, float(squares) / weight)
