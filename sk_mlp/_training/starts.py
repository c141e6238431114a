"""Random restarts by successive halving."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from sk_mlp._backend.arrays import Array, to_numpy
from sk_mlp._solvers import OUTCOMES, Monitor, Observer, SolverResult
from sk_mlp._training.settings import Settings


class Listener(Observer, Protocol):
    """Receives a call for every run of a fit, and for every iteration of each."""

    def begin_run(self, run: int, n_runs: int, max_iter: int) -> None:
        """Called before run 0, 1, ..., out of at most `n_runs`."""

    def end_run(self, result: SolverResult) -> bool:
        """Called after each run. True asks to leave out the runs to come."""


class Watch(NamedTuple):
    """What a fit is watched by, beside its own loss.

    Attributes
    ----------
    validation_loss : callable (params) -> float or None
    early_stopping : bool, default=False
        Stop by the validation loss and keep the weights of its minimum.
    listeners : sequence of Listener
    """

    validation_loss: Callable[[Array], float] | None = None
    early_stopping: bool = False
    listeners: Sequence[Listener] = ()

    def monitor(self, settings: Settings, max_iter: int) -> Monitor:
        """Monitor of one run."""
        return Monitor(
            max_iter=max_iter,
            tol=settings.tol,
            n_iter_no_change=settings.n_iter_no_change,
            validation_loss=self.validation_loss,
            watch_validation=self.early_stopping,
            observers=self.listeners,
        )


UNWATCHED = Watch()


class Restarts:
    """Run a solver from several starts, in rounds, and finish from the best.

    Each round runs a few iterations of every start that is left and drops the worse half
    (successive halving, Jamieson & Talwalkar, 2016). A start that is dropped early costs little.
    Each round begins with the parameters of the last one, but with an empty memory of L-BFGS
    and zero moments.

    Parameters
    ----------
    solve : callable (x0, monitor) -> SolverResult
    settings : Settings
    starts : sequence of ndarray of shape (n_parameters,)
    watch : Watch
    """

    def __init__(
        self,
        solve: Callable[[np.ndarray, Monitor], SolverResult],
        settings: Settings,
        starts: Sequence[np.ndarray],
        watch: Watch = UNWATCHED,
    ) -> None:
        self.solve, self.settings, self.starts, self.watch = solve, settings, starts, watch
        self.results: list[SolverResult | None] = [None] * len(starts)
        self.sizes = rounds(len(starts))

    def finish(self) -> tuple[SolverResult, list[float]]:
        """Run all rounds.

        Returns
        -------
        result : SolverResult
            Of the start that was finished.
        losses : list of float
            Last loss of every start.
        """
        live, number, stop = list(range(len(self.starts))), 0, False
        for size in self.sizes:
            live = sorted(live, key=lambda i: _best(self.results[i]))[:size]
            budget = self.settings.max_iter if size == 1 else self.settings.screening
            for i in live:
                stop = stop or self._run(number, i, budget)
                number += 1
        ran = [result for result in self.results if result is not None]
        result = min(ran, key=_best)
        if stop and number > 1:
            result = result._replace(reason="callback")
        return result, [result.loss for result in ran]

    def _run(self, number: int, i: int, max_iter: int) -> bool:
        """Continue start i; returns True if a listener asks to leave out the runs to come."""
        settings, so_far, listeners = self.settings, self.results[i], self.watch.listeners
        x0, done = self.starts[i], 0
        if so_far is not None:
            if not OUTCOMES[so_far.reason].resumable or so_far.n_iter == settings.max_iter:
                return False
            x0, done = to_numpy(so_far.x), so_far.n_iter
        max_iter = min(max_iter, settings.max_iter - done)
        for listener in listeners:
            listener.begin_run(number, sum(self.sizes), max_iter)
        result = self.solve(x0, self.watch.monitor(settings, max_iter))
        self.results[i] = result if so_far is None else join(so_far, result)
        asked = [listener.end_run(result) for listener in listeners]
        return any(asked)


def rounds(n_starts: int) -> list[int]:
    """Number of starts in each round; one in the last."""
    sizes = [n_starts]
    while sizes[-1] > 1:
        sizes.append(sizes[-1] // 2)
    return sizes


def _best(result: SolverResult | None) -> float:
    return math.inf if result is None else result.best


def join(first: SolverResult, second: SolverResult) -> SolverResult:
    """One result for a run that went on where another had stopped."""
    whole = second._replace(
        n_iter=first.n_iter + second.n_iter,
        best_iter=first.n_iter + second.best_iter,
        loss_curve=first.loss_curve + second.loss_curve,
        validation_loss_curve=first.validation_loss_curve + second.validation_loss_curve,
    )
    if first.best < second.best:
        whole = whole._replace(
            x=first.x, loss=first.loss, best=first.best, best_iter=first.best_iter
        )
    return whole
