"""The default penalty: the alpha of the best held-out log-loss on at most a few thousand rows."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sk_mlp._backend.arrays import Array, place, widest_float
from sk_mlp._backend.compat import to_host
from sk_mlp._data.data import Data
from sk_mlp._data.holdout import key_folds, repetitions, some_rows
from sk_mlp._training.folds import Walk, log_loss_score, make_fold
from sk_mlp._training.path import PathScores, path
from sk_mlp._training.settings import Settings

# The right alpha depends little on the number of rows, because the penalty is weighed against the
# sum of their losses (benchmarks/README.md).
SAMPLE_ROWS = 3_000
# More than this many times as many rows show structure that the sample hides, and allow less penalty:
# with the next smaller alpha, twelve sets of 9 000 to 49 000 rows have .985 of the log-loss, at worst
# 1.02 (happy), six others .98. But not if they are fewer than the weights of the first layer:
# 40 000 x 500 normal features with 256 units have 1.4 times the log-loss.
MANY = 3
# Alphas are tried from the middle to both ends, so that a wide grid costs nothing.
LARGEST, SMALLEST, N_ALPHAS = 1000.0, 1e-4, 15
# Two folds of three tell as much as all (.786 and .787 of MLPClassifier's log-loss on 28 sets, .881
# and .876 on 17 others), unless the distinct rows are few: with all three, and `surprise`
# (see `log_loss_score`), 31 sets of up to 2500 rows have .98 of the log-loss, at worst 1.12 instead of
# 1.98 of LogisticRegression's, and two thirds of the variation over the random states.
N_FOLDS, USED_FOLDS, FEW_ROWS = 3, 2, 700
# A shorter path than that of the search class, for half its time and the same log-loss.
QUICK = {"first_iterations": 60, "step_iterations": 12, "patience": 2}


class AlphaChoice(NamedTuple):
    """How alpha was chosen.

    Attributes
    ----------
    alpha : float
        The choice: the largest alpha that is as good as the best (see `PathScores`), or the
        next to the best, if there are many more rows than were looked at.
    alphas : ndarray of shape (n_alphas,)
        The alphas tried, in decreasing order.
    scores : ndarray of shape (n_folds, n_alphas)
        Negative log-loss of the held-out rows, in nats.
    """

    alpha: float
    alphas: np.ndarray = np.empty(0)
    scores: np.ndarray = np.empty((0, 0))

    def attributes(self, like: Array) -> dict[str, Any]:
        """Fitted attributes, as arrays beside `like`; those of a given alpha are its value."""
        if not len(self.alphas):
            return {"alpha_": self.alpha}
        alphas, scores = (place(a, like, widest_float(like)) for a in (self.alphas, self.scores))
        return {"alpha_": self.alpha, "alphas_": alphas, "alpha_scores_": scores}


def choose_alpha(
    data: Data,
    options: Mapping[str, Any],
    settings: Settings,
    seed: int,
    *,
    share: float = 1.0,
    begin: Callable[[], None] = lambda: None,
    end: Callable[[], bool] = lambda: False,
) -> AlphaChoice:
    """Choose alpha by the log-loss of held-out rows.

    The rows are sampled and split by their values: equal rows stay together, and a weight of k
    counts as k repetitions. The grid is in units of the mean weight of the distinct rows, so that
    weights w and c w give the same network.

    Parameters
    ----------
    data : Data
        Rows of a fit.
    options : mapping
        The parameters of `TwoLayerMLPClassifier`.
    settings : Settings
        Of the fit that alpha is chosen for.
    seed : int
    share : float, default=1.0
        Share of all rows that are in `data`.
    begin, end : callable
        Called before and after each alpha; no more are tried if `end` returns True.
    """
    sample, keys, looked_at, thinning = _sample(data, seed)
    share *= looked_at
    n_distinct = len(np.unique(keys))
    unit = sample.weight_sum / n_distinct
    if sample.weights is not None:  # so that rounding does not tell weights w and c w apart
        sample = sample._replace(weights=sample.weights / unit)
    n_used = N_FOLDS if n_distinct <= FEW_ROWS else USED_FOLDS
    folds = key_folds(sample.target, keys, N_FOLDS)[:n_used]
    if not folds:  # all rows are equal
        return AlphaChoice(unit * thinning)
    if not sample.is_text:
        settings = settings._replace(solver="lbfgs")
    scorer = partial(log_loss_score, surprise=1.0 / sum(len(test) for _, test in folds))
    walk = Walk(settings, seed, scorer, **QUICK)
    made = [make_fold(sample, split, options, walk, sample.weights) for split in folds]
    alphas = np.geomspace(LARGEST, SMALLEST, N_ALPHAS)
    scores = PathScores(made, N_ALPHAS, np.arange(len(keys)))
    for j, at_alpha in path(made, alphas, walk, begin=begin):
        scores.add(j, at_alpha)
        if end():
            break
    alphas *= unit * thinning  # the weights of all rows are larger than those of the sample
    tried = np.flatnonzero(np.isfinite(scores.means))
    if not len(tried):
        return AlphaChoice(unit * thinning, alphas, scores.values)
    j = int(np.searchsorted(tried, scores.best(share)))
    if MANY * share < 1.0 and n_distinct / share > data.X.shape[1] * options["hidden_units"]:
        j = min(j + 1, len(tried) - 1)
    return AlphaChoice(float(alphas[tried[j]]), alphas[tried], scores.values[:, tried])


def _sample(data: Data, seed: int) -> tuple[Data, np.ndarray, float, float]:
    """Some of the rows, their keys, their share of all, and the factor that their weights lack.

    Equal rows count once, whether repeated or weighted. The rows are in an order of their own, so
    that the sums over them do not depend on the order of the data.
    """
    kept, keys, share, thinning = some_rows(data.X, data.target.encoded, SAMPLE_ROWS, seed)
    weights = None if data.weights is None else data.weights[kept]
    first, weights = _merged(data.target.encoded[kept], keys, weights)
    kept, keys = kept[first], keys[first]
    data = data._replace(weights=None).take(kept)._replace(weights=weights)
    return data._replace(X=to_host(data.X)), keys, share, thinning


def _merged(
    encoded: np.ndarray, keys: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Sorted rows without repetitions, and their weights: one row of weight k for k equal ones."""
    number = repetitions(encoded, keys)
    first = np.unique(number, return_index=True)[1]
    if weights is None and len(first) == len(keys):
        return first, None
    return first, np.bincount(number, weights)
