"""Held-out scores of networks along a path of decreasing penalties."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from sk_mlp._data import Data
from sk_mlp._parameters import IDENTITY, Standardization
from sk_mlp._settings import Settings
from sk_mlp._solvers import Monitor, lbfgs
from sk_mlp._threads import row_threads
from sk_mlp._training import Problem, random_starts, train

# A network on the path is scored, not kept: it is enough to come near the minimum.
STEP_ITERATIONS, STEP_TOL, STEP_PATIENCE = 25, 1e-3, 3
# Alphas in a row without a better mean score that end a path.
PATIENCE = 2
# Share of the squared weights of the start below which a network has collapsed to W = 0, a
# stationary point that a warm start would never leave.
COLLAPSED = 1e-4


class Fold(NamedTuple):
    """One split of the data, standardised: where a path is trained and where it is scored.

    Attributes
    ----------
    problem : Problem
        Rows to train on.
    held_out : Problem
        Rows to score on, with their sample weights.
    start : ndarray of shape (layout.size,)
        Where the path begins.
    test_rows : ndarray of int
        The held-out rows among all.
    standardization : Standardization
        By the rows to train on.
    """

    problem: Problem
    held_out: Problem
    start: np.ndarray
    test_rows: np.ndarray
    standardization: Standardization


# (fold, parameters in standardised units) -> score, higher is better
Scorer = Callable[[Fold, np.ndarray], float]


def make_fold(
    data: Data,
    sample_weight: np.ndarray | None,
    split: tuple[np.ndarray, np.ndarray],
    settings: Settings,
    *,
    hidden_units: int,
    activation: str,
    standardize: bool,
    seed: int,
) -> Fold:
    """Prepare a split; single precision is enough to rank penalties.

    `sample_weight` is that of all rows, for scoring; the weights in `data` also have those of
    the classes in them.
    """
    train_rows, test_rows = split
    kept = data.take(train_rows)
    held = data._replace(weights=sample_weight).take(test_rows)
    standardization = IDENTITY
    if standardize:
        moments = kept.moments(standardize=True)
        standardization = moments.standardization(kept.X.shape[1])
    problem, held_out = (
        _standardized(part, standardization).problem(hidden_units, activation, IDENTITY)
        for part in (kept, held)
    )
    rng = np.random.RandomState(seed)
    start = random_starts(problem, settings._replace(n_init=1), kept.log_odds(), rng)[0]
    return Fold(problem, held_out, start, test_rows, standardization)


def _standardized(data: Data, standardization: Standardization) -> Data:
    X = data.X
    if standardization.mean is not None:
        X = X - standardization.mean
    X = X / standardization.scale
    return data._replace(X=X.astype(np.float32))


def log_loss_score(fold: Fold, params: np.ndarray) -> float:
    """Negative log-loss of the held-out rows, in nats per unit of sample weight."""
    return -fold.held_out.objective(0.0).loss(params)


def path(
    folds: Sequence[Fold],
    alphas: np.ndarray,
    settings: Settings,
    scorer: Scorer,
    *,
    seed: int,
    n_jobs: int | None,
    begin: Callable[[], None],
) -> Iterator[np.ndarray]:
    """Train and score every fold at one alpha after the other.

    With lbfgs every network starts where the one of the alpha before ended. Minibatch solvers,
    whose schedule is the length of a fit, start afresh.

    Parameters
    ----------
    folds : sequence of Fold
    alphas : ndarray of shape (n_alphas,)
        In decreasing order.
    settings : Settings
        Of a fit; its solver, and all but alpha if that is a minibatch solver.
    scorer : Scorer
    seed : int
        Of the shuffling by a minibatch solver.
    n_jobs : int or None
        Folds to work on at a time, in threads.
    begin : callable () -> None
        Told when the work on an alpha begins.

    Yields
    ------
    scores : ndarray of shape (n_folds,)
        For the next alpha; ends early when the mean over folds only gets worse.
    """
    parallel = Parallel(n_jobs=n_jobs, prefer="threads")
    first = folds[0].problem
    with row_threads(first.xp, first.X, first.layout) as (n_threads, thread_map):
        if effective_n_jobs(n_jobs) > 1:
            n_threads, thread_map = 1, map

        def step(fold: Fold, params: np.ndarray, alpha: float) -> tuple[np.ndarray, float]:
            if settings.solver == "lbfgs":
                objective = fold.problem.objective(alpha, n_threads, thread_map)
                monitor = Monitor(
                    max_iter=STEP_ITERATIONS, tol=STEP_TOL, n_iter_no_change=STEP_PATIENCE
                )
                params = lbfgs(objective.loss_gradient, params, monitor).x
            else:
                at_alpha = settings._replace(alpha=alpha)
                rng = np.random.RandomState(seed)
                params = train(fold.problem, at_alpha, [fold.start], rng)[0]
            return params, scorer(fold, params)

        at = [fold.start for fold in folds]
        best, worse = -np.inf, 0
        for alpha in alphas:
            begin()
            results = parallel(
                delayed(step)(fold, params, alpha) for fold, params in zip(folds, at, strict=True)
            )
            scores = np.array([score for _, score in results])
            yield scores
            worse = 0 if scores.mean() > best else worse + 1
            best = max(best, scores.mean())
            if worse == PATIENCE:
                return
            at = [
                fold.start if _collapsed(fold, params) else params
                for fold, (params, _) in zip(folds, results, strict=True)
            ]


def _collapsed(fold: Fold, params: np.ndarray) -> bool:
    weights, start = (v[fold.problem.layout.weights] for v in (params, fold.start))
    return bool(weights @ weights < COLLAPSED * (start @ start))
