"""Solvers of functions of a flat vector; they know nothing of the network."""

from sk_mlp._solvers.lbfgs import lbfgs
from sk_mlp._solvers.minibatch import SCHEDULES, Course, minibatch
from sk_mlp._solvers.monitor import Monitor, Observer, SolverResult
from sk_mlp._solvers.outcomes import OUTCOMES, NotFiniteError, check_finite
from sk_mlp._solvers.updates import Progress, UpdateRule, adam, sgd, take_step

__all__ = [
    "OUTCOMES",
    "SCHEDULES",
    "Course",
    "Monitor",
    "NotFiniteError",
    "Observer",
    "Progress",
    "SolverResult",
    "UpdateRule",
    "adam",
    "check_finite",
    "lbfgs",
    "minibatch",
    "sgd",
    "take_step",
]
