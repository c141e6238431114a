"""What a fit says: lines by `verbose`, the same for every solver, and warnings at its end."""

import time
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sk_mlp._backend.arrays import to_numpy
from sk_mlp._solvers import OUTCOMES, SolverResult
from sk_mlp._training.alpha import AlphaChoice
from sk_mlp._training.training import Finished

DUE = {1, 1.5, 2, 3, 5, 7}  # these and their multiples by powers of ten are printed

# Share of the log-loss of the class frequencies below which held-out rows are predicted better
# than by chance.
LEARNED = 0.95
SCALE = "The features may need scaling; use standardize=True"


def is_due(iteration: int) -> bool:
    """Return True for the iterations to print: 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, ...

    So a fit prints about six lines per power of ten.
    """
    return iteration / 10 ** (len(str(iteration)) - 1) in DUE


class Reporter:
    """Print the course of a fit; a `Listener` of `sk_mlp._training.train`.

    `verbose` 1: the alpha chosen, selected iterations, and the outcome of each restart. 2 and
    more: every iteration.
    """

    def __init__(self, solver: str, verbose: int) -> None:
        self.solver, self.verbose = solver, verbose
        self.unit = iteration_name(solver)
        self.start = time.perf_counter()
        self.label, self.max_iter, self.brief = solver, 0, False

    def chosen(self, choice: AlphaChoice) -> None:
        """Print the alpha that was chosen, if it was."""
        if len(choice.alphas):
            how = f"chosen from {choice.alphas[-1]:.3g} to {choice.alphas[0]:.3g}"
            if not np.isfinite(choice.scores).all():
                how = "as every fit to choose it diverged"
            self.print(f"alpha = {choice.alpha:.3g}, {how}")

    def begin_run(self, run: int, n_runs: int, max_iter: int) -> None:
        """Note which run the lines to come belong to."""
        restart = run < n_runs - 1
        if restart:
            self.label = f"{self.solver} restart {run + 1}/{n_runs - 1}"
        elif n_runs > 1:
            self.label = f"{self.solver} best restart"
        self.max_iter, self.brief = max_iter, restart

    def begin_iteration(self) -> None:
        """Print nothing."""

    def end_iteration(
        self, iteration: int, x: Any, loss: float, validation_loss: float | None
    ) -> bool:
        """Print an iteration if it is due."""
        if self.verbose > 1 or (is_due(iteration) and not self.brief):
            width = len(str(self.max_iter))
            line = f"{self.unit} {iteration:{width}d}/{self.max_iter}  loss {loss:.5f}"
            if validation_loss is not None:
                line += f"  validation loss {validation_loss:.5f}"
            self.print(line)
        return False

    def end_run(self, result: SolverResult) -> bool:
        """Print how a run ended."""
        paused = self.brief and result.reason == "max_iter"  # the best of the restarts go on
        self.print(
            f"{'paused' if paused else f'ended by {result.reason}'} after {result.n_iter} {self.unit}s"
            f"  loss {result.loss:.5f} of {self.unit} {result.best_iter}"
        )
        return False

    def print(self, line: str) -> None:
        """Print a line with what it is about and the seconds since the fit began."""
        seconds = time.perf_counter() - self.start
        print(f"{self.label}  {line}  {seconds:.1f} s", flush=True)  # noqa: T201


def iteration_name(solver: str) -> str:
    """Name of what a solver counts: "iteration" of lbfgs, "epoch" of the others."""
    return "iteration" if solver == "lbfgs" else "epoch"


def warn_unless_converged(estimator: Any, fit: Finished) -> None:
    """Warn, on behalf of the caller's caller, of a fit that was not complete."""
    outcome, settings = OUTCOMES[estimator.stop_reason_], fit.settings
    if not outcome.message:
        return
    unit = iteration_name(settings.solver)
    ended = outcome.message.format(max_iter=settings.max_iter, unit=unit)
    advice = outcome.advice
    if settings.solver != "lbfgs":
        otherwise = "lower" if estimator.stop_reason_ == "diverged" else "try another"
        advice += f", or {'raise' if fit.falling else otherwise} learning_rate_init"
    warnings.warn(
        f"{settings.solver} {ended} (loss {estimator.loss_:.4g}); {advice}.",
        ConvergenceWarning,
        stacklevel=3,
    )


def warn_if_useless(estimator: Any, fit: Finished) -> None:
    """Warn, on behalf of the caller's caller, of a network that has learned nothing.

    But not where there may be nothing to learn, as in pure noise.
    """
    reason = estimator.stop_reason_
    on_its_way = fit.falling and reason == "max_iter"  # of which there is a warning
    if not fit.useless or on_its_way or reason in ("diverged", "callback"):
        return
    on_alpha = _on_alphas if hasattr(estimator, "alphas") else _on_alpha
    advice = _on_training(estimator, fit) or on_alpha(estimator, fit)
    if not advice:
        return
    warnings.warn(
        "The network has learned nothing: predicting the class frequencies has no higher log-loss, "
        f"{fit.prior_loss:.4g}. {advice}.",
        ConvergenceWarning,
        stacklevel=3,
    )


def _on_training(estimator: Any, fit: Finished) -> str:
    """Advice for a fit that ended near its start; empty if it went further."""
    unit = iteration_name(fit.settings.solver)
    if fit.misled:
        return (
            f"The validation loss was lowest at {unit} {estimator.best_iter_} and rose from there; "
            "check that y_val belongs to X_val and that X_val is prepared like X, or, without X_val, "
            "set early_stopping=False"
        )
    if fit.falling:
        rate = "" if fit.settings.solver == "lbfgs" else "raise learning_rate_init or "
        return f"The loss was still falling; {rate}lower tol"
    return ""


def _on_alphas(estimator: Any, fit: Finished) -> str:
    """Advice for a useless network of `TwoLayerMLPClassifierCV`; empty if there is none."""
    smallest = float(estimator.alphas_[-1])
    if smallest > fit.mean_weight:
        return (
            f"The smallest alpha, {smallest:.3g}, is large for a mean sample weight of "
            f"{fit.mean_weight:.3g}; pass smaller alphas"
        )
    return "" if estimator.standardize else SCALE


def _on_alpha(estimator: Any, fit: Finished) -> str:
    """Advice for a useless network of `TwoLayerMLPClassifier`; empty if there is none."""
    rate = "" if fit.settings.solver == "lbfgs" else "lower learning_rate_init"
    if estimator.alpha != "auto":
        advice = f"The penalty alpha={estimator.alpha!r} is large for these sample weights; "
        advice += 'lower alpha or use alpha="auto"'
        return advice + (f", or {rate}" if rate else "")
    scores = to_numpy(getattr(estimator, "alpha_scores_", np.full((1, 1), -np.inf)))
    reached = -float(np.max(np.mean(scores, axis=0)))
    if reached > LEARNED * fit.prior_loss:
        return "" if estimator.standardize else SCALE
    if np.isnan(reached):
        return "Every fit to choose alpha diverged; rescale X, use standardize=True or set alpha"
    rate = rate or "increase n_init"
    return f"The search for alpha reached {reached:.4g} on held-out rows; {rate}"
