"""The stored state of an estimator, and its checks when it is loaded.

Pickle, joblib, skops and `copy.deepcopy` all store what ``__getstate__`` returns and load it
by ``__setstate__``.
"""

import warnings
from inspect import signature
from typing import Any

import numpy as np
from sklearn.exceptions import InconsistentVersionWarning as SklearnVersionWarning

import sk_mlp
from sk_mlp._backend.arrays import to_numpy
from sk_mlp._backend.compat import to_host
from sk_mlp._data.moments import FeatureMoments
from sk_mlp._data.targets import has_nan
from sk_mlp._network.activations import ACTIVATIONS
from sk_mlp._network.outputs import OUTPUTS
from sk_mlp._network.parameters import Layout

VERSION_KEY = "_sk_mlp_version"

SKOPS_TRUSTED_TYPES = ["sk_mlp.TwoLayerMLPClassifier", "sk_mlp.TwoLayerMLPClassifierCV"]
"""List to pass as ``trusted`` to `skops.io.load` to load the estimators of this package."""


class InconsistentVersionWarning(SklearnVersionWarning):
    """Issued when an estimator is loaded that another version of sk_mlp saved.

    Parameters
    ----------
    estimator_name : str
        Its class.
    current_version, original_version : str
        Of sk_mlp.
    """

    def __init__(self, *, estimator_name: str, current_version: str, original_version: str) -> None:
        self.estimator_name = estimator_name
        self.current_version, self.original_version = current_version, original_version

    def __str__(self) -> str:
        return (
            f"This {self.estimator_name} was saved by sk_mlp {self.original_version} and is "
            f"loaded by sk_mlp {self.current_version}. Its state is valid, but compare its "
            "predictions with known ones before you rely on it."
        )


def stamped(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of an estimator with the version of sk_mlp that stores it."""
    return {**state, VERSION_KEY: sk_mlp.__version__}


def checked(estimator: type, state: dict[str, Any]) -> dict[str, Any]:
    """Return the state without its stamp, checked, with the options of this release.

    Raises a ValueError if the fitted attributes are inconsistent or not finite.
    """
    estimator_name, state = estimator.__name__, dict(state)
    saved_by, current = state.pop(VERSION_KEY, "of unknown version"), sk_mlp.__version__
    if "slots" in state.get("_stream", {}):
        state["_stream"] = _with_named_state(state["_stream"])
    if "coefs_" in state:
        try:
            _check_fitted_attributes(state)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"The stored state of this {estimator_name} is not valid: {error}"
            ) from error
    if saved_by != current:
        warnings.warn(
            InconsistentVersionWarning(
                estimator_name=estimator_name, current_version=current, original_version=saved_by
            ),
            stacklevel=3,
        )
        state = _with_options(estimator, state)
    return state


def _with_options(estimator: type, state: dict[str, Any]) -> dict[str, Any]:
    """Return the state with defaults for options that it lacks and without unknown ones."""
    parameters = signature(estimator).parameters
    unknown = [k for k in state if k not in parameters and not (k[0] == "_" or k[-1] == "_")]
    if unknown:
        warnings.warn(
            f"{estimator.__name__} has no option {', '.join(unknown)} in this release; its value in "
            "the file is ignored.",
            UserWarning,
            stacklevel=4,
        )
    kept = {name: value for name, value in state.items() if name not in unknown}
    return {name: p.default for name, p in parameters.items()} | kept


def _with_named_state(stream: dict[str, Any]) -> dict[str, Any]:
    """Return a state of `partial_fit` of 0.1.0, which had the vectors of a solver by position, by name."""
    slots = () if stream["slots"] is None else stream["slots"]
    names = {0: (), 1: ("velocity",), 2: ("m", "v")}[len(slots)]
    kept = {name: value for name, value in stream.items() if name != "slots"}
    solver = "adam" if len(slots) == 2 else "sgd"
    return kept | {"solver": solver, "state": dict(zip(names, slots, strict=True))}


def _check_fitted_attributes(state: dict[str, Any]) -> None:
    """Raise unless the network, its classes and its training state are consistent."""
    W1, W2 = state["coefs_"]
    b1, b2 = state["intercepts_"]
    layout = Layout(state["n_features_in_"], W1.shape[1], W2.shape[1])
    d, h, k = layout
    _check_array("coefs_[0]", W1, (d, h))
    _check_array("coefs_[1]", W2, (h, k))
    _check_array("intercepts_[0]", b1, (h,))
    _check_array("intercepts_[1]", b2, (k,))
    for name, choices in (("activation", ACTIVATIONS), ("out_activation_", OUTPUTS)):
        if state[name] not in choices:
            raise ValueError(f"{name} is {state[name]!r}, expected one of {', '.join(choices)}.")
    classes = to_host(state["classes_"])
    if classes.ndim != 1 or has_nan(classes):
        raise ValueError("classes_ must be a vector without NaN.")
    if not np.array_equal(classes, np.unique(classes)):
        raise ValueError("classes_ must be sorted and without repetitions.")
    if len(classes) != (2 if k == 1 and state["out_activation_"] == "logistic" else k):
        raise ValueError(f"classes_ has {len(classes)} entries for {k} output units.")
    if "_stream" in state:
        _check_stream(state["_stream"], layout)


def _check_stream(stream: dict[str, Any], layout: Layout) -> None:
    """Raise unless the state of `partial_fit` matches a network of this layout."""
    moments = FeatureMoments.restore(stream["moments"], layout.n_features)
    _check_array("the weight of the rows", np.asarray(moments.weight), ())
    if moments.mean is not None:
        _check_array("the mean of the features", moments.mean, (layout.n_features,))
        _check_array("the variance of the features", moments.variance, (layout.n_features,))
        if np.any(np.asarray(moments.variance) < 0):
            raise ValueError("the variance of a feature is negative.")
    if moments.weight < 0:
        raise ValueError("the weight of the rows is negative.")
    for name, vector in stream.get("state", {}).items():
        _check_array(f"the state {name!r} of the solver", vector, (layout.size,))


def _check_array(name: str, array: Any, shape: tuple[int, ...]) -> None:
    if tuple(array.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(array.shape)}, expected {shape}.")
    if isinstance(array, np.ndarray) and array.dtype.kind not in "fiu":
        raise ValueError(f"{name} has dtype {array.dtype}, expected a floating one.")
    if not np.all(np.isfinite(to_numpy(array))):
        raise ValueError(f"{name} has values that are not finite.")
