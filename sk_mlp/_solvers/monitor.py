"""Decide when a solver stops and which weights are kept, and notify observers."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from sk_mlp._backend.arrays import Array
from sk_mlp._solvers.outcomes import OUTCOMES, check_finite


class Observer(Protocol):
    """Receives a call for every iteration."""

    def begin_iteration(self) -> None:
        """Called before each iteration."""

    def end_iteration(
        self, iteration: int, x: Array, loss: float, validation_loss: float | None
    ) -> bool:
        """Called after each iteration, at x, which may be a live buffer. True asks to stop."""


class SolverResult(NamedTuple):
    """What a solver returns.

    Attributes
    ----------
    x : array of shape (n_parameters,)
        The best parameters: those of the lowest watched loss, see `Monitor`.
    loss : float
        Training loss of the iteration that gave x.
    best : float
        Watched loss of that iteration.
    n_iter : int
        Iterations (epochs) run.
    best_iter : int
        Iterations run when x was reached; 0 is the start.
    reason : str
        Key of `OUTCOMES`.
    loss_curve, validation_loss_curve : list of float
        One entry per iteration.
    """

    x: Array
    loss: float
    best: float
    n_iter: int
    best_iter: int
    reason: str
    loss_curve: list[float]
    validation_loss_curve: list[float]

    @property
    def converged(self) -> bool:
        """True if the solver ended by itself."""
        return OUTCOMES[self.reason].converged


class Monitor:
    """Follow a fit, keep the best parameters and say when to stop.

    A fit has converged when `n_iter_no_change` iterations in a row have each failed to bring
    the watched loss more than `tol` below the lowest one before. The watched loss is that of
    the validation data if `watch_validation`, else the training objective.

    Parameters
    ----------
    max_iter : int
    tol : float
        In nats per unit of sample weight. ``-inf`` never stops.
    n_iter_no_change : int or inf
    validation_loss : callable (params) -> float, optional
    watch_validation : bool, default=False
        Watch the validation loss.
    observers : sequence of Observer

    Attributes
    ----------
    lower_rate : callable () -> bool
        Called when progress stalls; if it returns True, the fit goes on at a lower rate.
    """

    def __init__(
        self,
        *,
        max_iter: int,
        tol: float,
        n_iter_no_change: float,
        validation_loss: Callable[[Array], float] | None = None,
        watch_validation: bool = False,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.max_iter, self.tol, self.n_iter_no_change = max_iter, tol, n_iter_no_change
        self.validation_loss, self.watch_validation = validation_loss, watch_validation
        self.observers, self.in_iteration = observers, False
        self.lower_rate: Callable[[], bool] = lambda: False
        self.loss_curve: list[float] = []
        self.validation_loss_curve: list[float] = []
        self.best, self.best_iter = math.inf, 0
        self.best_x: Array = None
        self.best_train = math.inf
        self.stale = 0
        self.reason = ""

    def begin(self, x: Array, loss: float) -> None:
        """Record the start, which is returned if no iteration improves on it."""
        check_finite(loss)
        watched = loss
        if self.watch_validation and self.validation_loss is not None:
            watched = self.validation_loss(x)
        self._keep(x, loss, watched)

    def begin_iteration(self) -> None:
        """Notify the observers that an iteration begins, unless one has begun."""
        if not self.in_iteration:
            self.in_iteration = True
            for observer in self.observers:
                observer.begin_iteration()

    def update(self, x: Array, loss: float) -> bool:
        """Record an iteration; x may be a live buffer. Return True to stop."""
        check_finite(loss)
        self.loss_curve.append(loss)
        watched, validation = loss, None
        if self.validation_loss is not None:
            validation = self.validation_loss(x)
            self.validation_loss_curve.append(validation)
            watched = validation if self.watch_validation else loss
        self.stale = 0 if watched < self.best - self.tol else self.stale + 1
        if watched < self.best:
            self._keep(x, loss, watched)
        # every observer is called for every iteration, whoever asks to stop
        n_iter, self.in_iteration = len(self.loss_curve), False
        asked = [o.end_iteration(n_iter, x, loss, validation) for o in self.observers]
        if any(asked):
            self.reason = "callback"
        elif self.stale >= self.n_iter_no_change:
            if n_iter < self.max_iter and self.lower_rate():
                self.stale = 0
            else:
                self.reason = "early_stopping" if self.watch_validation else "tol"
        elif n_iter >= self.max_iter:
            self.reason = "max_iter"
        return bool(self.reason)

    def _keep(self, x: Array, loss: float, watched: float) -> None:
        self.best, self.best_train, self.best_iter = watched, loss, len(self.loss_curve)
        self.best_x = x + 0.0  # a copy, in any namespace

    def result(self) -> SolverResult:
        """Return the result of the iterations so far."""
        return SolverResult(
            self.best_x,
            self.best_train,
            self.best,
            len(self.loss_curve),
            self.best_iter,
            self.reason,
            self.loss_curve,
            self.validation_loss_curve,
        )
