"""Held-out scores of networks along a path of penalties, and the best of them."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from sk_mlp._solvers import NotFiniteError, lbfgs
from sk_mlp._training.folds import Fold, Score, Walk
from sk_mlp._training.starts import Restarts
from sk_mlp._training.training import quietly, train

# A network on the path is scored, not kept: it is enough to come near the minimum. The first one
# has the longest way. Progress counts as long as the held-out rows could tell: the more there are,
# the smaller the steps that matter.
STEP_TOL, STEP_TOL_ROOT_ROWS = 5e-4, 0.015
# The way down ends at the second alpha in a row that gains no more than this share of the score: one
# miss may be chance (28 sets: .783 of MLPClassifier's log-loss with one, .781 with two).
MARGIN, MISSES = 0.02, 2
# With more than this many times the distinct rows of the sample, too little penalty costs no more
# than too much: the best alpha of the sample, not one that is larger and as good, gives letter .128
# instead of .140 and magic .293 instead of .300 (log-loss on one fold each).
LARGE = 2
# Share of the squared weights of the start below which a network has collapsed to W = 0, a
# stationary point that a warm start would never leave.
COLLAPSED = 1e-4


def path(
    folds: Sequence[Fold],
    alphas: np.ndarray,
    walk: Walk,
    *,
    n_jobs: int | None = None,
    begin: Callable[[], None] = lambda: None,
) -> Iterator[tuple[int, list[Score]]]:
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
    scores : list of Score
        Of the folds.
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
            scores = [score for _, score in results]
            yield j, scores
            if j == middle:
                at_middle = networks
            mean = np.mean([score.value for score in scores])
            if not np.isfinite(mean):
                continue
            # between alphas that cannot be told apart the larger one will be taken
            down = j >= middle
            # a score below zero is an error; of others the scale is not known
            gain = MARGIN * max(0.0, -best)
            enough = best + gain if down else best - MARGIN * abs(best)
            misses = 0 if mean > enough else misses + 1
            best = max(best, mean)
            if misses == (MISSES if down else 1):
                break
        networks = at_middle


@quietly
def _step(work: tuple[Fold, np.ndarray | None, float, Walk]) -> tuple[np.ndarray, Score]:
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
        return fold.starts[0], Score(np.nan)
    return params, walk.scorer(fold, params)


def _collapsed(fold: Fold, params: np.ndarray) -> bool:
    weights, start = (v[fold.objective.network.layout.weights] for v in (params, fold.starts[0]))
    return bool(weights @ weights < COLLAPSED * (start @ start))


class PathScores:
    """Scores of the networks of a path on the held-out rows.

    Attributes
    ----------
    values : ndarray of shape (n_folds, n_alphas)
        NaN for alphas not tried, and where a fit has diverged.

    Parameters
    ----------
    folds : sequence of Fold
    n_alphas : int
    groups : int ndarray of shape (n_samples,)
        Number of each row of the data, the same for its repetitions.
    """

    def __init__(self, folds: Sequence[Fold], n_alphas: int, groups: np.ndarray) -> None:
        self.values = np.full((len(folds), n_alphas), np.nan)
        self._rows: dict[int, np.ndarray] = {}
        held_out = np.concatenate([groups[fold.test_rows] for fold in folds])
        self._groups = np.unique(held_out, return_inverse=True)[1]
        self._weights = np.concatenate([fold.held_out.user_weights for fold in folds])

    def add(self, j: int, scores: Sequence[Score]) -> None:
        """Add the scores at an alpha."""
        self.values[:, j] = [score.value for score in scores]
        rows = [score.rows for score in scores if score.rows is not None]
        if len(rows) == len(scores):
            self._rows[j] = np.concatenate(rows, dtype=np.float64)

    @property
    def means(self) -> np.ndarray:
        """Mean scores, shape (n_alphas,); minus infinity where there is none."""
        means = self.values.mean(axis=0)
        return np.where(np.isfinite(means), means, -np.inf)

    @property
    def merits(self) -> np.ndarray:
        """Scores used for the choice: means over rows if available, otherwise over folds."""
        merits = self.means
        for j, rows in self._rows.items():
            merits[j] = np.average(rows, weights=self._weights)
        return np.where(np.isfinite(merits), merits, -np.inf)

    def best(self, share: float = 1.0) -> int:
        """Index of the largest alpha within one standard error of the best.

        Too little penalty costs more than too much (the rule of Breiman et al., Classification and
        Regression Trees, 1984, section 3.4.3, for differences between paired rows). Beside the best
        alpha itself, the worst log-loss of 29 sets fell from 1.37 times that of LogisticRegression
        to 1.03, at .79 instead of .80 of that of MLPClassifier.

        Parameters
        ----------
        share : float, default=1.0
            Share of the distinct rows that the scores are of; see `LARGE`.
        """
        merits = self.merits
        best = int(np.argmax(merits))
        if LARGE * share < 1.0:
            return best
        larger = (j for j in range(best) if np.isfinite(merits[j]))
        return next((j for j in larger if merits[best] - merits[j] <= self._error(j, best)), best)

    def _error(self, j: int, best: int) -> float:
        """Standard error of the difference to the best score: over rows, or else over folds.

        Repetitions of a row count as one row of their weight.
        """
        if j in self._rows and best in self._rows:
            difference = self._rows[best] - self._rows[j]
            weights, groups = self._weights, self._groups
        else:
            difference = self.values[:, best] - self.values[:, j]
            weights, groups = np.ones(len(difference)), np.arange(len(difference))
        total = weights.sum()
        deviations = np.bincount(groups, weights * (difference - weights @ difference / total))
        n = len(deviations)
        return float(np.linalg.norm(deviations) / total * math.sqrt(n / max(n - 1, 1)))
