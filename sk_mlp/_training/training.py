"""The spine of every fit: settle, start, train, finish."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import to_numpy
from sk_mlp._data.data import Data, fitted_network
from sk_mlp._data.moments import FeatureMoments
from sk_mlp._network.minibatches import batches_of
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective, Rows, Summable
from sk_mlp._network.parameters import IDENTITY, in_canonical_order, initial_parameters
from sk_mlp._solvers import (
    Monitor,
    Progress,
    SolverResult,
    check_finite,
    lbfgs,
    minibatch,
    take_step,
)
from sk_mlp._training.settings import Settings, Size, resolve
from sk_mlp._training.starts import UNWATCHED, Restarts, Watch

Array = Any  # an array of any namespace of the array API standard


class Trained(NamedTuple):
    """What training has found.

    Attributes
    ----------
    params : float64 ndarray of shape (layout.size,)
        In standardised units.
    result : SolverResult
        Of the start that was finished.
    losses : list of float
        Last loss of every start.
    """

    params: np.ndarray
    result: SolverResult
    losses: list[float]


def settle(
    data: Data,
    rows: Summable,
    moments: FeatureMoments,
    options: Mapping[str, Any],
    *,
    epochs: int | None = None,
    stream: bool = False,
) -> tuple[Objective, Settings]:
    """Settle what is minimised and how, except for the penalty.

    Parameters
    ----------
    data : Data
        Classes, and the kind and dtype of the features.
    rows : Summable
        The rows, wherever they are.
    moments : FeatureMoments
        Of all rows.
    options : mapping
        The parameters of `TwoLayerMLPClassifier`.
    epochs : int, optional
        Planned at least by a minibatch solver; see `resolve`.
    stream : bool, default=False
        True for a call to partial_fit.
    """
    layout = data.layout(options["hidden_units"])
    network = Network.named(layout, options["activation"], data.target.output)
    standardize = options["standardize"]
    standardization = moments.standardization(text=data.is_text) if standardize else IDENTITY
    size = Size(rows.n_rows, layout, text=data.is_short_text)
    settings = resolve(options, size, epochs=epochs, stream=stream)
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


def train(
    objective: Objective,
    settings: Settings,
    starts: Sequence[np.ndarray],
    rng: np.random.RandomState,
    *,
    validation: Rows | None = None,
    watch: Watch = UNWATCHED,
    warm: bool = False,
) -> Trained:
    """Train from the best of several starts.

    Parameters
    ----------
    objective : Objective
    settings : Settings
    starts : sequence of float64 ndarray of shape (layout.size,)
        In standardised units.
    rng : numpy.random.RandomState
        Shuffles the rows of minibatch solvers.
    validation : Rows, optional
        Rows whose mean cross-entropy is followed.
    watch : Watch
        What the fit is watched by; its validation loss is that of `validation`.
    warm : bool, default=False
        Return the start if training does not improve on it.
    """
    with (
        objective.rows.threads(objective.network) as threads,
        np.errstate(all="ignore"),  # a loss that is not finite is an error, underflow is none
    ):
        objective = objective.over(threads)
        if validation is not None:
            held_out = Objective(objective.network, validation, objective.standardization, 0.0)
            watch = watch._replace(validation_loss=lambda x: held_out.loss(to_numpy(x)))

        def solve(x0: np.ndarray, monitor: Monitor) -> SolverResult:
            if settings.solver == "lbfgs":
                return lbfgs(objective.loss_gradient, x0, monitor)
            return run_minibatch(objective, settings, x0, rng, monitor)

        result, losses = Restarts(solve, settings, starts, watch).finish()
        if warm and not watch.early_stopping:
            start_loss = objective.loss(starts[0])
            if start_loss < result.loss:
                result = result._replace(x=starts[0], loss=start_loss, best_iter=0)
    return Trained(to_numpy(result.x), result, losses)


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


def one_epoch(
    objective: Objective, settings: Settings, progress: Progress, rng: np.random.RandomState
) -> tuple[Progress, float]:
    """One pass of minibatch steps at a constant rate that continues earlier ones.

    Parameters
    ----------
    objective : Objective
        Of the rows of this pass.
    settings : Settings
    progress : Progress
        On the host, in standardised units; its state may lack vectors of the rule, which then
        start at zero.
    rng : numpy.random.RandomState

    Returns
    -------
    progress : Progress
        On the host; the state in single precision.
    loss : float
    """
    rule, course = settings.rule, settings.course
    assert rule is not None
    assert course is not None
    with (
        objective.rows.threads(objective.network) as threads,
        np.errstate(all="ignore"),
    ):
        batches = batches_of(objective.over(threads), settings.batch_size, rng)
        now = Progress.start(batches.place(progress.params), rule)._replace(t=progress.t)
        for name in now.state.keys() & progress.state.keys():
            now.state[name][...] = batches.place(progress.state[name])

        def take(step: Any) -> None:
            nonlocal now
            now = take_step(rule, now, step, course.learning_rate)

        loss = batches.epoch(now.params, take)
    check_finite(loss)
    largest = float(np.finfo(np.float32).max)
    state = {
        name: np.clip(to_numpy(vector), -largest, largest).astype(np.float32)
        for name, vector in now.state.items()
    }
    return Progress(to_numpy(now.params), state, now.t), loss


def finish(objective: Objective, data: Data, trained: Trained) -> dict[str, Any]:
    """Fitted attributes: the network in user units and canonical order, and how it went."""
    network, result = objective.network, trained.result
    user = objective.standardization.to_user_units(network.layout, trained.params)
    deviations = objective.rows.unit_deviations(network, user)
    contribution = deviations * np.linalg.norm(network.layout.views(user).W2, axis=1)
    user = in_canonical_order(network.layout, user, contribution, network.activation.odd)
    if result.converged and diverged(objective, data, trained):
        result = result._replace(reason="diverged")
    return {
        **fitted_network(user, network.layout, data),
        "n_iter_": result.n_iter,
        "loss_": result.loss,
        "loss_curve_": result.loss_curve,
        "best_iter_": result.best_iter,
        "converged_": result.converged,
        "stop_reason_": result.reason,
        "n_init_losses_": trained.losses,
    }


def diverged(objective: Objective, data: Data, trained: Trained) -> bool:
    """Return True if the cross-entropy is above that of predicting the share of each class.

    The penalty does not count: it may exceed the loss; that is not divergence.
    """
    return data_loss(objective, trained) > data.prior_loss() + 1e-5


def data_loss(objective: Objective, trained: Trained) -> float:
    """Mean cross-entropy of the training rows, without the penalty."""
    penalty = objective.penalty(trained.params) / objective.rows.weight_sum
    return float(trained.result.loss - penalty)


def useless(objective: Objective, data: Data, trained: Trained) -> bool:
    """Return True if the network does no better than the share of each class."""
    prior = data.prior_loss()
    return bool(prior > 1e-3 and data_loss(objective, trained) > (1.0 - 1e-4) * prior)
