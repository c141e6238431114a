"""The two-layer perceptron on a Dask cluster, for data that outgrow one machine."""

try:
    import dask.array  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError(
        f'sk_mlp.dask needs Dask ({error}). Install it with: pip install "sk_mlp[dask]"'
    ) from error

from sk_mlp.dask.estimator import DaskTwoLayerMLPClassifier

__all__ = ["DaskTwoLayerMLPClassifier"]
