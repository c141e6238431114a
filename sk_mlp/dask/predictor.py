"""The side of the Dask estimator that only reads fitted attributes."""

from typing import Any

import dask
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from sk_mlp._classifier import TwoLayerMLPClassifier
from sk_mlp._types import FittedNetwork
from sk_mlp.dask.blocks import right_weight
from sk_mlp.dask.collections import is_array, is_frame, per_block, row_partitions


def fitted(estimator: BaseEstimator) -> dict[str, Any]:
    """Return all that an estimator has beyond its parameters."""
    parameters = estimator.get_params()
    return {name: value for name, value in vars(estimator).items() if name not in parameters}


class DaskPredictor(FittedNetwork, ClassifierMixin, BaseEstimator):
    """Lazy predictions and transformation of Dask collections, block by block."""

    def _local(self) -> TwoLayerMLPClassifier:
        network = TwoLayerMLPClassifier(**{**self.get_params(), "solver": "lbfgs"})
        network.__dict__.update(fitted(self))
        return network

    def to_local(self) -> TwoLayerMLPClassifier:
        """Give the same network as an estimator that needs no cluster.

        Returns
        -------
        network : TwoLayerMLPClassifier
            Fitted, with arrays in memory.
        """
        check_is_fitted(self)
        return self._local()

    def _lazily(self, method: str, X: Any) -> Any:
        network = self.to_local()
        if not (is_array(X) or is_frame(X)):
            return getattr(network, method)(X)
        return per_block(network, method, X)

    def decision_function(self, X: Any) -> Any:
        """Raw predictions: logits; see `TwoLayerMLPClassifier.decision_function`.

        Parameters
        ----------
        X : dask array or dataframe of shape (n_samples, n_features)
            Samples. Data in memory are taken as well, and give an array in memory.

        Returns
        -------
        raw : dask array of shape (n_samples,) or (n_samples, n_classes)
            Not yet computed.
        """
        return self._lazily("decision_function", X)

    def predict(self, X: Any) -> Any:
        """Most probable class, or labels above one half; see `TwoLayerMLPClassifier.predict`.

        Parameters
        ----------
        X : dask array or dataframe of shape (n_samples, n_features)
            Samples; see `decision_function`.

        Returns
        -------
        y : dask array of shape (n_samples,) or (n_samples, n_labels)
            Not yet computed.
        """
        return self._lazily("predict", X)

    def predict_proba(self, X: Any) -> Any:
        """Probability of each class or label; see `TwoLayerMLPClassifier.predict_proba`.

        Parameters
        ----------
        X : dask array or dataframe of shape (n_samples, n_features)
            Samples; see `decision_function`.

        Returns
        -------
        probability : dask array of shape (n_samples, n_classes)
            Not yet computed.
        """
        return self._lazily("predict_proba", X)

    def predict_log_proba(self, X: Any) -> Any:
        """Logarithm of the probabilities; see `TwoLayerMLPClassifier.predict_log_proba`.

        Parameters
        ----------
        X : dask array or dataframe of shape (n_samples, n_features)
            Samples; see `decision_function`.

        Returns
        -------
        log_probability : dask array of shape (n_samples, n_classes)
            Not yet computed.
        """
        return self._lazily("predict_log_proba", X)

    def transform(self, X: Any) -> Any:
        """Output of the hidden layer; see `TwoLayerMLPClassifier.transform`.

        Parameters
        ----------
        X : dask array or dataframe of shape (n_samples, n_features)
            Samples; see `decision_function`.

        Returns
        -------
        X_new : dask array of shape (n_samples, hidden_units)
            Not yet computed.
        """
        return self._lazily("transform", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy, computed on the cluster.

        Parameters
        ----------
        X : dask array or dataframe of shape (n_samples, n_features)
            Samples.
        y : dask array, series or dataframe of shape (n_samples,) or (n_samples, n_labels)
            True labels. Of several, all have to be right.
        sample_weight : dask array or series of shape (n_samples,), optional
            Not negative.

        Returns
        -------
        accuracy : float
            Weighted share of rows that are predicted right.
        """
        count, network = dask.delayed(right_weight), dask.delayed(self.to_local())
        parts = row_partitions(X, y, sample_weight)
        counts = dask.compute(*(count(part, network) for part in parts))
        right, weight = np.sum(counts, axis=0)
        return float(right / weight)
