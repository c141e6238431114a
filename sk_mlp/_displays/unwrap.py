"""The network inside a pipeline or a search, and the data as it sees them."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sk_mlp._predictor import TwoLayerPredictor


def unwrap(estimator: Any, display: str, X: Any = None) -> tuple[Any, Any, Any]:
    """Find the fitted network at the end of an estimator.

    Parameters
    ----------
    estimator : estimator
        A network, a Pipeline that ends in one, or a search (anything with `best_estimator_`)
        over either; nested as deep as you like.
    display : str
        Name of the display, for the messages.
    X : array-like, sparse matrix, data frame or None, default=None
        Samples, as `estimator` takes them.

    Returns
    -------
    network : estimator of sk_mlp
    X : array-like, sparse matrix, data frame or None
        The samples after all steps in front of the network.
    names : ndarray of str of shape (n_features,) or None
        Names of the features after those steps; None if there is no step, or one does not tell.

    Raises
    ------
    TypeError
        If there is no network at the end.
    sklearn.exceptions.NotFittedError
        If `estimator` is not fitted.
    ValueError
        If `estimator` is a search that did not refit.
    """
    names, inner = None, estimator
    while not isinstance(inner, TwoLayerPredictor):
        if hasattr(inner, "to_local"):
            raise TypeError(
                f"{display} draws networks on this machine; pass {type(inner).__name__}.to_local() "
                "of the fitted estimator, and X and y as NumPy arrays or data frames."
            )
        if hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        elif isinstance(inner, Pipeline):
            check_is_fitted(inner)
            steps, inner = inner[:-1], inner[-1]
            if len(steps):
                X = None if X is None else steps.transform(X)
                names = _names(steps, names)
        elif hasattr(inner, "param_grid") or hasattr(inner, "param_distributions"):
            check_is_fitted(inner)
            raise ValueError(
                f"{display} needs the best estimator of the search, which "
                f"{type(inner).__name__} has with refit=True only."
            )
        else:
            raise TypeError(
                f"{display} needs a network of sk_mlp, or a Pipeline or search that ends in one; "
                f"got {type(inner).__name__}."
            )
    check_is_fitted(inner)
    return inner, X, names


def _names(steps: Pipeline, names: Any) -> Any:
    try:
        return steps.get_feature_names_out(names)
    except AttributeError:  # a step that does not name what it makes
        return None
