"""Validated training data: from what a user passes to what the objective needs."""

import contextlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from sk_mlp._backend.arrays import Array, namespace_of, place, place_labels, take_rows
from sk_mlp._backend.compat import check_sample_weight, namespace, supported_float_dtypes, to_host
from sk_mlp._data.moments import FeatureMoments, feature_moments, is_text_like
from sk_mlp._data.targets import ONES, ClassWeights, Target, class_weights, encode, scaled
from sk_mlp._network.objective import Rows
from sk_mlp._network.outputs import OUTPUTS
from sk_mlp._network.parameters import Layout

EXTREME = 2.0**-40  # weights beyond are divided by their unit, so that single precision holds them
DENSE_BYTES = 2**26  # up to which a sparse table is made dense at once, not block by block


class Data(NamedTuple):
    """Rows to train or validate on.

    Attributes
    ----------
    X : array or CSR matrix of shape (n_samples, n_features)
        In float32 or float64 and C order.
    target : Target
    weights : float64 ndarray of shape (n_samples,) or None
        Sample weight times class weight; None where all are one.
    class_weights : ClassWeights
        By the labels to train on.
    is_text : bool, default=False
        True if X is sparse and text-like; see `is_text_like`.
    """

    X: Array
    target: Target
    weights: np.ndarray | None
    class_weights: ClassWeights = ONES
    is_text: bool = False

    def take(self, index: np.ndarray) -> "Data":
        """Select rows, by a copy."""
        rows = take_rows(self.X, place(index, self.X))
        target = self.target._replace(encoded=self.target.encoded[index])
        weights = None if self.weights is None else self.weights[index]
        return self._replace(X=rows, target=target, weights=weights)

    def weighted(self) -> "Data":
        """Select the rows that have a weight."""
        if self.weights is None or np.all(self.weights > 0):
            return self
        return self.take(np.flatnonzero(self.weights))

    def layout(self, hidden_units: int) -> Layout:
        """Shapes of a network for these data."""
        return Layout(self.X.shape[1], int(hidden_units), self.target.n_outputs)

    @property
    def is_short_text(self) -> bool:
        """True if X is text-like with so few rows that a pass or two fit it."""
        return self.is_text and 4 * self.X.shape[1] > self.X.shape[0]

    @property
    def weight_sum(self) -> float:
        """Total weight of the rows."""
        return float(self.X.shape[0] if self.weights is None else self.weights.sum())

    def rows(self) -> Rows:
        """Bring targets and weights to where X is."""
        y = self.target.encoded
        if self.target.output == "logistic":
            y = y.astype(np.bool_)
        weights, unit = self.weights, 1.0
        if weights is not None:
            if not EXTREME < weights.max() < 1.0 / EXTREME:
                weights, unit = scaled(weights)
            weights = place(weights, self.X, self.X.dtype)
        return Rows(self.X, place(y, self.X), weights, self.is_text, unit)

    def moments(self, *, standardize: bool) -> FeatureMoments:
        """Statistics of the features; without `standardize` only the weight of the rows.

        Raises
        ------
        ValueError
            If the features are so large that their squares overflow.
        """
        xp, X = namespace_of(self.X), self.X
        if standardize:
            return feature_moments(X, self.weights, text=self.is_text)
        values = X.data if sparse.issparse(X) else X
        largest = max(float(xp.max(values)), -float(xp.min(values))) if values.shape[0] else 0.0
        if largest > math.sqrt(float(xp.finfo(X.dtype).max)):
            raise ValueError(
                f"The values of X are too large, up to {largest:.3g}: their squares overflow. "
                "Rescale X, or use standardize=True."
            )
        return FeatureMoments(self.weight_sum)

    def log_odds(self) -> np.ndarray:
        """Output intercepts that alone predict the share of each class, shape (n_outputs,)."""
        # a class may be absent here, as in a fold of cross-validation
        share = np.clip(self._shares(), 1e-4, 1 - 1e-4)
        odds = share if self.target.output == "softmax" else share / (1.0 - share)
        return np.asarray(np.log(odds))

    def prior_loss(self) -> float:
        """Cross-entropy of a model that predicts the share of each class, in nats per row."""
        output = OUTPUTS[self.target.output]  # its loss is linear in the targets
        loss, _ = output.loss_residual(self.log_odds()[None], self._shares()[None])
        return float(loss[0])

    def _shares(self) -> np.ndarray:
        target = self.target
        if target.output == "logistic":
            return np.asarray(np.average(target.encoded, axis=0, weights=self.weights))
        totals = np.bincount(target.encoded, self.weights, minlength=len(target.classes))
        return np.asarray(totals / totals.sum())


def validate(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    classes: np.ndarray | None = None,
    *,
    reset: bool = True,
) -> Data:
    """Validate what was passed to fit; rows of weight zero stay, see `Data.weighted`.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_`` and ``feature_names_in_`` if `reset`; its `class_weight` counts.
    X, y, sample_weight
        As passed by the user.
    classes : ndarray, optional
        Classes to encode y by; those in y by default.
    reset : bool, default=True
        True if X defines the features, False if it must have the known ones.

    Raises
    ------
    ValueError
        If X, y or sample_weight cannot be trained on.
    """
    options = _options_of_rows(X)
    X, y = validate_data(estimator, X, y, multi_output=True, reset=reset, **options)
    X, is_text = in_container(X)
    target = encode(_labels(y), classes)
    weights = _sample_weight(sample_weight, target)
    by_class = class_weights(getattr(estimator, "class_weight", None), target, weights)
    return Data(X, target, by_class.rows(target, weights), by_class, is_text)


def validate_held_out(
    estimator: Any, X_val: Any, y_val: Any, sample_weight_val: Any, training: Data
) -> Data:
    """Validate the data that a fit is watched on.

    Raises
    ------
    ValueError
        If they are incomplete or do not fit the training data; it names the argument.
    """
    if X_val is None or y_val is None:
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(f"X_val and y_val must be given together; {missing} is None.")
    with _named("X_val"):
        X = validate_data(estimator, X_val, reset=False, **_options_of_rows(X_val))
        X, is_text = in_container(X)
    with _named("y_val"):
        y = check_array(y_val, accept_sparse="csr", ensure_2d=False, dtype=None, input_name="y_val")
    with _named("X_val and y_val"):
        check_consistent_length(X, y)
    with _named("y_val"):
        like = training.target
        target = encode(_labels(y), like.classes, multilabel=like.multilabel)
    with _named("y_val" if sample_weight_val is None else "sample_weight_val"):
        weights = training.class_weights.rows(target, _sample_weight(sample_weight_val, target))
    return Data(X, target, weights, training.class_weights, is_text).weighted()


@contextlib.contextmanager
def _named(argument: str) -> Iterator[None]:
    """Let a ValueError say which argument it is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{argument} cannot be used: {error}") from error


def _options_of_rows(X: Any) -> dict[str, Any]:
    return {
        "accept_sparse": "csr",
        "dtype": supported_float_dtypes(namespace(X), X),
        "order": "C",
    }


def _labels(y: Any) -> Any:
    """Labels on the host, 1d if they are one column."""
    y = to_host(y)
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def _sample_weight(sample_weight: Any, target: Target) -> np.ndarray | None:
    """Return valid weights of rows, or raise an error that names the argument."""
    if sample_weight is None:
        return None
    weights = to_host(sample_weight)
    try:
        return np.asarray(check_sample_weight(weights, target.encoded, ensure_non_negative=True))
    except ValueError as error:
        if "sample_weight" in str(error):
            raise
        raise ValueError(f"sample_weight is not valid: {error}") from error


def in_container(X: Array) -> tuple[Array, bool]:
    """Return X as CSR and True if it is text-like, else, unless that is too large, dense."""
    if sparse.issparse(X) and not X.has_canonical_format:
        X = X.copy()  # entries that were given in several parts are one number
        X.sum_duplicates()
    if is_text_like(X):
        return sparse.csr_matrix(X), True
    if sparse.issparse(X) and X.dtype.itemsize * X.shape[0] * X.shape[1] <= DENSE_BYTES:
        return X.toarray(), False
    return X, False


def fitted_network(user: np.ndarray, layout: Layout, data: Data) -> dict[str, Any]:
    """Fitted attributes of the network with these parameters, in user units."""
    X = data.X
    W1, b1, W2, b2 = (place(part, X, X.dtype) for part in layout.views(user))
    return {
        "coefs_": [W1, W2],
        "intercepts_": [b1, b2],
        "classes_": place_labels(data.target.classes, X),
        "out_activation_": data.target.output,
    }
