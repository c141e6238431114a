"""From validated data and settings to trained parameters."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sk_mlp._backend.arrays import place, to_numpy
from sk_mlp._backend.threads import batch_threads, row_ranges, row_threads
from sk_mlp._network.activations import Activation
from sk_mlp._network.minibatches import Minibatches
from sk_mlp._network.objective import RowSum, TwoLayerLoss, spread
from sk_mlp._network.parameters import Layout, Standardization, initial_parameters
from sk_mlp._solvers import (
    Monitor,
    Progress,
    SolverResult,
    check_finite,
    lbfgs,
    minibatch,
    start,
    take_step,
)
from sk_mlp._training.settings import Settings
from sk_mlp._training.starts import Listener, run_starts

Array = Any  # an array of any namespace of the array API standard

CONTRIBUTION_ROWS = 2_000


class Problem(NamedTuple):
    """Data and network of a fit."""

    X: Array
    y: Array
    sample_weight: Array | None
    layout: Layout
    activation: Activation
    output: Any
    xp: Any
    standardization: Standardization

    def rows(self, rows: range | None = None) -> RowSum:
        """Sum of the loss over some rows."""
        return RowSum(
            self.X,
            self.y,
            self.sample_weight,
            layout=self.layout,
            activation=self.activation,
            output=self.output,
            xp=self.xp,
            rows=rows,
        )

    def objective(self, alpha: float, n_threads: int = 1, map: Any = map) -> TwoLayerLoss:
        """Objective over all rows, in as many parts as there are threads."""
        parts = [self.rows(rows) for rows in row_ranges(self.X.shape[0], n_threads)]
        return TwoLayerLoss(parts, self.layout, alpha, self.standardization, map)


def train(
    problem: Problem,
    settings: Settings,
    starts: Sequence[np.ndarray],
    rng: np.random.RandomState,
    *,
    validation: Problem | None = None,
    watch_validation: bool = False,
    listeners: Sequence[Listener] = (),
) -> tuple[np.ndarray, SolverResult, list[float]]:
    """Train from the best of several starts.

    The worse half of the starts is dropped every few iterations; see `run_starts`.

    Returns
    -------
    params : float64 ndarray of shape (layout.size,)
        In standardised units.
    result : SolverResult
        Of the start that was finished.
    losses : list of float
        Last known loss of every start.
    """
    with (
        row_threads(problem.xp, problem.X, problem.layout) as (n_threads, thread_map),
        np.errstate(over="ignore", invalid="ignore"),  # a loss that is not finite is an error
    ):
        objective = problem.objective(settings.alpha, n_threads, thread_map)
        validation_loss = None
        if validation is not None:
            held_out = validation.objective(0.0)
            validation_loss = lambda x: held_out.loss(to_numpy(x))

        def solve(x0: np.ndarray, monitor: Monitor) -> SolverResult:
            if settings.solver == "lbfgs":
                return lbfgs(objective.loss_gradient, x0, monitor)
            return run_minibatch(problem, objective, settings, x0, rng, monitor)

        return run_starts(
            solve,
            settings,
            starts,
            validation_loss=validation_loss,
            watch_validation=watch_validation,
            listeners=listeners,
        )


def step_dtype(problem: Problem, settings: Settings) -> Any:
    """Dtype of minibatch steps: single precision unless a batch is all the data.

    The noise of the sampling hides what single precision rounds off.
    """
    full_batch = settings.batch_size >= problem.X.shape[0]
    return problem.X.dtype if full_batch else problem.xp.float32


class FullBatch:
    """Passes of one batch, all the rows: the gradient of the objective itself.

    The loss after a step comes with the gradient for the next one, so that the exact loss of
    every iterate is known at no cost.
    """

    n_steps = 1

    def __init__(self, problem: Problem, objective: TwoLayerLoss, dtype: Any) -> None:
        self.problem, self.objective, self.dtype = problem, objective, dtype
        self.gradient: Array = None

    def epoch(self, params: Array) -> Iterator[Any]:
        """One pass: a step along the gradient at `params`, those of the last call to `loss`."""
        if self.gradient is None:
            self.loss(params)
        yield None, params, self.gradient

    def loss(self, params: Array) -> float:
        """Objective at `params`."""
        loss, gradient = self.objective.loss_gradient(to_numpy(params))
        self.gradient = place(self.problem.xp, gradient, self.problem.X, self.dtype)
        return loss


def batches_of(
    problem: Problem,
    objective: TwoLayerLoss,
    settings: Settings,
    rng: np.random.RandomState,
) -> Minibatches | FullBatch:
    """Choose passes in batches or, if one batch is all the data, the exact gradient."""
    dtype = step_dtype(problem, settings)
    if settings.batch_size >= problem.X.shape[0]:
        return FullBatch(problem, objective, dtype)
    return Minibatches(
        problem.rows(),
        settings.alpha,
        problem.standardization,
        settings.batch_size,
        rng,
        dtype,
        batch_threads(len(objective.parts), settings.batch_size, problem.layout),
        objective.map,
    )


def run_minibatch(
    problem: Problem,
    objective: TwoLayerLoss,
    settings: Settings,
    x0: np.ndarray,
    rng: np.random.RandomState,
    monitor: Monitor,
) -> SolverResult:
    """Run adam or sgd; with all rows in one batch the gradient is that of the objective."""
    batches = batches_of(problem, objective, settings, rng)
    start_point = place(problem.xp, x0, problem.X, step_dtype(problem, settings))
    if isinstance(batches, FullBatch):
        monitor.begin(start_point, batches.loss(start_point))
    result = minibatch(
        problem.xp,
        batches.epoch,
        batches.loss,
        batches.n_steps,
        start_point,
        settings.update_rule(),
        monitor,
        schedule=settings.learning_rate,
        learning_rate=settings.learning_rate_init,
        planned=settings.planned,
    )
    # the curve follows predictions made on the way; the loss is that of the weights returned
    loss = objective.loss(to_numpy(result.x))
    check_finite(loss)
    return result._replace(loss=loss)


def one_epoch(
    problem: Problem,
    settings: Settings,
    x0: np.ndarray,
    slots: np.ndarray | None,
    t: int,
    rng: np.random.RandomState,
    weight_sum: float,
) -> tuple[np.ndarray, float, np.ndarray, int]:
    """One pass of minibatch steps that continues earlier ones.

    Parameters
    ----------
    slots : ndarray of shape (n_slots, layout.size) or None
        State of the update rule after the last pass; None before the first.
    t : int
        Steps taken so far.
    weight_sum : float
        Sample weight seen so far, these rows included: what the penalty is divided by.

    Returns
    -------
    params, loss, slots, t
    """
    rule, dtype = settings.update_rule(), step_dtype(problem, settings)
    with row_threads(problem.xp, problem.X, problem.layout) as (n_threads, thread_map):
        objective = problem.objective(settings.alpha, n_threads, thread_map)
        seen = weight_sum / sum(part.weight_sum for part in objective.parts)
        objective.alpha /= seen
        settings = settings._replace(alpha=objective.alpha)
        batches = batches_of(problem, objective, settings, rng)
        state = start(problem.xp, place(problem.xp, x0, problem.X, dtype), rule)
        if slots is not None:
            for vector, values in zip(state.stack[1:], slots, strict=False):
                vector[...] = place(problem.xp, values, problem.X, dtype)
        state = Progress(state.stack, t)
        for step in batches.epoch(state.stack[0]):
            state = take_step(problem.xp, rule, state, step, settings.learning_rate_init)
        loss = batches.loss(state.stack[0])
    check_finite(loss)
    params, *rest = (to_numpy(vector) for vector in state.stack)
    return params, loss, np.asarray(rest, dtype=np.float32), state.t


def random_starts(
    problem: Problem, settings: Settings, log_odds: np.ndarray, rng: np.random.RandomState
) -> list[np.ndarray]:
    """Random starts in standardised units, `settings.n_init` of them.

    A minibatch solver does not move the weights of a sparse feature that is zero in every row,
    so they start where the objective wants them: at zero.
    """
    layout, gain = problem.layout, problem.activation.gain
    starts = [initial_parameters(layout, gain, rng, log_odds) for _ in range(settings.n_init)]
    if sparse.issparse(problem.X) and settings.solver != "lbfgs":
        unseen = np.bincount(problem.X.indices, minlength=layout.n_features) == 0
        for start_point in starts:
            layout.views(start_point)[0][unseen] = 0.0
    return starts


def contributions(problem: Problem, user: np.ndarray) -> np.ndarray:
    """Contribution of each hidden unit to the output, shape (hidden_units,).

    Its standard deviation over the rows, of which some two thousand are enough, times the norm
    of its outgoing weights; `user` are parameters in user units.
    """
    some = slice(None, None, max(1, problem.X.shape[0] // CONTRIBUTION_ROWS))
    weights = problem.sample_weight
    rows = problem._replace(
        X=problem.X[some, ...],
        y=problem.y[some, ...],
        sample_weight=None if weights is None else weights[some],
    ).rows()
    with row_threads(problem.xp, rows.X, problem.layout):
        unit_spread = spread(*rows.unit_sums(user), rows.weight_sum)
    return np.asarray(unit_spread * np.linalg.norm(problem.layout.views(user)[2], axis=1))
