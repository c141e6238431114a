"""What the displays read from a fitted network, as NumPy arrays on the host."""

import copy
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sk_mlp._backend.arrays import place, to_numpy
from sk_mlp._backend.compat import to_host
from sk_mlp._displays.geometry import class_margins, grid
from sk_mlp._predictor import TwoLayerPredictor

RESOLUTION = 300


def check_network(estimator: Any, display: str) -> None:
    """Raise unless `estimator` is a fitted network; say what to pass instead of a Pipeline."""
    if not isinstance(estimator, TwoLayerPredictor):
        raise TypeError(
            f"{display} needs an estimator of sk_mlp, got {type(estimator).__name__}. For the "
            "last step of a fitted Pipeline pass pipeline[-1] and pipeline[:-1].transform(X); "
            "for a search, its best_estimator_."
        )
    check_is_fitted(estimator)


class NetworkView:
    """A fitted network and validated samples.

    Parameters
    ----------
    estimator : estimator of sk_mlp
        Fitted.
    X : array-like or sparse matrix of shape (n_samples, n_features)
        Samples, as `estimator` takes them.
    y : array-like of shape (n_samples,) or None
        Their labels.

    Attributes
    ----------
    W1, b1, W2, b2 : float64 ndarray
        Parameters in user units.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or None
    H : float64 ndarray of shape (n_samples, hidden_units)
        Output of the hidden layer.
    feature_names : ndarray of str of shape (n_features,)
    """

    def __init__(self, estimator: Any, X: Any, y: Any) -> None:
        self.H = to_numpy(estimator.transform(X))  # which also validates X
        self.X: Any = X.tocsr() if sparse.issparse(X) else to_numpy(X)
        # grids made later have no names
        self._network: Any = copy.copy(estimator)
        vars(self._network).pop("feature_names_in_", None)
        (self.W1, self.W2), (self.b1, self.b2) = (
            [to_numpy(a) for a in arrays] for arrays in (estimator.coefs_, estimator.intercepts_)
        )
        self.y = self._labels(y)
        self.classes = np.asarray(to_host(estimator.classes_))
        names = [f"x{i}" for i in range(self.W1.shape[0])]
        self.feature_names = np.asarray(getattr(estimator, "feature_names_in_", names))

    def _labels(self, y: Any) -> np.ndarray | None:
        if y is None:
            return None
        labels: np.ndarray = np.asarray(to_host(y))
        if labels.ndim != 1:
            raise ValueError(
                f"y must have one label per sample to colour them, got shape {labels.shape}; for a "
                "multilabel target pass one of its columns, or y=None."
            )
        check_consistent_length(self.X, labels)
        return labels

    @property
    def multilabel(self) -> bool:
        """Whether the outputs are labels of their own instead of competing classes."""
        return bool(self._network.out_activation_ == "logistic" and self.W2.shape[1] > 1)

    @property
    def feature_std(self) -> np.ndarray:
        """Standard deviation of each feature, shape (n_features,)."""
        if sparse.issparse(self.X):
            return np.asarray(np.sqrt(mean_variance_axis(self.X, axis=0)[1]), dtype=np.float64)
        return np.asarray(np.std(self.X, axis=0))

    def regions(self, box: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Compute the lead of each class over a rectangle in the plane of two features.

        Parameters
        ----------
        box : ndarray of shape (2, 2)
            Lowest and highest coordinates.

        Returns
        -------
        xx0, xx1 : ndarray of shape (n, n)
        margins : ndarray of shape (n, n, n_classes)
            In logits. None instead of all three if labels do not exclude each other.
        """
        if self.multilabel:
            return None
        xx0, xx1 = grid(box, RESOLUTION)
        X = np.stack([xx0.ravel(), xx1.ravel()], axis=1)
        W1 = self._network.coefs_[0]
        X = place(X, W1, W1.dtype)
        raw = to_numpy(self._network.decision_function(X))
        return xx0, xx1, class_margins(raw.reshape(*xx0.shape, *raw.shape[1:]), self.W2.shape[1])
