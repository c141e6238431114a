"""The options of a fit, with every "auto" resolved by the size of the problem.

The rules were chosen by measurement on some two dozen real data sets; see
``benchmarks/README.md``.
"""

import math
from typing import Any, NamedTuple

from sk_mlp._solvers import UpdateRule, adam, sgd

SMALL_NETWORK = 16  # hidden units up to which one random start is a gamble
LBFGS_MAX_ROWS = 20_000  # above, even a small network is trained sooner by minibatches
# The fewer units, the more starts end in a poor local minimum: 16 for up to 4 units, 4 for 16.
MAX_STARTS, STARTS_TIMES_UNITS = 16, 64
SCREENING_ITERATIONS, SCREENING_EPOCHS = 10, 0.05  # of a round; epochs as a share of all
LBFGS_ITERATIONS = 1000
EPOCHS, STEPS = 25, 500  # a minibatch solver plans at least as many of both
BATCH, MAX_BATCH, BATCHES = 64, 256, 128
ADAM_RATE, SGD_RATE = 0.01, 0.05  # at a batch of `BATCH` rows
# For sparse data with more than a quarter as many columns as rows, such as words of texts: adam
# moves the weight of a rare word at full rate, so that the data are fitted in a pass or two
# and overfitted soon after.
TEXT_STEPS, TEXT_RATE = 60, 0.3


class Settings(NamedTuple):
    """Options of a fit; see `TwoLayerMLPClassifier`.

    `planned` is whether `max_iter` was left to the solver: the end of the learning-rate
    schedule is then the end of the fit, not a limit that was hit.
    """

    solver: str
    alpha: float
    n_init: int
    screening: int
    batch_size: int
    learning_rate: str
    learning_rate_init: float
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    max_iter: int
    planned: bool
    tol: float
    n_iter_no_change: float

    def update_rule(self) -> UpdateRule:
        """Update rule of a minibatch solver."""
        if self.solver == "adam":
            return adam(self.beta_1, self.beta_2)
        return sgd(self.momentum, self.nesterovs_momentum)


def is_text(shape: tuple[int, int], *, is_sparse: bool) -> bool:
    """Whether data of this shape look like words of texts: sparse and wide."""
    return is_sparse and 4 * shape[1] > shape[0]


def resolve(
    options: dict[str, Any],
    shape: tuple[int, int],
    n_outputs: int,
    *,
    is_sparse: bool,
    epochs: int = EPOCHS,
    stream: bool = False,
) -> Settings:
    """Resolve the settings of a fit from the parameters of an estimator.

    Parameters
    ----------
    options : dict
        The parameters of `TwoLayerMLPClassifier`.
    shape : tuple (n_samples, n_features)
        Of the data to train on.
    n_outputs : int
        Output units.
    is_sparse : bool
        Whether X is a sparse matrix.
    epochs : int
        Planned at least by a minibatch solver, if `max_iter` does not say and X is not text.
    stream : bool, default=False
        Whether this is a call to partial_fit.

    Returns
    -------
    Settings
    """
    n_rows, text = shape[0], is_text(shape, is_sparse=is_sparse)
    small = options["hidden_units"] <= SMALL_NETWORK
    solver = options["solver"]
    if solver == "auto":
        full_batch = small and n_rows <= LBFGS_MAX_ROWS and not stream
        solver = "lbfgs" if full_batch else "adam"
    n_init = options["n_init"]
    if n_init == "auto":
        starts = min(MAX_STARTS, STARTS_TIMES_UNITS // options["hidden_units"])
        n_init = starts if small and solver == "lbfgs" else 1
    batch_size = options["batch_size"]
    if batch_size == "auto":
        batch_size = min(max(BATCH, n_rows // BATCHES), MAX_BATCH)
    rate = options["learning_rate_init"]
    if rate == "auto":
        # the noise of a step falls with the root of its batch; a batch of all rows has none,
        # and its rate must not depend on whether rows are repeated or weighted
        noise = batch_size if batch_size < n_rows else min(batch_size, MAX_BATCH)
        rate = (ADAM_RATE if solver == "adam" else SGD_RATE) * math.sqrt(noise / BATCH)
        rate *= TEXT_RATE if text and solver == "adam" else 1.0
    batch_size = min(batch_size, n_rows)
    max_iter = options["max_iter"]
    if max_iter is None and solver == "lbfgs":
        max_iter = LBFGS_ITERATIONS
    elif max_iter is None:
        epochs, steps = (1, TEXT_STEPS * math.sqrt(n_outputs)) if text else (epochs, STEPS)
        max_iter = max(epochs, math.ceil(steps / math.ceil(n_rows / batch_size)))
    patience = options["n_iter_no_change"]
    if solver != "lbfgs" and options["learning_rate"] == "cosine":
        # at a high rate a plateau is not convergence; early stopping may still end it
        patience = patience if options["early_stopping"] else math.inf
    return Settings(
        solver=solver,
        alpha=float(options["alpha"]),
        n_init=int(n_init),
        screening=SCREENING_ITERATIONS
        if solver == "lbfgs"
        else math.ceil(SCREENING_EPOCHS * max_iter),
        batch_size=int(batch_size),
        learning_rate=options["learning_rate"],
        learning_rate_init=float(rate),
        momentum=options["momentum"],
        nesterovs_momentum=options["nesterovs_momentum"],
        beta_1=options["beta_1"],
        beta_2=options["beta_2"],
        max_iter=int(max_iter),
        planned=options["max_iter"] is None,
        tol=options["tol"],
        n_iter_no_change=patience,
    )
