"""Several starts of a solver, of which the best is finished, and how a fit went."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from sk_mlp._backend.arrays import to_numpy
from sk_mlp._solvers import Monitor, Observer, SolverResult
from sk_mlp._training.settings import Settings

Array = Any  # an array of any namespace of the array API standard

OUT_OF_ITERATIONS = ("max_iter", "schedule")  # reasons of a run that can go on


class Listener(Observer, Protocol):
    """Someone who is told of a fit: of its runs and of the iterations of each."""

    def begin_run(self, run: int, n_runs: int, max_iter: int) -> None:
        """Hear that run 0, 1, ... begins, out of at most `n_runs`."""

    def end_run(self, result: SolverResult) -> bool:
        """Hear how a run ended. Returns whether to leave out the runs to come."""


def run_starts(
    solve: Callable[[np.ndarray, Monitor], SolverResult],
    settings: Settings,
    starts: Sequence[np.ndarray],
    *,
    validation_loss: Callable[[Array], float] | None = None,
    watch_validation: bool = False,
    listeners: Sequence[Listener] = (),
) -> tuple[np.ndarray, SolverResult, list[float]]:
    """Run a solver from several starts, in rounds, and finish from the best.

    Each round runs a few iterations of every start that is left and drops the worse half
    (successive halving, Jamieson & Talwalkar, 2016). A start that is dropped early costs little,
    and the one that is finished loses nothing.

    Parameters
    ----------
    solve : callable (x0, monitor) -> SolverResult

    Returns
    -------
    params, result, losses
        As from `train`.
    """
    sizes = [len(starts)]
    while sizes[-1] > 1:
        sizes.append(sizes[-1] // 2)
    n_runs = sum(sizes)
    results: list[SolverResult | None] = [None] * len(starts)

    def run(number: int, i: int, max_iter: int) -> bool:
        so_far = results[i]
        if so_far is not None and (
            so_far.reason not in OUT_OF_ITERATIONS or so_far.n_iter == settings.max_iter
        ):
            return False
        x0, done = (starts[i], 0) if so_far is None else (to_numpy(so_far.x), so_far.n_iter)
        max_iter = min(max_iter, settings.max_iter - done)
        for listener in listeners:
            listener.begin_run(number, n_runs, max_iter)
        monitor = Monitor(
            max_iter=max_iter,
            tol=settings.tol,
            n_iter_no_change=settings.n_iter_no_change,
            validation_loss=validation_loss,
            watch_validation=watch_validation,
            observers=listeners,
        )
        result = solve(x0, monitor)
        results[i] = result if so_far is None else join(so_far, result)
        asked = [listener.end_run(result) for listener in listeners]
        return any(asked)

    live, number, stop = list(range(len(starts))), 0, False
    for size in sizes:
        live = sorted(live, key=lambda i: known(results[i]))[:size]
        budget = settings.max_iter if size == 1 else settings.screening
        for i in live:
            stop = stop or run(number, i, budget)
            number += 1
    ran = [result for result in results if result is not None]
    result = min(ran, key=known)
    if stop and n_runs > 1:
        result = result._replace(reason="callback", converged=False)
    return to_numpy(result.x), result, [result.loss for result in ran]


def known(result: SolverResult | None) -> float:
    """Lowest watched loss of a start so far."""
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


def fitted_course(result: SolverResult, losses: list[float]) -> dict[str, Any]:
    """Fitted attributes that tell how a fit went."""
    return {
        "n_iter_": result.n_iter,
        "loss_": result.loss,
        "loss_curve_": result.loss_curve,
        "best_iter_": result.best_iter,
        "converged_": result.converged,
        "stop_reason_": result.reason,
        "n_init_losses_": losses,
    }


def unless_diverged(result: SolverResult, prior_loss: float, tol: float) -> SolverResult:
    """Deny convergence to a loss above that of predicting the share of each class."""
    if result.converged and result.loss > 1.01 * prior_loss + tol:
        return result._replace(converged=False, reason="diverged")
    return result
