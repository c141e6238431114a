"""Splits of the data on which penalties are compared, and the score of a network on one."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import to_numpy
from sk_mlp._data.data import Data
from sk_mlp._network.minibatches import scaled
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective, Rows, RowSum
from sk_mlp._network.parameters import IDENTITY, Standardization
from sk_mlp._training.settings import Settings
from sk_mlp._training.training import random_starts

# Of a row, as in scikit-learn's `log_loss`: one cell with 1e6 for a missing value, far from all rows to
# train on, would otherwise decide alone (breast_cancer: log-loss .67, not .12).
LARGEST_LOSS = -math.log(np.finfo(np.float64).eps)
HARMLESS = 1e-5  # rounding error, as a share of the scale of its column, that changes no choice


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


class Score(NamedTuple):
    """Score of a network on the held-out rows of a fold; higher is better.

    Attributes
    ----------
    value : float
    rows : ndarray of shape (n_held_out,), optional
        Row scores; the choice uses their weighted mean instead of `value`.
    """

    value: float
    rows: np.ndarray | None = None


# (fold, parameters in standardised units) -> score
Scorer = Callable[[Fold, np.ndarray], Score]


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
    if score_weight is not None:
        test_rows = test_rows[score_weight[test_rows] > 0]
    parts = data.take(train_rows).weighted(), data._replace(weights=score_weight).take(test_rows)
    standardization = IDENTITY
    if options["standardize"]:
        standardization = _standardization(parts[0])
        if data.X.dtype != np.float32:
            scale = standardization.scale
            parts = _rounded(parts[0], scale), _rounded(parts[1], scale)
            standardization = _standardization(parts[0])
    kept, held = (_standardized(part, standardization) for part in parts)
    layout = kept.layout(options["hidden_units"])
    network = Network.named(layout, options["activation"], kept.target.output)
    objective = Objective(network, kept.rows(), IDENTITY, 0.0)
    starts = random_starts(objective, kept, walk.settings, np.random.RandomState(walk.seed))
    return Fold(objective, held.rows(), starts, test_rows, standardization)


def _standardization(data: Data) -> Standardization:
    return data.moments(standardize=True).standardization(text=data.is_text)


def _rounded(data: Data, scale: np.ndarray | float) -> Data:
    """Round what single precision can hold, so that the scores of a float32 table are the same."""
    X = data.X
    values, scale = (X.data, np.take(scale, X.indices)) if sparse.issparse(X) else (X, scale)
    with np.errstate(all="ignore"):
        rounded = values.astype(np.float32)
    harmless = np.isfinite(rounded) & (np.abs(values - rounded) <= HARMLESS * scale)
    values = np.where(harmless, rounded, values)
    if sparse.issparse(X):
        values = sparse.csr_matrix((values, X.indices, X.indptr), shape=X.shape)
    return data._replace(X=values)


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


def log_loss_score(fold: Fold, params: np.ndarray, surprise: float = 0.0) -> Score:
    """Negative log-loss of the held-out rows, in nats per unit of sample weight.

    Where all of a few rows are predicted right, the most confident network has the best log-loss,
    until it meets a row that it gets wrong. The row scores used to choose are therefore expected
    values, if each label were replaced by a random one with probability `surprise`. One over the
    number of rows stands for one extra row of this kind (Laplace's rule of succession).
    """
    network, held_out = fold.objective.network, fold.held_out
    n_outputs, labels = network.layout.n_outputs, held_out.y.ndim == 2  # one loss for each label
    anything = np.full(n_outputs, 0.5 if labels else 1 / n_outputs, held_out.X.dtype)
    losses = RowSum(network, held_out).row_losses(params, anything)
    largest = LARGEST_LOSS * (n_outputs if labels else 1)
    scores, of_anything = (-np.minimum(to_numpy(loss), largest) for loss in losses)
    value = float(np.average(scores, weights=held_out.sample_weight))
    return Score(value, (1.0 - surprise) * scores + surprise * of_anything)
