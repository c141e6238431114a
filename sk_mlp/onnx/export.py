"""Export of fitted estimators to ONNX, for runtimes without Python.

A network alone needs the package `onnx` only. What is around it in a Pipeline is converted by
`skl2onnx`. Both are imported when they are needed, not before.
"""

from importlib import import_module
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sk_mlp._classifier import TwoLayerMLPClassifier
from sk_mlp._classifier_cv import TwoLayerMLPClassifierCV
from sk_mlp._predictor import TwoLayerPredictor

__all__ = ["register_converters", "to_onnx"]


def to_onnx(model: BaseEstimator, X: Any = None, *, hidden: bool = False, dtype: Any = None) -> Any:
    """Convert a fitted estimator, or a model that contains one, to an ONNX model.

    Parameters
    ----------
    model : estimator
        Fitted. A network; a Pipeline, in which the network is the last step or a transformer
        before it, also inside a FeatureUnion or ColumnTransformer; CalibratedClassifierCV,
        BaggingClassifier, VotingClassifier, StackingClassifier or OneVsRestClassifier of
        networks or of Pipelines that end in one. Of a search, its `best_estimator_` is
        converted.
    X : DataFrame, array or list of str, optional
        A few rows of input to a model that starts from texts or from columns of several types;
        the graph then has an input for each column of a DataFrame. By default the graph has one
        input "X" of shape (n_samples, n_features). The graph of `skl2onnx` is compared with the
        model on up to 100 rows of X, so pass rows with missing values and unknown categories too.
    hidden : bool, default=False
        Add the output of `transform` to the graph; needs a network as the last step.
    dtype : {np.float32, np.float64}, optional
        Of all floating-point inputs, the arithmetic and the probabilities. By default that of
        the parameters, or of X if it is given. Single precision is smaller and known to more
        runtimes; a feature whose offset is large compared with its spread needs double
        precision.

    Returns
    -------
    onnx_model : onnx.ModelProto
        With the outputs "label", "probabilities" of shape (n_samples, n_classes) and, on
        request, "hidden" of shape (n_samples, hidden_units). Opset 18, IR version 9.

    Raises
    ------
    ImportError
        If `onnx`, or for more than a network `skl2onnx`, is not installed.
    TypeError
        If there is no network in the model, or one inside an estimator of another class.
    ValueError
        If the graph could not give the same predictions: for labels other than numbers below
        2**63, strings and booleans, or options such as ``voting="hard"``, where the message lists
        what can be exported; or if `skl2onnx` does not convert another step, or wrongly, where the
        message names it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_mlp import TwoLayerMLPClassifier
    >>> from sk_mlp.onnx import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> onnx_model = to_onnx(TwoLayerMLPClassifier(8, random_state=0).fit(X, y))
    >>> [output.name for output in onnx_model.graph.output]
    ['label', 'probabilities']
    """
    parts = _imported("sk_mlp.onnx.parts", "to_onnx")
    for estimator in parts.estimators(model):
        if hasattr(estimator, "to_local"):
            raise TypeError(
                f"{type(estimator).__name__} is exported as its network on one machine: pass "
                "what its to_local() returns."
            )
    check_is_fitted(model)
    found = parts.networks(model)
    if not found:
        raise TypeError(
            f"to_onnx needs a fitted model with a network; got {model!r}. {parts.CAN_EXPORT}."
        )
    bare = isinstance(model, TwoLayerPredictor)
    if dtype is None and (X is None or bare):  # that of the parameters
        dtype = "float32" if "float32" in str(found[-1].coefs_[0].dtype) else "float64"
    if dtype is not None:
        dtype = np.dtype(dtype)
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64; got {dtype}.")
    outputs = ("label", "probabilities", *(parts.HIDDEN if hidden else ()))
    if bare:
        return parts.graph_of(model, outputs, dtype, model.n_features_in_, parts.add_network)
    converter = _imported("sk_mlp.onnx.converter", "to_onnx")
    return converter.model_to_onnx(model, X, outputs, dtype)


def register_converters() -> None:
    """Make the networks known to `skl2onnx`, for those who call it themselves.

    :func:`to_onnx` does not need it. The options of a network, given as
    ``skl2onnx.to_onnx(..., options={id(network): {...}})``, are ``"transform"`` (the hidden
    layer alone, needed for a network before the last step), ``"hidden"`` (in addition),
    ``"raw_scores"`` (logits instead of probabilities) and ``"zipmap"``, which has to be False.

    Raises
    ------
    ImportError
        If `skl2onnx` is not installed.
    """
    converter = _imported("sk_mlp.onnx.converter", "register_converters")
    converter.register(TwoLayerMLPClassifier, TwoLayerMLPClassifierCV)


def _imported(module: str, caller: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        message = f'{caller} needs {error.name}: pip install "sk_mlp[onnx]"'
        raise ImportError(message, name=error.name) from error
