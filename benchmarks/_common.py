"""What the benchmark scripts share: data, timing and the loss of a network."""

import contextlib
import importlib
import math
import statistics
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn import datasets
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

MIN_SECONDS = 0.2  # a shorter call is repeated
WARM_UP_SECONDS = 2.0


class Network(NamedTuple):
    """Parameters of a trained network; shapes as in ``coefs_`` and ``intercepts_``."""

    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray


class Problem(NamedTuple):
    """A classification problem on standardised features, with the network to be trained."""

    X: np.ndarray
    y: np.ndarray
    hidden_units: int
    activation: str
    alpha: float

    def astype(self, dtype: Any) -> "Problem":
        """Return the same problem with X in another dtype."""
        return self._replace(X=self.X.astype(dtype))


class Outcome(NamedTuple):
    """What one side of a comparison returns.

    Attributes
    ----------
    result : object
        What the loss is computed from, outside of the time measured.
    n_iter : int or None
        Iterations or epochs done.
    cost : float or None
        Its cost, if it measures that itself; else it is the time of the call in seconds.
    """

    result: Any = None
    n_iter: int | None = None
    cost: float | None = None


def network_of(estimator: Any) -> Network:
    """Parameters of a fitted estimator, ours or scikit-learn's."""
    (W1, W2), (b1, b2) = estimator.coefs_, estimator.intercepts_
    return Network(W1, b1, W2, b2)


def cross_entropy(S: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Cross-entropy of each row in nats from logits S and integer class codes y."""
    if S.shape[1] == 1:
        return np.logaddexp(0.0, S[:, 0]) - y * S[:, 0]
    shifted = S - S.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]


def objective(problem: Problem, network: Network) -> float:
    """Penalised training loss in float64, written independently of the package."""
    g = {"relu": lambda Z: np.maximum(Z, 0), "tanh": np.tanh, "logistic": sigmoid}
    W1, b1, W2, b2 = (np.asarray(w, dtype=np.float64) for w in network)
    total = 0.5 * problem.alpha * (np.sum(W1**2) + np.sum(W2**2))
    for first in range(0, len(problem.y), 4096):
        rows = slice(first, first + 4096)
        H = g[problem.activation](problem.X[rows].astype(np.float64) @ W1 + b1)
        total += cross_entropy(H @ W2 + b2, problem.y[rows]).sum()
    return float(total / len(problem.y))


def sigmoid(Z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z))."""
    return 0.5 + 0.5 * np.tanh(0.5 * Z)


def synthetic(n: int, d: int, classes: int, h: int, activation: str, alpha: float) -> Problem:
    """Labels drawn from the probabilities of a random network, on normal features."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    H = np.tanh(X @ rng.standard_normal((d, 20)) / math.sqrt(d) * 2)
    S = 2 * H @ rng.standard_normal((20, classes))
    y = np.argmax(S + rng.gumbel(size=S.shape), axis=1)
    return Problem(X, y, h, activation, alpha)


def problem(name: str, *, small: bool = False) -> Problem:
    """Return a problem by name; `small` shrinks the synthetic ones, to try the scripts."""
    shrink = 20 if small else 1
    if name == "circles":
        X, y = datasets.make_circles(500, noise=0.1, factor=0.5, random_state=0)
        return Problem(StandardScaler().fit_transform(X), y, 3, "tanh", 0.01)
    if name in ("breast_cancer", "digits"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        h = {"breast_cancer": 30, "digits": 100}[name]
        return Problem(StandardScaler().fit_transform(X), y, h, "relu", 0.1)
    if name == "20000x500":
        return synthetic(20_000 // shrink, 500, 10, 256, "relu", 1.0)
    activation = name.partition("-")[2] or "relu"
    n = {"50000x50": 50_000, "20000x50": 20_000}[name.partition("-")[0]]
    return synthetic(n // shrink, 50, 2, 100, activation, 1.0)


def synthetic_text(small: bool = False) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Tf-idf rows of documents drawn from two mixtures of topics over a Zipf vocabulary."""
    rng = np.random.default_rng(0)
    n, n_words, n_topics = (500, 2_000, 10) if small else (5_000, 24_000, 20)
    rank = np.arange(1, n_words + 1)
    topics = rng.gamma(0.3, size=(n_topics, n_words)) / rank
    topics /= topics.sum(axis=1, keepdims=True)
    y = (rng.random(n) < 0.3).astype(int)
    mixture = np.vstack([rng.dirichlet(a, n) for a in rng.gamma(1.0, size=(2, n_topics)) + 0.1])
    mixture = mixture.reshape(2, n, n_topics)[y, np.arange(n)]
    counts = [
        np.bincount(rng.choice(n_words, rng.poisson(60) + 5, p=m @ topics), minlength=n_words)
        for m in mixture
    ]
    return TfidfTransformer().fit_transform(sparse.csr_matrix(counts)), y


BUNDLED = ("iris", "wine", "breast_cancer", "digits")


def load_module(directory: str) -> types.ModuleType:
    """Import ``load.py`` of a data directory; it offers NAMES and ``load(name) -> (X, y)``."""
    if not (Path(directory) / "load.py").is_file():
        raise SystemExit(f"{directory} has no load.py with NAMES and load(name) -> (X, y).")
    sys.path.insert(0, directory)
    try:
        return importlib.import_module("load")
    finally:
        sys.path.remove(directory)


def data_source(directory: str | None) -> tuple[Sequence[str], Callable[[str], Any]]:
    """Names of the data sets and the function that loads one; those of scikit-learn if None."""
    if directory is None:
        return BUNDLED, lambda name: getattr(datasets, f"load_{name}")(return_X_y=True)
    module = load_module(directory)
    return list(module.NAMES), module.load


@contextlib.contextmanager
def threads(number: int | None) -> Iterator[None]:
    """Limit BLAS, OpenMP and PyTorch to a number of threads; None leaves the defaults."""
    if number is None:
        yield
        return
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    with threadpool_limits(number):
        if torch:
            torch.set_num_threads(number)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


def time_call(function: Callable[[], Outcome], min_seconds: float) -> tuple[float, Outcome]:
    """Seconds of one call, the mean of several if it is short, and its outcome."""
    start = time.perf_counter()
    outcome = function()
    seconds = time.perf_counter() - start
    if outcome.cost is not None:
        return outcome.cost, outcome
    if seconds < min_seconds:
        n_calls = math.ceil(min_seconds / seconds)
        start = time.perf_counter()
        for _ in range(n_calls):
            function()
        seconds = (time.perf_counter() - start) / n_calls
    return seconds, outcome


def alternate(
    sides: Sequence[Callable[[], Outcome]], rounds: int, min_seconds: float = MIN_SECONDS
) -> tuple[list[float], list[Outcome]]:
    """Median time of each side, timed in turns so that all see the same machine.

    A first call that is cheap to repeat does not count: it may import or compile something.
    """
    times: list[list[float]] = [[] for _ in sides]
    outcomes: list[Any] = [None] * len(sides)
    for turn in range(rounds):
        for i, side in enumerate(sides):
            seconds, outcomes[i] = time_call(side, min_seconds)
            if turn == 0 and outcomes[i].cost is None and seconds < WARM_UP_SECONDS:
                seconds, outcomes[i] = time_call(side, min_seconds)
            times[i].append(seconds)
    return [statistics.median(t) for t in times], outcomes
