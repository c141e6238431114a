"""Checks of the parameters of the estimators, with errors that name parameter and value."""

import contextlib
from collections.abc import Iterator
from inspect import signature
from numbers import Integral, Real
from typing import Any

import numpy as np

from sk_mlp._backend.compat import to_host
from sk_mlp._data.data import Data
from sk_mlp._network.activations import ACTIVATIONS
from sk_mlp._solvers import SCHEDULES
from sk_mlp._training.settings import MINIBATCH_SOLVERS


class Number:
    """A number of a type, in an interval."""

    def __init__(self, kind: Any, low: float, high: float = np.inf, ends: str = "[)") -> None:
        self.kind, self.low, self.high, self.ends = kind, low, high, ends

    def allows(self, value: Any) -> bool:
        """Return True if the value is such a number."""
        if not isinstance(value, self.kind) or isinstance(value, bool | np.bool_):
            return False
        above = value >= self.low if self.ends[0] == "[" else value > self.low
        below = value <= self.high if self.ends[1] == "]" else value < self.high
        return bool(above and below)

    def __str__(self) -> str:
        name = "an int" if self.kind is Integral else "a number"
        return f"{name} in {self.ends[0]}{self.low}, {self.high}{self.ends[1]}"


class Choice:
    """One of some values."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def allows(self, value: Any) -> bool:
        """Return True if the value is one of them."""
        if isinstance(value, str):  # NumPy's strings too, of which a search samples
            return str(value) in [v for v in self.values if isinstance(v, str)]
        return any(value is v for v in self.values)

    def __str__(self) -> str:
        return ", ".join(repr(v) for v in self.values)


class Flag:
    """True or False."""

    def allows(self, value: Any) -> bool:
        """Return True if the value is a bool."""
        return isinstance(value, bool | np.bool_)

    def __str__(self) -> str:
        return "a bool"


CONSTRAINTS: dict[str, tuple[Any, ...]] = {
    "hidden_units": (Number(Integral, 1),),
    "activation": (Choice(*ACTIVATIONS),),
    "solver": (Choice("auto", "lbfgs", *MINIBATCH_SOLVERS),),
    "alpha": (Choice("auto"), Number(Real, 0)),
    "standardize": (Flag(),),
    "n_init": (Choice("auto"), Number(Integral, 1)),
    "batch_size": (Choice("auto"), Number(Integral, 1)),
    "learning_rate": (Choice(*SCHEDULES),),
    "learning_rate_init": (Choice("auto"), Number(Real, 0, ends="()")),
    "momentum": (Number(Real, 0, 1),),
    "nesterovs_momentum": (Flag(),),
    "beta_1": (Number(Real, 0, 1),),
    "beta_2": (Number(Real, 0, 1),),
    "max_iter": (Choice(None), Number(Integral, 1)),
    "tol": (Number(Real, 0),),
    "early_stopping": (Flag(),),
    "validation_fraction": (Number(Real, 0, 1, ends="()"),),
    "n_iter_no_change": (Number(Real, 1, ends="[]"),),
    "warm_start": (Flag(),),
    "verbose": (Flag(), Number(Integral, 0)),
}


def check_parameters(estimator: Any, constraints: dict[str, tuple[Any, ...]] | None = None) -> None:
    """Raise if a parameter of the estimator is not what it may be.

    Raises
    ------
    ValueError
        Naming the parameter, its value and what is allowed.
    """
    options = options_of(estimator)
    for name, allowed in (constraints or CONSTRAINTS).items():
        value = options[name]
        if not any(constraint.allows(value) for constraint in allowed):
            choices = " or ".join(str(constraint) for constraint in allowed)
            raise ValueError(
                f"The {name!r} parameter of {type(estimator).__name__} must be {choices}; "
                f"got {value!r}."
            )
    weight = options.get("class_weight")
    if not (weight is None or isinstance(weight, dict | list) or Choice("balanced").allows(weight)):
        raise ValueError(
            f"The 'class_weight' parameter of {type(estimator).__name__} must be a dict of "
            "weights by class, 'balanced' or None (or a list of dicts for multilabel y); "
            f"got {weight!r}."
        )


def check_same_network(estimator: Any, data: Data, purpose: str) -> None:
    """Raise ValueError if the last fit was of a network of other shapes or classes."""
    n_features, hidden_units = estimator.coefs_[0].shape
    for name, last, now in (
        ("hidden_units", hidden_units, estimator.hidden_units),
        ("n_features", n_features, data.X.shape[1]),
        ("classes", to_host(estimator.classes_).tolist(), data.target.classes.tolist()),
        ("output units", estimator.out_activation_, data.target.output),
    ):
        if last != now:
            raise ValueError(
                f"{purpose} continues the last fit, which had {name} {last}; got {now}."
            )


def options_of(estimator: Any) -> dict[str, Any]:
    """Return the options of an estimator by name, with strings that are Python's own.

    Those of `TwoLayerMLPClassifier` that a subclass does not take in its constructor are its
    attributes, or else have their defaults.
    """
    options: dict[str, Any] = {}
    for parent in reversed(type(estimator).__mro__):
        if parent is not object and "__init__" in vars(parent):
            parameters = signature(vars(parent)["__init__"]).parameters.values()
            options |= {p.name: p.default for p in parameters if p.default is not p.empty}
    options = {name: getattr(estimator, name, default) for name, default in options.items()}
    return {name: str(v) if isinstance(v, str) else v for name, v in options.items()}


@contextlib.contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Leave the estimator as it was when an exception or an interrupt ends the block.

    What the caller has asked NumPy to raise is no exception: underflow is harmless, and results
    that are not finite are looked for.
    """
    before = vars(estimator).copy()
    try:
        with np.errstate(all="ignore"):
            yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
