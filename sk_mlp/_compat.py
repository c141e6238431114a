"""Contact with private or recent parts of scikit-learn, and nothing else."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn import get_config

# Private, but what every estimator with array API support uses; its own error messages point
# users to it (scikit-learn issue 34135 asks to make it public).
from sklearn.utils import _array_api

# Private, but the only function that validates weights as scikit-learn does.
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = ["check_same_namespace", "check_sample_weight", "namespace"]


def namespace(X: Any) -> Any:
    """Array namespace of validated data; that of NumPy arrays is NumPy itself."""
    if isinstance(X, np.ndarray) or sparse.issparse(X):
        return np
    return _array_api.get_namespace_and_device(X)[0]


def check_same_namespace(X: Any, estimator: Any, *, attribute: str, method: str) -> None:
    """Raise if X and the fitted arrays of the estimator are of different namespaces."""
    # scikit-learn < 1.8 does not have the check
    if get_config()["array_api_dispatch"] and hasattr(_array_api, "check_same_namespace"):
        _array_api.check_same_namespace(X, estimator, attribute=attribute, method=method)
