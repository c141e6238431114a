"""The spine of every fit: settle, start, train, finish."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import Array, to_numpy
from sk_mlp._data.data import Data, fitted_network
from sk_mlp._data.moments import FeatureMoments
from sk_mlp._network.minibatches import batches_of
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective, Rows, Summable
from sk_mlp._network.parameters import IDENTITY, in_canonical_order, initial_parameters
from sk_mlp._solvers import Monitor, SolverResult, check_finite, lbfgs, minibatch
from sk_mlp._training.settings import Settings, Size, resolve
from sk_mlp._training.starts import UNWATCHED, Restarts, Watch

# A network that the penalty has left no weights has the loss of the share of each class: to 2e-7 by
# lbfgs, to 4e-5 of it by adam (iris, wine, breast_cancer, digits at alpha=1e4, five seeds each).
SAME_LOSS, SAME_SHARE = 1e-5, 1e-4
SEPARATED = 1e-3  # nats; with all but a few rows in one class there is nothing to learn
# Multiple of that log-loss which the loss of a start is below, and that after too long steps above,
# and what a loss that goes down may rise by.
OF_A_START, ROUGH = 2.0, 0.01
# Underflow is no error, and what is not finite is found by its result, whatever the caller has asked
# NumPy to raise. A thread has an error state of its own.
quietly = np.errstate(all="ignore")


class TrainingSet(NamedTuple):
    """Rows to fit a network to, wherever they are, and what is known of all of them.

    Attributes
    ----------
    data : Data
        Classes, and the kind and dtype of the features.
    rows : Summable
    moments : FeatureMoments
    sample : callable () -> Data, optional
        Rows to choose alpha by; by default all in `data`.
    held_out : Rows, optional
        Rows whose loss is followed.
    """

    data: Data
    rows: Summable
    moments: FeatureMoments
    sample: Callable[[], Data] | None = None
    held_out: Rows | None = None


class Finished(NamedTuple):
    """A fit that has ended.

    Attributes
    ----------
    attributes : dict
        Fitted attributes, by name.
    settings : Settings
        What every "auto" was resolved to.
    useless : bool
        True if the network does no better than predicting the share of each class.
    prior_loss : float
        Cross-entropy of that prediction, in nats per unit of sample weight.
    falling : bool
        True if the loss ended above `prior_loss` and on its way down from the start, as it does
        after steps that are too short; too long ones raise it.
    misled : bool
        True if the weights of the lowest validation loss are those of a start, while the training
        loss went on to fall.
    mean_weight : float
        Of the rows.
    """

    attributes: dict[str, Any]
    settings: Settings
    useless: bool
    prior_loss: float
    falling: bool
    misled: bool
    mean_weight: float


def settle(
    training: TrainingSet,
    options: Mapping[str, Any],
    *,
    tuned: bool = False,
    stream: bool = False,
) -> tuple[Objective, Settings]:
    """Settle what is minimised and how, except for the penalty.

    Parameters
    ----------
    training : TrainingSet
    options : mapping
        The parameters of `TwoLayerMLPClassifier`.
    tuned : bool, default=False
        True if alpha was chosen by a search.
    stream : bool, default=False
        True for a call to partial_fit.
    """
    data, rows, moments = training[:3]
    layout = data.layout(options["hidden_units"])
    network = Network.named(layout, options["activation"], data.target.output)
    standardize = options["standardize"]
    standardization = moments.standardization(text=data.is_text) if standardize else IDENTITY
    size = Size(rows.n_rows, layout, text=data.is_short_text)
    settings = resolve(options, size, tuned=tuned, stream=stream)
    return Objective(network, rows, standardization, 0.0), settings


def random_starts(
    objective: Objective, data: Data, settings: Settings, rng: np.random.RandomState
) -> list[np.ndarray]:
    """Random starts in standardised units.

    The weights of a constant feature start where the objective wants them: at zero.
    """
    layout, gain = objective.network.layout, objective.network.activation.gain
    log_odds = data.log_odds()
    starts = [initial_parameters(layout, gain, rng, log_odds) for _ in range(settings.n_init)]
    constant = np.isinf(np.broadcast_to(objective.standardization.scale, layout.n_features))
    if sparse.issparse(data.X):  # without `standardize`, or in parts that lack the feature
        constant = constant | (np.bincount(data.X.indices, minlength=layout.n_features) == 0)
    if constant.any():
        for start in starts:
            layout.views(start).W1[constant] = 0.0
    return starts


def validation_loss(objective: Objective, rows: Rows | None) -> Callable[[Array], float] | None:
    """Return the mean cross-entropy of other rows, a function of the same parameters."""
    if rows is None:
        return None
    held_out = Objective(objective.network, rows, objective.standardization, 0.0)
    return lambda params: held_out.loss(to_numpy(params))


def train(
    objective: Objective,
    settings: Settings,
    starts: Sequence[np.ndarray],
    rng: np.random.RandomState,
    *,
    watch: Watch = UNWATCHED,
    warm: bool = False,
) -> tuple[SolverResult, list[float]]:
    """Train from the best of several starts.

    Parameters
    ----------
    objective : Objective
    settings : Settings
    starts : sequence of float64 ndarray of shape (layout.size,)
        In standardised units.
    rng : numpy.random.RandomState
        Shuffles the rows of minibatch solvers.
    watch : Watch
    warm : bool, default=False
        Return the start if training does not improve on it.

    Returns
    -------
    result : SolverResult
        Of the start that was finished; on the host, in standardised units.
    losses : list of float
        Last loss of every start.
    """
    with objective.rows.threads(objective.network) as threads:
        objective = objective.over(threads)

        def solve(x0: np.ndarray, monitor: Monitor) -> SolverResult:
            if settings.solver == "lbfgs":
                return lbfgs(objective.loss_gradient, x0, monitor)
            return run_minibatch(objective, settings, x0, rng, monitor)

        result, losses = Restarts(solve, settings, starts, watch).finish()
        if warm and not watch.early_stopping:
            start_loss = objective.loss(starts[0])
            if start_loss < result.loss:
                result = result._replace(x=starts[0], loss=start_loss, best_iter=0)
    return result._replace(x=to_numpy(result.x)), losses


def run_minibatch(
    objective: Objective,
    settings: Settings,
    x0: np.ndarray,
    rng: np.random.RandomState,
    monitor: Monitor,
) -> SolverResult:
    """Run adam or sgd; with all rows in one batch the gradient is that of the objective."""
    assert settings.rule is not None
    assert settings.course is not None
    batches = batches_of(objective, settings.batch_size, rng)
    result = minibatch(batches, batches.place(x0), settings.rule, settings.course, monitor)
    # the curve follows predictions made on the way; the loss is that of the weights returned
    loss = objective.loss(to_numpy(result.x))
    check_finite(loss)
    return result._replace(loss=loss)


def finish(objective: Objective, data: Data, settings: Settings, result: SolverResult) -> Finished:
    """Bring the network to user units and canonical order, and say how the fit went."""
    network = objective.network
    user = objective.standardization.to_user_units(network.layout, result.x)
    deviations = objective.rows.unit_deviations(network, user)
    contribution = deviations * np.linalg.norm(network.layout.views(user).W2, axis=1)
    user = in_canonical_order(network.layout, user, contribution, network.activation.odd)
    prior_loss = data.prior_loss()
    # the penalty does not count: it may exceed the loss; that is not divergence
    weight_sum = objective.rows.weight_sum
    penalty = objective.penalty(result.x) / weight_sum
    data_loss = float(result.loss - penalty)
    margin = max(SAME_LOSS, SAME_SHARE * prior_loss)
    worse = data_loss > prior_loss + margin
    losses = np.asarray(result.loss_curve or [prior_loss]) / prior_loss
    # steps that are too short leave the penalty as it was at the start
    above = losses[-1] > 1.0 + ROUGH and losses[0] - penalty / prior_loss < OF_A_START
    falling = bool(above and np.all(np.diff(losses) < ROUGH))
    misled = (
        worse
        and result.reason == "early_stopping"
        and result.n_iter - result.best_iter >= settings.n_iter_no_change
        and result.loss_curve[-1] < result.loss
        and data_loss < OF_A_START * prior_loss
    )
    if result.converged and worse and not misled:
        if not falling:
            result = result._replace(reason="diverged")
        elif result.reason == "schedule":
            result = result._replace(reason="max_iter")
    attributes = {
        **fitted_network(user, network.layout, data),
        "n_iter_": result.n_iter,
        "loss_": result.loss,
        "loss_curve_": result.loss_curve,
        "best_iter_": result.best_iter,
        "converged_": result.converged,
        "stop_reason_": result.reason,
    }
    if result.validation_loss_curve:
        attributes["validation_loss_curve_"] = result.validation_loss_curve
    useless = prior_loss > SEPARATED and data_loss > prior_loss - margin
    mean_weight = weight_sum * objective.rows.weight_unit / objective.rows.n_rows
    return Finished(attributes, settings, useless, prior_loss, falling, misled, mean_weight)
