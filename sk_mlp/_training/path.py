"""Held-out scores of networks along a path of penalties."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.utils.parallel import Parallel, delayed

from sk_mlp._data.data import Data
from sk_mlp._network.minibatches import scaled
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective, Rows
from sk_mlp._network.parameters import IDENTITY, Standardization
from sk_mlp._solvers import NotFiniteError, lbfgs
from sk_mlp._training.settings import Settings
from sk_mlp._training.starts import Restarts
from sk_mlp._training.training import quietly, random_starts, train

# A network on the path is scored, not kept: it is enough to come near the minimum. The first one
# has the longest way. Progress counts as long as the held-out rows could tell: the more there are,
# the smaller the steps that matter.
STEP_TOL, STEP_TOL_ROOT_ROWS = 5e-4, 0.015
# Mean scores that differ by less than this share of them are not told apart by a few folds.
MARGIN = 0.02
# The way down ends at the second alpha in a row that gains no more than that: one miss may be
# chance (28 sets: .783 of MLPClassifier's log-loss with one, .781 with two).
MISSES = 2
# With this many times the distinct rows of the sample, too little penalty costs no more than too
# much: the best alpha of the sample, not one that is larger and as good, gives letter .128 instead
# of .140 and magic .293 instead of .300 (log-loss on one fold each).
LARGE = 2
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
    starts : list of ndarray of shape (layout.size,)
        Where the path begins.
    test_rows : ndarray of int
        The held-out rows among all.
    standardization : Standardization
        By the rows to train on.
    """

    objective: Objective
    held_out: Rows
    starts: list[np.ndarray]
    test_rows: np.ndarray
    standardization: Standardization


# (fold, parameters in standardised units) -> score, higher is better
Scorer = Callable[[Fold, np.ndarray], float]


class Walk(NamedTuple):
    """How a path is walked.

    Attributes
    ----------
    settings : Settings
        Of the fits; a minibatch solver is run as they say.
    seed : int
        Of the random starts, and of the shuffling by a minibatch solver.
    scorer : Scorer
    first_iterations, step_iterations : int
        Of lbfgs, for the first network and for each one that starts from its neighbour.
    patience : int
        Iterations of lbfgs without progress after which a network is scored.
    """

    settings: Settings
    seed: int
    scorer: Scorer
    first_iterations: int = 100
    step_iterations: int = 25
    patience: int = 3


def make_fold(
    data: Data,
    split: tuple[np.ndarray, np.ndarray],
    options: Mapping[str, Any],
    walk: Walk,
    score_weight: np.ndarray | None,
) -> Fold:
    """Prepare a split; single precision is enough to rank penalties.

    Parameters
    ----------
    data : Data
        All rows, with the weights of the fits.
    split : tuple (train_rows, test_rows)
    options : mapping
        `hidden_units`, `activation` and `standardize`.
    walk : Walk
        On the folds.
    score_weight : ndarray of shape (n_samples,) or None
        Weights of all rows in the score.
    """
    train_rows, test_rows = split
    kept = data.take(train_rows)
    held = data._replace(weights=score_weight).take(test_rows)
    standardization = IDENTITY
    if options["standardize"]:
        standardization = kept.moments(standardize=True).standardization(text=kept.is_text)
    kept, held = (_standardized(part, standardization) for part in (kept, held))
    layout = kept.layout(options["hidden_units"])
    network = Network.named(layout, options["activation"], kept.target.output)
    objective = Objective(network, kept.rows(), IDENTITY, 0.0)
    starts = random_starts(objective, kept, walk.settings, np.random.RandomState(walk.seed))
    return Fold(objective, held.rows(), starts, test_rows, standardization)


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
    walk: Walk,
    *,
    n_jobs: int | None = None,
    begin: Callable[[], None] = lambda: None,
) -> Iterator[tuple[int, np.ndarray]]:
    """Train and score every fold at one alpha after the other, from the middle to both ends.

    With lbfgs every network but the first starts where that of the neighbouring alpha ended. A
    path that began at the largest alpha would pass on what the penalty has left of a network.
    Minibatch solvers, whose schedule is the length of a fit, start afresh. Each fold is computed
    by one thread, so that the choice depends neither on `n_jobs` nor on the threads of BLAS.

    Parameters
    ----------
    folds : sequence of Fold
    alphas : ndarray of shape (n_alphas,)
        In decreasing order.
    walk : Walk
    n_jobs : int or None
        Folds to work on at a time; None is as many as BLAS has threads, for much work.
    begin : callable () -> None
        Called before the work on each alpha.

    Yields
    ------
    j : int
        Index of the next alpha: from the middle down to the smallest, then up to the largest. The
        way down ends when the mean over folds is no better than the best one by `MARGIN`, twice
        in a row, the way up when it is worse by `MARGIN`.
    scores : ndarray of shape (n_folds,)
    """
    objective = folds[0].objective
    middle, best = (len(alphas) - 1) // 2, -np.finfo(float).max
    networks: list[np.ndarray | None] = [None] * len(folds)
    at_middle = networks
    for way in (range(middle, len(alphas)), range(middle - 1, -1, -1)):
        misses = 0
        for j in way:
            begin()
            work = [
                (fold, x0, float(alphas[j]), walk) for fold, x0 in zip(folds, networks, strict=True)
            ]
            # BLAS is free again when the scores are handed out: the caller may never resume
            with objective.rows.threads(objective.network) as threads:
                if n_jobs is None and effective_n_jobs(None) == 1:
                    results = list(threads.map(_step, work))
                else:
                    # in threads whatever the backend: a step takes less than to send its rows
                    n_workers = min(effective_n_jobs(n_jobs), len(work))
                    parallel = Parallel(n_jobs=n_workers, require="sharedmem")
                    results = parallel(map(delayed(_step), work))
            networks = [params for params, _ in results]
            scores = np.array([score for _, score in results])
            yield j, scores
            if j == middle:
                at_middle = networks
            mean = np.mean(scores)
            if not np.isfinite(mean):
                continue
            # between alphas that cannot be told apart the larger one will be taken
            down = j >= middle
            enough = best + _margin(best) if down else best - MARGIN * abs(best)
            misses = 0 if mean > enough else misses + 1
            best = max(best, mean)
            if misses == (MISSES if down else 1):
                break
        networks = at_middle


@quietly
def _step(work: tuple[Fold, np.ndarray | None, float, Walk]) -> tuple[np.ndarray, float]:
    """Network of a fold at some alpha, from that at the alpha before, and its score.

    The score of a fit that has diverged is NaN.
    """
    fold, x0, alpha, walk = work
    objective, settings = fold.objective.with_alpha(alpha), walk.settings
    try:
        if settings.solver == "lbfgs":
            fresh = x0 is None or _collapsed(fold, x0)
            starts = fold.starts if x0 is None or fresh else [x0]
            tol = min(STEP_TOL, STEP_TOL_ROOT_ROWS / math.sqrt(objective.rows.n_rows))
            settings = settings._replace(
                max_iter=walk.first_iterations if fresh else walk.step_iterations,
                tol=tol,
                n_iter_no_change=walk.patience,
            )
            solve = partial(lbfgs, objective.loss_gradient)
            params = Restarts(solve, settings, starts).finish()[0].x
        else:
            rng = np.random.RandomState(walk.seed)
            params = train(objective, settings, fold.starts, rng)[0].x
    except NotFiniteError:
        return fold.starts[0], np.nan
    return params, walk.scorer(fold, params)


def _collapsed(fold: Fold, params: np.ndarray) -> bool:
    weights, start = (v[fold.objective.network.layout.weights] for v in (params, fold.starts[0]))
    return bool(weights @ weights < COLLAPSED * (start @ start))


def chosen(scores: np.ndarray, share: float = 1.0) -> tuple[int, int]:
    """Index of the hidden units with the best mean score, and of the largest alpha near it.

    An alpha is near the best if it is worse by no more than `MARGIN`, for scores that are errors
    with their sign changed, and one standard error of the difference over the folds (Breiman et
    al., Classification and Regression Trees, 1984, section 3.4.3, for paired folds): too little
    penalty costs more than too much. On 29 sets the worst log-loss fell from 1.37 times that of
    LogisticRegression to 1.04, at .79 instead of .80 of that of MLPClassifier.

    Parameters
    ----------
    scores : ndarray of shape (n_hidden_units, n_folds, n_alphas)
        The alphas in decreasing order; not finite where there is none.
    share : float, default=1.0
        Share of the distinct rows that the scores are of; see `LARGE`.
    """
    means = scores.mean(axis=1)
    means = np.where(np.isfinite(means), means, -np.inf)
    i = int(np.argmax(means.max(axis=1)))
    best = int(np.argmax(means[i]))
    if LARGE * share < 1.0:
        return i, best
    tried = np.isfinite(means[i])
    near = np.full(len(tried), _margin(means[i, best]))
    if scores.shape[1] > 1:
        differences = scores[i][:, tried] - scores[i][:, [best]]
        near[tried] += differences.std(axis=0, ddof=1) / math.sqrt(scores.shape[1])
    return i, int(np.argmax(tried & (means[i] >= means[i, best] - near)))


def _margin(score: float) -> float:
    # a score below zero is an error; of others the scale is not known
    return MARGIN * max(0.0, -score)
