"""Solvers: they see callables and a flat vector, and nothing of the network."""

from sk_mlp._solvers.lbfgs import lbfgs
from sk_mlp._solvers.minibatch import (
    SCHEDULES,
    Progress,
    UpdateRule,
    adam,
    minibatch,
    sgd,
    start,
    take_step,
)
from sk_mlp._solvers.monitor import Monitor, Observer, SolverResult, check_finite

__all__ = [
    "SCHEDULES",
    "Monitor",
    "Observer",
    "Progress",
    "SolverResult",
    "UpdateRule",
    "adam",
    "check_finite",
    "lbfgs",
    "minibatch",
    "sgd",
    "start",
    "take_step",
]
