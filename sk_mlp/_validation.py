"""Checks of the parameters of the estimators, with errors that name parameter and value."""

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from inspect import signature
from numbers import Integral, Real
from typing import Any

import numpy as np

from sk_mlp._backend.compat import Interval, StrOptions, to_host, validate_parameter_constraints
from sk_mlp._data.data import Data
from sk_mlp._network.activations import ACTIVATIONS
from sk_mlp._solvers import SCHEDULES
from sk_mlp._training.settings import MINIBATCH_SOLVERS


class Number(Interval):
    """A number in an interval; True and False are none."""

    def is_satisfied_by(self, value: Any) -> bool:
        """Return True if the value is such a number."""
        return not isinstance(value, bool) and bool(super().is_satisfied_by(value))


class Numbers(Number):
    """A number in an interval, or several in a sequence."""

    def is_satisfied_by(self, value: Any) -> bool:
        """Return True if the value is such a number, or if all its values are."""
        values = np.atleast_1d(np.asarray(value, dtype=object)).tolist()
        return bool(values) and all(map(super().is_satisfied_by, values))

    def __str__(self) -> str:
        return f"{super().__str__()} or a sequence of them"


class Choice(StrOptions):
    """One of some strings, which an error lists in this order."""

    def __init__(self, *options: str) -> None:
        super().__init__(set(options))
        self.options = options


COUNT = Number(Integral, 1, None, closed="left")
NOT_NEGATIVE = Number(Real, 0, None, closed="left")
SHARE = Number(Real, 0, 1, closed="left")

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_units": [COUNT],
    "activation": [Choice(*ACTIVATIONS)],
    "solver": [Choice("auto", "lbfgs", *MINIBATCH_SOLVERS)],
    "alpha": [Choice("auto"), NOT_NEGATIVE],
    "standardize": ["boolean"],
    "n_init": [Choice("auto"), COUNT],
    "class_weight": [dict, list, Choice("balanced"), None],
    "batch_size": [Choice("auto"), COUNT],
    "learning_rate": [Choice(*SCHEDULES)],
    "learning_rate_init": [Choice("auto"), Number(Real, 0, None, closed="neither")],
    "momentum": [SHARE],
    "nesterovs_momentum": ["boolean"],
    "beta_1": [SHARE],
    "beta_2": [SHARE],
    "max_iter": [None, COUNT],
    "tol": [NOT_NEGATIVE],
    "early_stopping": ["boolean"],
    "validation_fraction": [Number(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Number(Real, 1, None, closed="both")],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}


def check_parameters(estimator: Any) -> None:
    """Raise a ValueError that names a wrong parameter, its value and what is allowed."""
    name = type(estimator).__name__
    validate_parameter_constraints(estimator._parameter_constraints, options_of(estimator), name)


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
    kind: Any = type(estimator)  # mypy takes a class for not hashable
    defaults = _defaults(kind).items()
    options = {name: getattr(estimator, name, default) for name, default in defaults}
    return {name: str(v) if isinstance(v, str) else v for name, v in options.items()}


@lru_cache  # to inspect signatures takes as long as a step of a stream
def _defaults(estimator: type) -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    for parent in reversed(estimator.__mro__):
        if parent is not object and "__init__" in vars(parent):
            parameters = signature(vars(parent)["__init__"]).parameters.values()
            defaults |= {p.name: p.default for p in parameters if p.default is not p.empty}
    return defaults


@contextlib.contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Leave the estimator as it was when an exception or an interrupt ends the block."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
