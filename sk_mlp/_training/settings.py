"""The options of a fit, with every "auto" resolved by the size of the problem.

The rules were chosen by measurement on some fifty real data sets; see ``benchmarks/README.md``.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sk_mlp._network.parameters import Layout
from sk_mlp._solvers import Course, UpdateRule, adam, sgd

# L-BFGS converges with the right alpha to a lower held-out loss than a planned number of epochs
# (.81 against .85 of MLPClassifier's, 28 sets), as long as a pass over the rows is cheap; with
# many classes it needs too many (1000 classes: 4.9 s to accuracy .90, Adam .6 s to 1.00).
LBFGS_ROWS, LBFGS_WORK, LBFGS_OUTPUTS = 10_000, 3e8, 100
# With a fixed alpha a short plan keeps a large network from overfitting; a small one needs none.
SMALL_NETWORK = 16
# The fewer units, the more starts end in a poor local minimum: 16 for up to 4 units, 4 for 16,
# 1 from 33.
MAX_STARTS, STARTS_TIMES_UNITS = 16, 64
SCREENING_ITERATIONS, SCREENING_EPOCHS = 10, 0.05  # of a round; epochs as a share of all
LBFGS_ITERATIONS = 1000
EPOCHS, STEPS = 25, 500  # a minibatch solver plans at least as many of both ...
# With the right alpha a longer fit does not overfit: on twelve sets of 9 000 to 49 000 rows, 64 epochs
# instead of 40 lower the log-loss by 1.5 %, 100 by 2 %.
TUNED_EPOCHS = 64
# ... but fewer epochs the more rows there are. Measured on 1 000 000 x 50: 9 epochs end at log-loss
# .2923 in 4.4 s, 13 at .2891 in 5.9 s; on 137 000 x 134, 22 at .3234 and 30 at .3233.
EPOCHS_ROWS, EPOCHS_POWER = 16_384, 0.45  # TUNED_EPOCHS up to that many rows
BATCH, MAX_BATCH, BATCHES = 64, 1024, 128
FULL_BATCH = 256  # rows whose learning rate a batch of all rows gets at most
# Update rule of a minibatch solver by its options, and its learning rate at a batch of `BATCH` rows.
MINIBATCH_SOLVERS: dict[str, tuple[Callable[[Mapping[str, Any]], UpdateRule], float]] = {
    "adam": (lambda options: adam(options["beta_1"], options["beta_2"]), 0.01),
    "sgd": (lambda options: sgd(options["momentum"], options["nesterovs_momentum"]), 0.05),
}
# Adam moves the weight of a rare word at full rate, so that texts are fitted in a pass or two
# and overfitted soon after.
TEXT_STEPS, TEXT_RATE = 60, 0.3


class Size(NamedTuple):
    """What the settings of a fit depend on.

    Attributes
    ----------
    n_rows : int
    layout : Layout
        Shapes of the network.
    text : bool, default=False
        True for words of texts: many sparse columns for few rows.
    """

    n_rows: int
    layout: Layout
    text: bool = False


class Settings(NamedTuple):
    """Options of a fit; see `TwoLayerMLPClassifier`.

    `rule` and `course` are None for "lbfgs", `screening` the iterations (epochs) of a round of starts.
    """

    solver: str
    n_init: int
    screening: int
    batch_size: int
    rule: UpdateRule | None
    course: Course | None
    max_iter: int
    tol: float
    n_iter_no_change: float


def resolve(
    options: Mapping[str, Any], size: Size, *, tuned: bool = False, stream: bool = False
) -> Settings:
    """Resolve the settings of a fit from the parameters of an estimator.

    Parameters
    ----------
    options : mapping
        The parameters of `TwoLayerMLPClassifier`.
    size : Size
        Of the data and the network.
    tuned : bool, default=False
        True if alpha was chosen by a search, so that more epochs are planned; as for "auto".
    stream : bool, default=False
        True for a call to partial_fit.

    Returns
    -------
    Settings
    """
    solver = options["solver"]
    tuned = tuned or options["alpha"] == "auto"
    if solver == "auto":
        solver = "adam" if stream else _solver(size, tuned=tuned)
    n_init = options["n_init"]
    if n_init == "auto":
        n_init = _starts(size, solver)
    max_iter, patience = options["max_iter"], options["n_iter_no_change"]
    if solver == "lbfgs":
        batch_size, rule, course = size.n_rows, None, None
        max_iter, screening = max_iter or LBFGS_ITERATIONS, SCREENING_ITERATIONS
    else:
        automatic = min(max(BATCH, size.n_rows // BATCHES), MAX_BATCH)
        asked = automatic if options["batch_size"] == "auto" else int(options["batch_size"])
        batch_size = min(asked, size.n_rows)
        if max_iter is None:
            max_iter = _planned_epochs(size, batch_size, TUNED_EPOCHS if tuned else EPOCHS)
        if options["learning_rate"] == "cosine" and not options["early_stopping"]:
            patience = math.inf  # at a high rate a plateau is not convergence
        rate = options["learning_rate_init"]
        rate = _learning_rate(solver, size, asked) if rate == "auto" else float(rate)
        rule = MINIBATCH_SOLVERS[solver][0](options)
        course = Course(options["learning_rate"], rate, planned=options["max_iter"] is None)
        screening = math.ceil(SCREENING_EPOCHS * max_iter)
    return Settings(
        solver=solver,
        n_init=int(n_init),
        screening=screening,
        batch_size=batch_size,
        rule=rule,
        course=course,
        max_iter=int(max_iter),
        tol=options["tol"],
        n_iter_no_change=patience,
    )


def _solver(size: Size, *, tuned: bool) -> str:
    layout = size.layout
    cheap = size.n_rows * layout.multiply_adds <= LBFGS_WORK and layout.n_outputs <= LBFGS_OUTPUTS
    suits = cheap and (tuned or layout.hidden_units <= SMALL_NETWORK)
    return "lbfgs" if suits and _few_rows(size.n_rows, text=size.text) else "adam"


def solver_of_search(solver: str, n_rows: int, *, text: bool) -> str:
    """Solver of a path of networks: as given, or by the rows alone.

    Of many rows, a path of networks by lbfgs that have not converged takes too small an alpha
    (adult: log-loss .63 instead of .32).
    """
    if solver != "auto":
        return solver
    return "lbfgs" if _few_rows(n_rows, text=text) else "adam"


def _few_rows(n_rows: int, *, text: bool) -> bool:
    # a step of adam costs what the non-zeros of a text cost, not what its columns do
    return n_rows <= LBFGS_ROWS and not text


def _starts(size: Size, solver: str) -> int:
    if solver != "lbfgs":
        return 1
    return max(1, min(MAX_STARTS, STARTS_TIMES_UNITS // size.layout.hidden_units))


def _planned_epochs(size: Size, batch_size: int, epochs: int) -> int:
    steps: float = STEPS
    if size.text:
        epochs, steps = 1, TEXT_STEPS * math.sqrt(size.layout.n_outputs)
    else:
        enough = math.ceil(TUNED_EPOCHS * (EPOCHS_ROWS / size.n_rows) ** EPOCHS_POWER)
        epochs = min(epochs, enough)
    return max(epochs, math.ceil(steps / math.ceil(size.n_rows / batch_size)))


def _learning_rate(solver: str, size: Size, batch: int) -> float:
    # the noise of a step falls with the root of its batch; a batch of all rows has none,
    # and its rate must not depend on whether rows are repeated or weighted
    noise = batch if batch < size.n_rows else min(batch, FULL_BATCH)
    rate = MINIBATCH_SOLVERS[solver][1] * math.sqrt(noise / BATCH)
    return float(rate * TEXT_RATE if size.text and solver == "adam" else rate)
