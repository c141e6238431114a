"""`partial_fit`: one pass over the next rows of a stream."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sk_mlp._backend.arrays import to_numpy
from sk_mlp._data.data import Data
from sk_mlp._data.moments import FeatureMoments
from sk_mlp._network.minibatches import batches_of
from sk_mlp._network.objective import Objective
from sk_mlp._network.parameters import IDENTITY, rescaled
from sk_mlp._solvers import Progress, check_finite, take_step
from sk_mlp._training.settings import Settings
from sk_mlp._training.training import TrainingSet, random_starts, settle


def next_pass(
    data: Data,
    options: Mapping[str, Any],
    alpha: float,
    last: np.ndarray | None,
    stream: Mapping[str, Any],
) -> tuple[np.ndarray, float, dict[str, Any]]:
    """Make one pass of minibatch steps over the next rows.

    Parameters
    ----------
    data : Data
        The next rows.
    options : mapping
        The parameters of `TwoLayerMLPClassifier`.
    alpha : float
        The penalty if these were all rows; it is shared out among the rows seen so far.
    last : ndarray of shape (layout.size,) or None
        Parameters in user units so far; None begins a stream.
    stream : mapping
        State that the last pass has left.

    Returns
    -------
    params : ndarray of shape (layout.size,)
        In user units.
    loss : float
    stream : dict
        State for the next pass.
    """
    moments = data.moments(standardize=options["standardize"])
    share, old = moments.weight, IDENTITY
    if last is not None:
        seen = FeatureMoments.restore(stream["moments"], data.X.shape[1])
        moments = seen.merge(moments)
        old = seen.standardization(text=data.is_text) if options["standardize"] else IDENTITY
    training = TrainingSet(data, data.rows(), moments)
    objective, settings = settle(training, options, stream=True)
    objective = objective.with_alpha(alpha * share / moments.weight)
    rng = copy.deepcopy(stream.get("random_state")) or check_random_state(options["random_state"])
    layout, standardization = objective.network.layout, objective.standardization
    # a separate generator, so that the shuffling does not depend on whether a constant column
    # starts to vary
    starts_rng = rng if last is None else np.random.RandomState(rng.randint(2**31 - 1))
    (start,) = random_starts(objective, data, settings._replace(n_init=1), starts_rng)
    if last is not None:
        start = rescaled(layout, last, old, standardization, start)
    progress = Progress(start, stream.get("state", {}), stream.get("t", 0))
    progress, loss = _one_epoch(objective, settings, progress, rng)
    params = standardization.to_user_units(layout, progress.params)
    if not np.isfinite(params).all():
        check_finite(np.nan)
    state = {"solver": settings.solver, "state": progress.state, "t": progress.t}
    return params, loss, {"moments": moments._asdict(), **state, "random_state": rng}


def _one_epoch(
    objective: Objective, settings: Settings, progress: Progress, rng: np.random.RandomState
) -> tuple[Progress, float]:
    """Make one pass, and bring progress back to the host, its state in single precision."""
    rule, course = settings.rule, settings.course
    assert rule is not None
    assert course is not None
    with objective.rows.threads(objective.network) as threads:
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
