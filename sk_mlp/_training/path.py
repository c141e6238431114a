"""Held-out scores of networks along a path of penalties."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.utils.parallel import Parallel, delayed

from sk_mlp._backend.threads import SERIAL, Threads
from sk_mlp._data.data import Data
from sk_mlp._network.minibatches import scaled
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective, Rows
from sk_mlp._network.parameters import IDENTITY, Standardization
from sk_mlp._solvers import Monitor, NotFiniteError, lbfgs
from sk_mlp._training.settings import Settings
from sk_mlp._training.training import random_starts, train

# A network on the path is scored, not kept: it is enough to come near the minimum. The first one
# has the longest way. Progress counts as long as the held-out rows could tell: the more there are,
# the smaller the steps that matter.
FIRST_ITERATIONS, STEP_ITERATIONS, STEP_PATIENCE = 100, 25, 3
STEP_TOL, STEP_TOL_ROOT_ROWS = 5e-4, 0.015
# Mean scores that differ by less than this share of them are not told apart by a few folds.
MARGIN = 0.02
# Share of the squared weights of the start below which a network has collapsed to W = 0, a
# stationary point that a warm start would never leave.
COLLAPSED = 1e-4


class Fold(NamedTuple):
    """One split of the data, standardised: where a path is trained and where it is scored.

    Attributes
    ----------
    objective : Objective
        Of the rows to train on, in standardised units.
    held_out : Rows
        Rows to score on, with their sample weights.
    start : ndarray of shape (layout.size,)
        Where the path begins.
    test_rows : ndarray of int
        The held-out rows among all.
    standardization : Standardization
        By the rows to train on.
    """

    objective: Objective
    held_out: Rows
    start: np.ndarray
    test_rows: np.ndarray
    standardization: Standardization


# (fold, parameters in standardised units) -> score, higher is better
Scorer = Callable[[Fold, np.ndarray], float]


def check_splits(
    splits: Sequence[tuple[np.ndarray, np.ndarray]], cv: Any, sample_weight: np.ndarray | None
) -> None:
    """Raise ValueError if a split by `cv` has nothing to train on, or to score on."""
    if not splits:
        raise ValueError(f"cv={cv!r} gives no split.")
    for number, parts in enumerate(splits):
        for rows, purpose in zip(parts, ("train", "score"), strict=True):
            if np.size(rows) == 0:
                raise ValueError(f"cv={cv!r} leaves split {number} no row to {purpose} on.")
            if sample_weight is not None and not sample_weight[rows].any():
                raise ValueError(
                    f"sample_weight is zero for all rows to {purpose} on in split {number} of cv={cv!r}."
                )


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
    moments = kept.moments(standardize=standardize)
    standardization = moments.standardization(text=kept.is_text) if standardize else IDENTITY
    kept, held = (_standardized(part, standardization) for part in (kept, held))
    network = Network.named(kept.layout(hidden_units), activation, kept.target.output)
    objective = Objective(network, kept.rows(), IDENTITY, 0.0)
    start = random_starts(
        objective, kept, settings._replace(n_init=1), np.random.RandomState(seed)
    )[0]
    return Fold(objective, held.rows(), start, test_rows, standardization)


def _standardized(data: Data, standardization: Standardization) -> Data:
    X = data.rows().block
    if data.is_text:  # columns that are centred have hardly a zero, which counts as the mean
        if standardization.mean is not None:
            centred = X.data - standardization.mean[X.indices]
            X = sparse.csr_matrix((centred, X.indices, X.indptr), shape=X.shape)
        X = scaled(X, standardization.scale)
    else:
        if standardization.mean is not None:
            X = X - standardization.mean
        X = X / standardization.scale
    with np.errstate(over="ignore"):  # the loss is then not finite
        return data._replace(X=X.astype(np.float32))


def log_loss_score(fold: Fold, params: np.ndarray) -> float:
    """Negative log-loss of the held-out rows, in nats per unit of sample weight."""
    return -Objective(fold.objective.network, fold.held_out, IDENTITY, 0.0).loss(params)


def path(
    folds: Sequence[Fold],
    alphas: np.ndarray,
    settings: Settings,
    scorer: Scorer,
    *,
    seed: int,
    n_jobs: int | None,
    begin: Callable[[], None],
) -> Iterator[tuple[int, np.ndarray]]:
    """Train and score every fold at one alpha after the other, from the middle to both ends.

    With lbfgs every network but the first starts where that of the neighbouring alpha ended. A
    path that began at the largest alpha would pass on what the penalty has left of a network.
    Minibatch solvers, whose schedule is the length of a fit, start afresh.

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
    j : int
        Index of the next alpha: from the middle down to the smallest, then up to the largest. The
        way down ends when the mean over folds is no better than the best one, the way up when it
        is worse beyond `MARGIN`.
    scores : ndarray of shape (n_folds,)
    """
    parallel = Parallel(n_jobs=n_jobs, prefer="threads")
    step = partial(_step, settings=settings, scorer=scorer, seed=seed)
    first = folds[0].objective
    middle, best = (len(alphas) - 1) // 2, -np.inf
    at_middle = networks = [fold.start for fold in folds]
    for way in (range(middle, len(alphas)), range(middle - 1, -1, -1)):
        for j in way:
            begin()
            # BLAS is free again when the scores are handed out: nobody has to come back
            with first.rows.threads(first.network) as threads:
                if effective_n_jobs(n_jobs) > 1:
                    threads = SERIAL
                results = parallel(
                    delayed(step)(fold, x0, alphas[j], threads=threads)
                    for fold, x0 in zip(folds, networks, strict=True)
                )
            networks, scores = (list(part) for part in zip(*results, strict=True))
            yield j, np.array(scores)
            if j == middle:
                at_middle = networks
            mean = np.mean(scores)
            if not np.isfinite(mean):
                continue
            # between alphas that cannot be told apart the larger one will be taken
            if mean <= best - (MARGIN * abs(best) if j < middle else 0.0):
                break
            best = max(best, mean)
        networks = at_middle


def _step(
    fold: Fold,
    x0: np.ndarray,
    alpha: float,
    *,
    settings: Settings,
    scorer: Scorer,
    seed: int,
    threads: Threads,
) -> tuple[np.ndarray, float]:
    """Network of a fold at some alpha, from that at the alpha before, and its score.

    The score of a fit that has diverged is NaN.
    """
    try:
        if settings.solver == "lbfgs":
            if _collapsed(fold, x0):
                x0 = fold.start
            n_iter = FIRST_ITERATIONS if x0 is fold.start else STEP_ITERATIONS
            tol = min(STEP_TOL, STEP_TOL_ROOT_ROWS / math.sqrt(fold.objective.rows.n_rows))
            monitor = Monitor(max_iter=n_iter, tol=tol, n_iter_no_change=STEP_PATIENCE)
            objective = fold.objective.with_alpha(alpha).over(threads)
            with np.errstate(over="ignore", invalid="ignore"):  # not finite is an error
                params = lbfgs(objective.loss_gradient, x0, monitor).x
        else:
            rng = np.random.RandomState(seed)
            params = train(fold.objective.with_alpha(alpha), settings, [fold.start], rng).params
    except NotFiniteError:
        return fold.start, np.nan
    return params, scorer(fold, params)


def _collapsed(fold: Fold, params: np.ndarray) -> bool:
    weights, start = (v[fold.objective.network.layout.weights] for v in (params, fold.start))
    return bool(weights @ weights < COLLAPSED * (start @ start))
