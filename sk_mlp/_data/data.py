"""Validated training data: from what a user passes to what the objective needs."""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.validation import column_or_1d, validate_data

from sk_mlp._backend.arrays import namespace_of, place, place_labels, take_rows
from sk_mlp._backend.compat import check_sample_weight, namespace, supported_float_dtypes, to_host
from sk_mlp._data.moments import FeatureMoments, feature_moments, is_text_like
from sk_mlp._data.targets import ONES, ClassWeights, Target, class_weights, encode, scaled
from sk_mlp._network.objective import Rows
from sk_mlp._network.outputs import OUTPUTS
from sk_mlp._network.parameters import Layout

Array = Any  # an array of any namespace of the array API standard

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
    training: Data | None = None,
    reset: bool = True,
    keep_all: bool = False,
) -> Data:
    """Validate what was passed to fit.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_`` and ``feature_names_in_`` if `reset`; its `class_weight` counts.
    X, y, sample_weight
        As passed by the user.
    classes : ndarray, optional
        Classes to encode y by; those in y by default.
    training : Data, optional
        Data to train on, if these are others: y is of the same kind, with the same class weights.
    reset : bool, default=True
        True if X defines the features, False if it must have the known ones.
    keep_all : bool, default=False
        Keep rows of weight zero.

    Raises
    ------
    ValueError
        If X, y or sample_weight cannot be trained on.
    """
    X, y = validate_data(
        estimator,
        X,
        y,
        accept_sparse="csr",
        dtype=supported_float_dtypes(namespace(X), X),
        order="C",
        multi_output=True,
        reset=reset,
    )
    if sparse.issparse(X) and not X.has_canonical_format:
        X = X.copy()  # entries that were given in several parts are one number
        X.sum_duplicates()
    X, is_text = in_container(X)
    y = to_host(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    kind = None if training is None else training.target.multilabel
    target = encode(y, classes, multilabel=kind)
    weights = None
    if sample_weight is not None:
        weights = _sample_weight(to_host(sample_weight), y)
    if training is None:
        by_class = class_weights(getattr(estimator, "class_weight", None), target, weights)
    else:
        by_class = training.class_weights
    data = Data(X, target, by_class.rows(target, weights), by_class, is_text)
    weights = data.weights
    if weights is None or keep_all or np.all(weights > 0):
        return data
    return data.take(np.flatnonzero(weights))


def _sample_weight(sample_weight: Any, y: np.ndarray) -> np.ndarray:
    """Return valid weights of rows, or raise an error that names the argument."""
    try:
        return np.asarray(check_sample_weight(sample_weight, y, ensure_non_negative=True))
    except ValueError as error:
        if "sample_weight" in str(error):
            raise
        raise ValueError(f"sample_weight is not valid: {error}") from error


def in_container(X: Array) -> tuple[Array, bool]:
    """Return X as CSR and True if it is text-like, else, unless that is too large, dense."""
    if is_text_like(X):
        return sparse.csr_matrix(X), True
    if sparse.issparse(X) and X.dtype.itemsize * X.shape[0] * X.shape[1] <= DENSE_BYTES:
        return X.toarray(), False
    return X, False


def validate_held_out(
    estimator: Any, X_val: Any, y_val: Any, sample_weight_val: Any, training: Data
) -> Data:
    """Validate the data that a fit is watched on.

    Raises
    ------
    ValueError
        If they are incomplete or do not fit the training data.
    """
    if X_val is None or y_val is None:
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(f"X_val and y_val must be given together; {missing} is None.")
    try:
        return validate(
            estimator,
            X_val,
            y_val,
            sample_weight_val,
            training.target.classes,
            training=training,
            reset=False,
        )
    except ValueError as error:
        raise ValueError(f"X_val, y_val or sample_weight_val does not fit X, y: {error}") from error


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
