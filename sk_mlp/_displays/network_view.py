"""The network inside a pipeline or a search, and what the displays read from it."""

import copy
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils.sparsefuncs import mean_variance_axis
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sk_mlp._backend.arrays import place, to_numpy
from sk_mlp._backend.compat import to_host
from sk_mlp._displays.geometry import class_margins, grid
from sk_mlp._predictor import TwoLayerPredictor

RESOLUTION = 300  # of a side: 12 ms for 100 hidden units, and a region is drawn to .3 % of the side
SHOWN_LABELS = 5  # in an error message


def unwrap(estimator: Any, display: str, X: Any = None) -> tuple[Any, Any, Any]:
    """Find the fitted network at the end of an estimator, and its input.

    The estimator is a network, a Pipeline that ends in one, or a search (anything with
    `best_estimator_`) over either, nested to any depth. `display` is named in the messages.
    Returns the network, X after all steps in front of it, and the names of the features after
    those steps, shape (n_features,), or None if no step gives them.
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
        elif hasattr(inner, "param_grid") or hasattr(inner, "param_distributions"):
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
    return inner, X, names


class NetworkView:
    """A fitted network and validated samples, as NumPy arrays on the host.

    Takes the arguments of `from_estimator` and the name of the display, for the messages.

    Attributes
    ----------
    W1, b1, W2, b2 : float64 ndarray
        Parameters in user units.
    X : ndarray or CSR matrix of shape (n_samples, n_features), or None
    y : ndarray of shape (n_samples,) or None
    H : float64 ndarray of shape (n_samples, hidden_units), or None
        Output of the hidden layer.
    classes : ndarray of shape (n_classes,)
        Names of the outputs.
    feature_names : ndarray of str of shape (n_features,)
    multilabel : bool
        True if the outputs are labels of their own instead of competing classes.
    """

    def __init__(
        self, estimator: Any, display: str, X: Any = None, y: Any = None, feature_names: Any = None
    ) -> None:
        network, X, names = unwrap(estimator, display, X)
        self.W1, self.W2 = map(to_numpy, network.coefs_)
        self.b1, self.b2 = map(to_numpy, network.intercepts_)
        self.classes = np.asarray(to_host(network.classes_))
        self.multilabel = network.out_activation_ == "logistic" and self.W2.shape[1] > 1
        self.X: Any = None
        self.H: Any = None
        if X is not None:
            self.H = to_numpy(network.transform(X))  # which also validates X
            self.X = X.tocsr() if sparse.issparse(X) else to_numpy(X)
        # grids made later have no names
        self._network: Any = copy.copy(network)
        vars(self._network).pop("feature_names_in_", None)
        self.y = None if y is None else self._labels(y)
        if feature_names is None:
            default = [f"x{i}" for i in range(self.W1.shape[0])]
            seen = getattr(network, "feature_names_in_", default)
            feature_names = seen if names is None else names
        self.feature_names = np.asarray(feature_names)
        if self.feature_names.shape != self.W1.shape[:1]:
            raise ValueError(
                f"{self.W1.shape[0]} feature_names are needed, got shape "
                f"{self.feature_names.shape}."
            )

    def _labels(self, y: Any) -> np.ndarray:
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

    @property
    def sample_classes(self) -> np.ndarray:
        """Values that `y` can take, in the order of the colours."""
        # of a multilabel target y is one column: present or not
        return np.unique(self.y) if self.multilabel and self.y is not None else self.classes

    def regions(self, box: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Compute the lead of each class over a rectangle in the plane of two features.

        `box` has the lowest and highest coordinates, shape (2, 2). Returns the coordinates of a
        grid, shape (n, n) each, and the margins there in logits, shape (n, n, n_classes), or None
        if labels do not exclude each other.
        """
        if self.multilabel:
            return None
        xx0, xx1 = grid(box, RESOLUTION)
        X = np.stack([xx0.ravel(), xx1.ravel()], axis=1)
        W1 = self._network.coefs_[0]
        raw = to_numpy(self._network.decision_function(place(X, W1, W1.dtype)))
        return xx0, xx1, class_margins(raw.reshape(*xx0.shape, -1))


def output_names(classes: np.ndarray, n_outputs: int) -> np.ndarray:
    """Return the classes that have an output: of two classes the second."""
    return classes[-1:] if n_outputs == 1 else classes


def strongest(weights: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of the rows of largest norm, the largest first."""
    return np.argsort(-np.linalg.norm(weights, axis=1), kind="stable")[:count]


def _list(labels: list[Any]) -> str:
    more = ", ..." if len(labels) > SHOWN_LABELS else ""
    return "[" + ", ".join(repr(label) for label in labels[:SHOWN_LABELS]) + more + "]"
