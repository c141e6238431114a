"""Every way in which training can end: whether it has converged, and what to tell the user."""

import math
from typing import NamedTuple


class Outcome(NamedTuple):
    """One way to end.

    Attributes
    ----------
    converged : bool
        True if the fit ended by itself.
    resumable : bool
        True if more iterations may lower the loss further.
    message : str
        What happened, after the name of the solver; empty if no warning is needed.
    advice : str
        What the user can do.
    """

    converged: bool
    resumable: bool = False
    message: str = ""
    advice: str = ""


OUTCOMES: dict[str, Outcome] = {
    "tol": Outcome(True),
    "early_stopping": Outcome(True),
    "stationary": Outcome(True),
    "schedule": Outcome(True, resumable=True),
    "max_iter": Outcome(
        False,
        resumable=True,
        message="stopped after max_iter={max_iter} {unit}s without convergence",
        advice="increase max_iter or tol",
    ),
    "diverged": Outcome(
        False,
        message="diverged: the loss is higher than always predicting the class frequencies",
        advice="rescale X or use standardize=True",
    ),
    "callback": Outcome(False),
    "partial_fit": Outcome(False),
}


def check_finite(loss: float) -> None:
    """Raise `NotFiniteError` if the loss is not finite."""
    if not math.isfinite(loss):
        raise NotFiniteError(
            f"The loss became {loss} during fit. The likely cause is a step that is too long "
            "(lower learning_rate_init), a penalty that is large for the total sample weight (lower "
            "alpha), or features so large that the arithmetic overflows (rescale X, or use "
            "standardize=True)."
        )


class NotFiniteError(ValueError):
    """The loss or the parameters are not finite."""
