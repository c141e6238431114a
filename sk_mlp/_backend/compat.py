"""Contact with private or recent parts of scikit-learn, and nothing else."""

from inspect import signature
from typing import Any

import numpy as np
from sklearn import get_config

# Private, but what every estimator with array API support uses; its own error messages point
# users to it (scikit-learn issue 34135 asks to make it public).
from sklearn.utils import _array_api

# Private, but how every estimator of scikit-learn checks its parameters.
from sklearn.utils._param_validation import Interval, StrOptions, validate_parameter_constraints

# Private, but the only function that validates weights as scikit-learn does.
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "Interval",
    "StrOptions",
    "accepts_sample_weight",
    "array_namespace",
    "check_same_namespace",
    "check_sample_weight",
    "namespace",
    "supported_float_dtypes",
    "to_host",
    "validate_parameter_constraints",
]


def namespace(X: Any) -> Any:
    """Array namespace of data; NumPy itself for NumPy, sparse and whatever is not an array."""
    if not _is_foreign(X):
        return np
    xp, is_array, _ = _array_api.get_namespace_and_device(X)
    return xp if is_array and not _array_api._is_numpy_namespace(xp) else np


def array_namespace(array: Any) -> Any:
    """Library of an array, whether or not dispatch is on; NumPy for whatever is not an array."""
    if not _is_foreign(array):
        return np
    return _array_api.array_api_compat.get_namespace(array)


def _is_foreign(array: Any) -> bool:
    """True for an array of another library than NumPy; pyarrow exports by DLPack but has none."""
    return (
        not isinstance(array, np.ndarray)
        and hasattr(array, "__dlpack__")
        and _array_api.array_api_compat.is_array_api_obj(array)
    )


def supported_float_dtypes(xp: Any, X: Any) -> tuple[Any, ...]:
    """Dtypes of float64 and float32 that the device of X has, the wider one first."""
    if xp is np:
        return np.float64, np.float32
    widest = _array_api._max_precision_float_dtype(xp, X.device)
    return (xp.float64, xp.float32) if widest == xp.float64 else (xp.float32,)


def to_host(array: Any) -> Any:
    """Copy an array of any namespace and device to NumPy; anything else is returned as it is.

    Whether or not dispatch is on: a fitted estimator may be read at any time.
    """
    if not _is_foreign(array):
        return array
    return _array_api._convert_to_numpy(array, array_namespace(array))


def check_same_namespace(X: Any, estimator: Any, *, attribute: str, method: str) -> None:
    """Raise if X and the fitted arrays of the estimator are of different namespaces."""
    fitted = getattr(estimator, attribute)
    if not get_config()["array_api_dispatch"]:
        if not isinstance(fitted, np.ndarray):
            raise ValueError(
                f"This {type(estimator).__name__} was fitted to arrays of "
                f"{type(fitted).__module__.split('.')[0]}. {method} needs such arrays and "
                "sklearn.config_context(array_api_dispatch=True), or an estimator that was moved "
                "to NumPy by sklearn.utils._array_api.move_estimator_to."
            )
    elif hasattr(_array_api, "check_same_namespace"):  # scikit-learn >= 1.8
        _array_api.check_same_namespace(X, estimator, attribute=attribute, method=method)


def accepts_sample_weight(scorer: Any) -> bool:
    """Return True if a scorer, one of scikit-learn's or any callable, can weigh the rows."""
    if hasattr(scorer, "_accept_sample_weight"):
        return bool(scorer._accept_sample_weight())
    parameters = signature(scorer).parameters.values()
    return any(p.name == "sample_weight" or p.kind is p.VAR_KEYWORD for p in parameters)
