"""The two-layer perceptron on a Dask cluster, for data that outgrow one machine."""

from sk_mlp.dask.estimator import DaskTwoLayerMLPClassifier

__all__ = ["DaskTwoLayerMLPClassifier"]
