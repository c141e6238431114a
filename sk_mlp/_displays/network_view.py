"""The network inside a pipeline or a search, and what the displays read from it."""

import copy
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sk_mlp._backend.arrays import place, to_numpy
from sk_mlp._backend.compat import to_host
from sk_mlp._predictor import TwoLayerPredictor

SHOWN_LABELS = 5  # in an error message


def unwrap(estimator: Any, display: str, X: Any = None) -> tuple[Any, Any, Any]:
    """Find the fitted network at the end of an estimator, and its input.

    The estimator is a network, a Pipeline that ends in one, or a search (anything with
    `best_estimator_`) over either, nested to any depth. `display` is named in the messages.
    Returns the network, X after all steps in front of it, and the names of its features, shape
    (n_features,): those that the steps give, or that it saw in fit, or ``x0``, ``x1``, ...
    """
    names, inner = None, estimator
    while not isinstance(inner, TwoLayerPredictor):
        kind = type(inner).__name__
        if hasattr(inner, "to_local"):
            raise TypeError(
                f"{display} draws networks on this machine; pass {kind}.to_local() "
                "of the fitted estimator, and X and y as NumPy arrays or data frames."
            )
        if hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        elif isinstance(inner, Pipeline):
            check_is_fitted(inner)
            steps, inner = inner[:-1], inner[-1]
            if len(steps):
                X = None if X is None else steps.transform(X)
                try:
                    names = steps.get_feature_names_out(names)
                except AttributeError:  # a step that does not name what it makes
                    names = None
        elif hasattr(inner, "refit"):
            check_is_fitted(inner)
            raise ValueError(
                f"{display} needs the best estimator of the search, which {kind} has with "
                "refit=True only."
            )
        else:
            raise TypeError(
                f"{display} needs a network of sk_mlp, or a Pipeline or search that ends in one; "
                f"got {kind}."
            )
    check_is_fitted(inner)
    if names is None:
        default = [f"x{i}" for i in range(inner.coefs_[0].shape[0])]
        names = getattr(inner, "feature_names_in_", default)
    return inner, X, names


class NetworkView:
    """A fitted network and validated samples, as NumPy arrays on the host.

    Takes the arguments of `from_estimator` and the name of the display, for the messages.

    Attributes
    ----------
    W1, b1, W2, b2 : float64 ndarray
        Parameters in user units.
    classes : ndarray of shape (n_classes,)
    multilabel : bool
        True if the outputs are labels of their own instead of competing classes.
    feature_names : ndarray of str of shape (n_features,)
    X : ndarray or sparse matrix of shape (n_samples, n_features), or None
    y : ndarray of shape (n_samples,) or None
    H : float64 ndarray of shape (n_samples, hidden_units), or None
        Output of the hidden layer.
    feature_std, unit_std : ndarray of shape (n_features,) and (hidden_units,)
        Standard deviations of X and H; ones without samples.
    """

    def __init__(
        self, estimator: Any, display: str, X: Any = None, y: Any = None, feature_names: Any = None
    ) -> None:
        network, X, names = unwrap(estimator, display, X)
        self.W1, self.W2 = map(to_numpy, network.coefs_)
        self.b1, self.b2 = map(to_numpy, network.intercepts_)
        n_features, hidden_units = self.W1.shape
        self.classes = np.asarray(to_host(network.classes_))
        self.multilabel = network.out_activation_ == "logistic" and self.W2.shape[1] > 1
        self.feature_names = np.asarray(names if feature_names is None else feature_names)
        if self.feature_names.shape != (n_features,):
            raise ValueError(
                f"{n_features} feature_names are needed, got shape {self.feature_names.shape}."
            )
        self.X: Any = None
        self.H: Any = None
        self.feature_std, self.unit_std = np.ones(n_features), np.ones(hidden_units)
        if X is not None:
            self.H = to_numpy(network.transform(X))  # which also validates X
            self.X = X if sparse.issparse(X) else to_numpy(X)
            self.feature_std = np.sqrt(StandardScaler(with_mean=False).fit(self.X).var_)
            self.unit_std = self.H.std(axis=0)
        self.y = None if y is None else self._labels(y)
        self._network: Any = copy.copy(network)
        vars(self._network).pop("feature_names_in_", None)  # grids have no names

    def raw_prediction(self, X: np.ndarray) -> np.ndarray:
        """Compute the logits of rows without names, such as a grid."""
        W1 = self._network.coefs_[0]
        return to_numpy(self._network.decision_function(place(X, W1, W1.dtype)))

    def _labels(self, y: Any) -> np.ndarray:
        labels: np.ndarray = np.asarray(to_host(y))
        if labels.ndim != 1:
            raise ValueError(
                f"y must have one label per sample to colour them, got shape {labels.shape}; for a "
                "multilabel target pass one of its columns, or y=None."
            )
        check_consistent_length(self.X, labels)
        # sets compare as Python does: NumPy would take "0" for 0
        unknown = sorted(set(labels.tolist()).difference(self.classes.tolist()), key=str)
        if unknown:
            raise ValueError(
                f"y has labels {unknown[:SHOWN_LABELS]} that are not in classes_ "
                f"{self.classes.tolist()}; encode y as for fit."
            )
        return labels


def strongest(weights: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of the rows of largest norm, the largest first."""
    return np.argsort(-np.linalg.norm(weights, axis=1), kind="stable")[:count]
