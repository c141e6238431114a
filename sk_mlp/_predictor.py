"""Predictions and transformation: all that only reads fitted attributes."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_mlp._backend.arrays import (
    Array,
    empty,
    namespace_of,
    on_host,
    place,
    to_numpy,
    widest_float,
)
from sk_mlp._backend.compat import check_same_namespace, namespace, supported_float_dtypes, to_host
from sk_mlp._backend.rows import forward_rows, pass_rows, row_blocks, row_ranges
from sk_mlp._backend.threads import row_threads
from sk_mlp._bridge import from_mlpclassifier, to_mlpclassifier
from sk_mlp._callbacks import CallbackSupportMixin
from sk_mlp._network.network import Network
from sk_mlp._network.outputs import OUTPUTS
from sk_mlp._network.parameters import Layout, Parameters
from sk_mlp._persistence import checked, stamped
from sk_mlp._training.training import quietly
from sk_mlp._types import FittedNetwork

PLAIN_SIZE = 2**16  # numbers in X up to which its checks, not the products, take the time
# Rows up to which the product is not worth the call that holds BLAS to one thread (45 us). From
# there its own threads cost more than they bring where another process is busy: MLPClassifier,
# which leaves them free, took 8 ms for 1000 x 50 with two threads and .6 ms with one.
DIRECT_ROWS = 192


class TwoLayerPredictor(
    FittedNetwork,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    ClassifierMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Predictions and transformation by a fitted two-layer perceptron.

    The methods are pure functions of ``coefs_``, ``intercepts_``, ``classes_``,
    ``out_activation_`` and the parameter `activation`; they write nothing and are thread-safe.
    """

    _doc_link_module = "sk_mlp"
    _doc_link_template = (
        "https://sk-mlp.readthedocs.io/en/stable/generated/{estimator_module}.{estimator_name}.html"
    )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.array_api_support = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        return stamped(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(checked(type(self), state))

    def __copy__(self) -> Any:
        # Callbacks copy an estimator in the middle of a fit, when its attributes belong to
        # two fits and would not pass the checks of a state that is loaded.
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__)
        return copy

    def __sklearn_array_api_convert__(self, convert: Callable[[Array], Array]) -> Any:
        """Copy with the network brought elsewhere by `convert`; the rest stays on the host."""
        moved = copy.deepcopy(self)
        if hasattr(self, "coefs_"):
            moved.coefs_ = [convert(W) for W in self.coefs_]
            moved.intercepts_ = [convert(b) for b in self.intercepts_]
            strings = isinstance(self.classes_, np.ndarray) and self.classes_.dtype.kind in "OUST"
            moved.classes_ = self.classes_ if strings else convert(self.classes_)
            names = ["feature_importances_"] if hasattr(self, "feature_importances_") else []
            names += ["alphas_", "alpha_scores_"] if hasattr(self, "alpha_scores_") else []
            like = moved.coefs_[0]  # its device may know no float64
            for name in names:
                values = place(to_numpy(getattr(self, name)), like, widest_float(like))
                setattr(moved, name, values)
        return moved

    @property
    def _n_features_out(self) -> int:
        return int(self.intercepts_[0].shape[0])

    @property
    def _first_coefs(self) -> Array:
        return self.coefs_[0]

    @property
    def _multilabel(self) -> bool:
        return bool(self.out_activation_ == "logistic" and self.intercepts_[1].shape[0] > 1)

    def _network(self) -> tuple[Network, Parameters]:
        """Return the network and its parameters."""
        (W1, W2), (b1, b2) = self.coefs_, self.intercepts_
        layout = Layout(W1.shape[0], W1.shape[1], W2.shape[1])
        network = Network.named(layout, self.activation, self.out_activation_)
        return network, Parameters(W1, b1, W2, b2)

    def _flat_parameters(self) -> np.ndarray:
        """Return the parameters as one vector on the host, in user units."""
        network, params = self._network()
        return network.layout.flatten(Parameters(*map(to_numpy, params)))

    def _validate_input(self, X: Any, method: str) -> Array:
        """X as a float array or CSR matrix."""
        if self._is_plain(X):
            return X
        check_is_fitted(self)
        check_same_namespace(X, self, attribute="_first_coefs", method=method)
        dtypes = supported_float_dtypes(namespace(X), X)
        return validate_data(self, X, accept_sparse="csr", dtype=dtypes, reset=False)

    def _is_plain(self, X: Any) -> bool:
        """True if validation can be skipped: it takes ten times as long as one row."""
        W1 = self.coefs_[0] if hasattr(self, "coefs_") else None
        return bool(
            type(X) is np.ndarray
            and type(W1) is np.ndarray
            and not hasattr(self, "feature_names_in_")
            and X.dtype in (np.float64, np.float32)
            and X.ndim == 2
            and 0 < X.size <= PLAIN_SIZE
            and X.shape[1] == W1.shape[0]
            and np.isfinite(X).all()
        )

    def _forward(self, X: Any, method: str, *, to_hidden: bool = False) -> Array:
        """phi(x) or the raw prediction, block by block."""
        X = self._validate_input(X, method)
        network, params = self._network()
        _, hidden_units, n_outputs = network.layout
        forward = network.raw_prediction
        if to_hidden:
            forward = lambda params, X: network.hidden(params, X)[1]
        n_rows, step = X.shape[0], forward_rows(X, hidden_units)
        if n_rows <= (DIRECT_ROWS if on_host(X) else step):
            return _finite(forward(params, X))
        dtype = namespace_of(X).result_type(X.dtype, params.W1.dtype)
        if to_hidden:
            result = empty((n_rows, hidden_units), params.W1, dtype)
        else:  # by columns, as `raw_prediction`
            result = empty((n_outputs, n_rows), params.W1, dtype).T

        @quietly  # in a thread of its own
        def fill(rows: range) -> None:
            for block in row_blocks(rows.start, rows.stop, step):
                result[block, ...] = forward(params, X[block, ...])

        with row_threads(X, network.layout.multiply_adds, hidden_units) as threads:
            list(threads.map(fill, row_ranges(n_rows, threads.n)))
        return _finite(result)

    @quietly
    def transform(self, X: Any) -> Array:
        """Return the output of the hidden layer, phi(x) = g(x W1 + b1).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples, in the units of the training data.

        Returns
        -------
        X_new : array of shape (n_samples, hidden_units)
            One column per hidden unit, in order of decreasing contribution to the output.
        """
        return self._forward(X, "transform", to_hidden=True)

    @quietly
    def decision_function(self, X: Any) -> Array:
        """Return the logits.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        raw : array of shape (n_samples,) or (n_samples, n_classes)
            For two classes the log-odds of ``classes_[1]``; else one logit per class or label.
        """
        S = self._forward(X, "decision_function")
        return S[:, 0] if S.shape[1] == 1 else S

    @quietly
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class (or label, if multilabel).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        probability : array of shape (n_samples, n_classes)
            Columns in the order of ``classes_``. Rows sum to one unless the target is
            multilabel.
        """
        S = self._both_classes(self._forward(X, "predict_proba"))
        return OUTPUTS[self.out_activation_].probability(S)

    @quietly
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of the probabilities, finite for finite logits.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_probability : array of shape (n_samples, n_classes)
            Columns in the order of ``classes_``, in nats.
        """
        S = self._both_classes(self._forward(X, "predict_log_proba"))
        return OUTPUTS[self.out_activation_].log_probability(S)

    @staticmethod
    def _both_classes(S: Array) -> Array:
        # sigmoid(-s) keeps the digits that 1 - sigmoid(s) loses
        return namespace_of(S).concat([-S, S], axis=1) if S.shape[1] == 1 else S

    @quietly
    def predict(self, X: Any) -> Array:
        """Predict the most probable class or, if multilabel, every label above one half.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_labels)
            Labels from ``classes_``; indicators if multilabel.
        """
        S = self._forward(X, "predict")
        xp = namespace_of(S)
        if self._multilabel:
            return xp.astype(S > 0, xp.int64)
        codes = S[:, 0] > 0 if S.shape[1] == 1 else xp.argmax(S, axis=1)
        codes = xp.astype(codes, xp.int64)
        if isinstance(self.classes_, np.ndarray):  # strings are, whatever X is
            return np.asarray(self.classes_[to_host(codes)])
        return xp.take(self.classes_, codes, axis=0)

    def to_mlpclassifier(self) -> Any:
        """Return the same network as a fitted MLPClassifier of scikit-learn.

        Returns
        -------
        mlp : sklearn.neural_network.MLPClassifier
            Its predictions are the same to rounding. Options that both classes have are copied.

        Raises
        ------
        ValueError
            If MLPClassifier does not have the activation.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sk_mlp import TwoLayerMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> network = TwoLayerMLPClassifier(8, random_state=0).fit(X, y)
        >>> network.to_mlpclassifier().score(X, y) == network.score(X, y)
        True
        """
        return to_mlpclassifier(self)

    @classmethod
    def from_mlpclassifier(cls, mlp: Any) -> Any:
        """Return a fitted MLPClassifier of scikit-learn as an estimator of this class.

        Parameters
        ----------
        mlp : sklearn.neural_network.MLPClassifier
            Fitted, with one hidden layer.

        Returns
        -------
        network : TwoLayerMLPClassifier
            Fitted; its predictions are the same to rounding.

        Raises
        ------
        ValueError
            If `mlp` has another number of hidden layers.
        TypeError
            If `mlp` is not an MLPClassifier.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.neural_network import MLPClassifier
        >>> from sk_mlp import TwoLayerMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> mlp = MLPClassifier((8,), solver="lbfgs", max_iter=2000, random_state=0).fit(X, y)
        >>> TwoLayerMLPClassifier.from_mlpclassifier(mlp).transform(X).shape
        (150, 8)
        """
        return from_mlpclassifier(cls, mlp)

    @quietly
    def input_gradient(self, X: Any) -> Array:
        """Return the gradient of the predicted probabilities with respect to the input.

        It says how much, and in which direction, a small change of each feature of a sample
        changes its probabilities. It is exact, in closed form, from one pass through the network.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples, in the units of the training data.

        Returns
        -------
        gradient : array of shape (n_samples, n_features) or (n_samples, n_classes, n_features)
            For two classes the derivatives of the probability of ``classes_[1]``; those of
            ``classes_[0]`` are their negatives. Else the derivatives of the probability of
            each class or label, in the order of ``classes_``. In probability per unit of the
            feature; dense, whether or not X is sparse.

        Notes
        -----
        ``dP/dx = J(P) W2^T diag(g'(x W1 + b1)) W1^T`` with J the derivative of the link,
        ``P (1 - P)`` for the sigmoid and ``diag(P) - P P^T`` for softmax. At the kink of
        "relu" and "leaky_relu" the derivative is the one from the left. Multiply a gradient
        by the standard deviation of its feature to compare features of different units.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sk_mlp import TwoLayerMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = TwoLayerMLPClassifier(8, random_state=0).fit(X, y)
        >>> model.input_gradient(X).shape
        (150, 3, 4)
        """
        X = self._validate_input(X, "input_gradient")
        network, params = self._network()
        _, hidden_units, n_outputs = network.layout
        blocks = row_blocks(0, X.shape[0], pass_rows(X, 8 * hidden_units * n_outputs))
        gradients = [network.input_gradient(params, X[block, ...]) for block in blocks]
        gradient = namespace_of(gradients[0]).concat(gradients)
        return gradient[:, 0, :] if n_outputs == 1 else gradient


def _finite(output: Array) -> Array:
    """Return the output of a layer, or raise ValueError if it overflows."""
    xp = namespace_of(output)
    if not xp.all(xp.isfinite(output)):
        raise ValueError(
            "The values of X are so large that the network overflows: its output is not finite."
        )
    return output
