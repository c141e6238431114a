"""What the displays read from a fitted network, as NumPy arrays on the host."""

import copy
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import check_consistent_length

from sk_mlp._backend.arrays import place, to_numpy
from sk_mlp._backend.compat import to_host
from sk_mlp._displays.geometry import class_margins, grid
from sk_mlp._displays.unwrap import unwrap

RESOLUTION = 300  # of a side: 12 ms for 100 hidden units, and a region is drawn to .3 % of the side
SHOWN_LABELS = 5  # in an error message


class NetworkView:
    """A fitted network and validated samples.

    Parameters
    ----------
    estimator : estimator of sk_mlp, Pipeline or search
        Fitted; see :func:`unwrap`.
    display : str
        Name of the display, for the messages.
    X, y, feature_names
        As `HiddenUnitsDisplay.from_estimator` takes them. Without X all weights are measured in
        the units given.

    Attributes
    ----------
    W1, b1, W2, b2 : float64 ndarray
        Parameters in user units.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or None
    H : float64 ndarray of shape (n_samples, hidden_units)
        Output of the hidden layer.
    classes : ndarray of shape (n_classes,)
        Names of the outputs.
    feature_names : ndarray of str of shape (n_features,)
    """

    def __init__(
        self, estimator: Any, display: str, X: Any = None, y: Any = None, feature_names: Any = None
    ) -> None:
        network, X, names = unwrap(estimator, display, X)
        (self.W1, self.W2), (self.b1, self.b2) = (
            [to_numpy(a) for a in arrays] for arrays in (network.coefs_, network.intercepts_)
        )
        self.X: Any = None
        self.H: Any = None
        if X is not None:
            self.H = to_numpy(network.transform(X))  # which also validates X
            self.X = X.tocsr() if sparse.issparse(X) else to_numpy(X)
        # grids made later have no names
        self._network: Any = copy.copy(network)
        vars(self._network).pop("feature_names_in_", None)
        self.classes = np.asarray(to_host(network.classes_))
        self.y = self._labels(y)
        if feature_names is None:
            default = [f"x{i}" for i in range(self.W1.shape[0])]
            feature_names = getattr(network, "feature_names_in_", default)
            feature_names = feature_names if names is None else names
        self.feature_names = np.asarray(feature_names)
        if self.feature_names.shape != self.W1.shape[:1]:
            raise ValueError(
                f"{self.W1.shape[0]} feature_names are needed, got shape "
                f"{self.feature_names.shape}."
            )

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
        # Python's comparison: NumPy's would take "0" for 0
        known = set(self.classes.tolist())
        unknown = [label for label in dict.fromkeys(labels.tolist()) if label not in known]
        if unknown and not self.multilabel:
            raise ValueError(
                f"y has labels {_list(unknown)} that are not in classes_ "
                f"{_list(self.classes.tolist())}; encode y as for fit."
            )
        return labels

    @property
    def multilabel(self) -> bool:
        """True if the outputs are labels of their own instead of competing classes."""
        return bool(self._network.out_activation_ == "logistic" and self.W2.shape[1] > 1)

    @property
    def sample_classes(self) -> np.ndarray:
        """Values that `y` can take, in the order of the colours."""
        # of a multilabel target y is one column: present or not
        return np.unique(self.y) if self.multilabel and self.y is not None else self.classes

    @property
    def feature_std(self) -> np.ndarray:
        """Standard deviation of each feature, shape (n_features,); ones without samples."""
        if self.X is None:
            return np.ones(self.W1.shape[0])
        if sparse.issparse(self.X):
            return np.asarray(np.sqrt(mean_variance_axis(self.X, axis=0)[1]), dtype=np.float64)
        return np.asarray(np.std(self.X, axis=0))

    @property
    def unit_std(self) -> np.ndarray:
        """Standard deviation of each hidden unit, shape (hidden_units,); ones without samples."""
        return np.ones(self.W1.shape[1]) if self.X is None else np.asarray(self.H.std(axis=0))

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


def _list(labels: list[Any]) -> str:
    more = ", ..." if len(labels) > SHOWN_LABELS else ""
    return "[" + ", ".join(repr(label) for label in labels[:SHOWN_LABELS]) + more + "]"
