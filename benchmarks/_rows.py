"""The rows of the table of compare.py: what is compared, with whom, and the target."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import _peers
import numpy as np
from _common import Outcome, data_source, objective, problem, synthetic_text
from _peers import no_convergence_warnings
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective, Rows
from sk_mlp._network.parameters import IDENTITY, Layout

ONE, DEFAULT = "one", "default"


class Options(NamedTuple):
    """Options of the command line that a row may need."""

    small: bool = False
    data: str | None = None


class Pair(NamedTuple):
    """The two sides, and what they reached: a function of an outcome's result."""

    ours: Callable[[], Outcome]
    peer: Callable[[], Outcome]
    loss: Callable[[Any], float] | None = None


class Row(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    name, peer : str
    target : float
        Cost of the peer over ours at least; with `limit` ours at most, see there.
    make : callable (options) -> Pair
        Prepares the data.
    threads : tuple of str
        "one": one thread for both sides; "default": the defaults of each.
    limit : {"ratio", "MB"} or None
        "ratio": the target is the most that ours may cost over the peer; "MB": the most
        memory that ours may take.
    max_rounds : int
    """

    name: str
    peer: str
    target: float
    make: Callable[[Options], Pair]
    threads: tuple[str, ...] = (ONE, DEFAULT)
    limit: str | None = None
    max_rounds: int = 100


def fits(
    name: str, dtype: str, solver: str, n_iter: int, peer: Callable[..., Outcome], options: Options
) -> Pair:
    """Prepare fits of the same network for the same number of iterations."""
    p = problem(name, small=options.small).astype(dtype)
    n_iter = max(2, n_iter // 10) if options.small else n_iter
    peer(p._replace(X=p.X[:200], y=p.y[:200]), 1)  # what it imports at its first call
    return Pair(
        partial(_peers.ours, p, solver, n_iter), partial(peer, p, n_iter), partial(objective, p)
    )


def sklearn_peer(solver: str) -> Callable[..., Outcome]:
    """Fit MLPClassifier with this solver."""
    return lambda p, n_iter: _peers.sklearn_mlp(p, solver, n_iter)


def lbfgs_rows() -> Iterator[Row]:
    """L-BFGS, equal iterations, one start."""
    for name, dtype, n_iter, target in (
        ("circles", "float64", 100, 2.0),
        ("breast_cancer", "float64", 60, 2.0),
        ("digits", "float64", 60, 2.0),
        ("50000x50-tanh", "float64", 20, 3.3),
        ("50000x50-tanh", "float32", 20, 3.0),
        ("20000x500", "float64", 10, 2.0),
        ("20000x500", "float32", 10, 2.5),
    ):
        make = partial(fits, name, dtype, "lbfgs", n_iter, sklearn_peer("lbfgs"))
        yield Row(f"lbfgs-{name}-{dtype}", "MLPClassifier", target, make)


def adam_rows() -> Iterator[Row]:
    """Adam, equal epochs."""
    peers = {
        "sklearn": ("MLPClassifier", sklearn_peer("adam")),
        "torch": ("PyTorch loop", _peers.torch_loop),
        "skorch": ("skorch", _peers.skorch_fit),
    }
    for dtype, peer, targets in (
        ("float32", "sklearn", (6.0, 3.0, 3.0, 1.6)),
        ("float32", "torch", (12.0, 3.5, 3.5, 1.4)),
        ("float32", "skorch", (32.0, 10.0, 10.0, 2.4)),
        ("float64", "sklearn", (5.0, 3.5, 3.5, 2.5)),
    ):
        title, fit = peers[peer]
        work = (("circles", 50), ("digits", 20), ("20000x50", 5), ("20000x500", 3))
        for (name, epochs), target in zip(work, targets, strict=True):
            make = partial(fits, name, dtype, "adam", epochs, fit)
            yield Row(f"adam-{name}-{dtype}-{peer}", title, target, make)


def starts(options: Options) -> Pair:
    """Eight starts of a small network, of which the best counts."""
    p, n_iter = problem("circles"), 20 if options.small else 200

    def eight() -> Outcome:
        done = [_peers.sklearn_mlp(p, "lbfgs", n_iter, seed) for seed in range(8)]
        return Outcome([o.result for o in done], max(o.n_iter or 0 for o in done))

    def screened() -> Outcome:
        done = _peers.ours(p, "lbfgs", n_iter, n_init=8)
        return done._replace(result=[done.result])

    return Pair(screened, eight, lambda networks: min(objective(p, n) for n in networks))


def nnet(name: str, hidden_units: int, n_iter: int, options: Options) -> Pair:
    """R's nnet, which has the logistic activation only."""
    p = problem(name)._replace(hidden_units=hidden_units, activation="logistic")
    n_iter = 5 if options.small else n_iter
    return Pair(
        partial(_peers.ours, p, "lbfgs", n_iter), partial(_peers.nnet, p, n_iter),
        partial(objective, p),
    )  # fmt: skip


def products(name: str, dtype: str, options: Options) -> Pair:
    """Objective and gradient against the two products of matrices that they cannot avoid."""
    p = problem(name, small=options.small).astype(dtype)
    classes = int(p.y.max()) + 1
    layout = Layout(p.X.shape[1], p.hidden_units, 1 if classes == 2 else classes)
    y = p.y[:, None].astype(bool) if classes == 2 else p.y
    output = "logistic" if classes == 2 else "softmax"
    network = Network.named(layout, p.activation, output)
    loss = Objective(network, Rows(p.X, y, None), IDENTITY, p.alpha)
    params = np.random.default_rng(0).normal(size=layout.size) / np.sqrt(layout.n_features)
    W1 = layout.views(params)[0].astype(dtype)
    D = np.ones((len(p.X), p.hidden_units), dtype)

    def bare() -> Outcome:
        p.X @ W1
        p.X.T @ D
        return Outcome()

    def evaluate() -> Outcome:
        loss.loss_gradient(params)
        return Outcome()

    return Pair(evaluate, bare)


def text(options: Options) -> Pair:
    """Defaults on tf-idf text; the peer runs until it has our validation log-loss."""
    if options.data:
        X, y = data_source(options.data)[1]("fine_foods")
    else:
        X, y = synthetic_text(options.small)
    X, X_val, y, y_val = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)

    def defaults() -> Outcome:
        model = TwoLayerMLPClassifier(random_state=0)
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
        return Outcome(model.predict_proba(X_val), model.n_iter_, seconds)

    goal = log_loss(y_val, defaults().result)

    def epochs() -> Outcome:
        """Stop at our loss; or, a lower bound of the ratio, ten epochs after its best one."""
        model, seconds, best, best_epoch = MLPClassifier(random_state=0), 0.0, np.inf, 0
        for epoch in range(1, 201):
            start = time.perf_counter()
            model.partial_fit(X, y, classes=np.unique(y))
            seconds += time.perf_counter() - start
            P = model.predict_proba(X_val)
            loss = log_loss(y_val, P)
            if loss < best:
                best, best_epoch, best_P = loss, epoch, P
            if best <= goal or epoch == best_epoch + 10:
                break
        return Outcome(best_P, epoch, seconds)

    return Pair(defaults, epochs, partial(log_loss, y_val))


def predict(n_rows: int, options: Options) -> Pair:
    """predict_proba of the same network."""
    p = problem("50000x50", small=options.small)
    settings = {"solver": "lbfgs", "max_iter": 1, "random_state": 0}
    mlp = MLPClassifier(p.hidden_units, **settings)
    model = TwoLayerMLPClassifier(p.hidden_units, **settings)
    with no_convergence_warnings():
        mlp.fit(p.X[:1000], p.y[:1000])
        model.fit(p.X[:1000], p.y[:1000])
    model.coefs_, model.intercepts_ = mlp.coefs_, mlp.intercepts_
    X = np.resize(p.X, (n_rows, p.X.shape[1]))
    y = np.resize(p.y, n_rows)
    return Pair(
        lambda: Outcome(model.predict_proba(X)),
        lambda: Outcome(mlp.predict_proba(X)),
        lambda P: log_loss(y, P, labels=[0, 1]),
    )


def grid(options: Options) -> Pair:
    """Search hidden units and alpha on digits, in two processes, all else by default."""
    p = problem("digits")
    units = [4, 8] if options.small else [4, 8, 16, 32, 64, 128]
    rows = slice(300 if options.small else None)

    def search(estimator: Any, parameter: str, units: list[int] = units) -> Outcome:
        candidates = {parameter: units, "alpha": [0.01, 0.1, 1.0, 10.0]}
        model = GridSearchCV(estimator, candidates, scoring="neg_log_loss", cv=3, n_jobs=2)
        with no_convergence_warnings():
            model.fit(p.X[rows], p.y[rows])
        return Outcome(-model.best_score_)

    # the processes start and import at their first use, which is not what is compared
    search(TwoLayerMLPClassifier(max_iter=2), "hidden_units", [2])
    search(MLPClassifier(max_iter=2), "hidden_layer_sizes", [2])
    return Pair(
        lambda: search(TwoLayerMLPClassifier(random_state=0), "hidden_units"),
        lambda: search(MLPClassifier(random_state=0), "hidden_layer_sizes"),
        float,
    )


def memory(solver: str, kind: str, options: Options) -> Pair:
    """Peak memory of one iteration in a new process."""
    n_rows = 20_000 if options.small else 1_000_000
    script = str(Path(__file__).with_name("_memory.py"))

    def side(who: str) -> Outcome:
        command = [sys.executable, script, who, solver, str(n_rows), kind]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise _peers.Missing(f"it failed: {done.stderr[-200:]}")
        return Outcome(cost=float(done.stdout))

    return Pair(partial(side, "ours"), partial(side, "sklearn"))


def all_rows() -> Iterator[Row]:
    """Every row, in the order of the table."""
    yield from lbfgs_rows()
    yield Row("starts-circles", "8 MLPClassifier fits", 5.0, starts)
    yield from adam_rows()
    for name in ("50000x50", "50000x50-tanh", "20000x500"):
        for dtype in ("float64", "float32"):
            target = 1.15 if name == "20000x500" else 1.6
            make = partial(products, name, dtype)
            yield Row(f"objective-{name}-{dtype}", "two products", target, make, (ONE,), "ratio")
    yield Row("nnet-circles", "R nnet", 1.0, partial(nnet, "circles", 3, 100))
    yield Row("nnet-digits", "R nnet", 15.0, partial(nnet, "digits", 20, 50))
    yield Row("text", "MLPClassifier", 10.0, text, max_rounds=3)
    yield Row("predict-1", "MLPClassifier", 1.5, partial(predict, 1))
    yield Row("predict-100000", "MLPClassifier", 2.0, partial(predict, 100_000))
    for solver, kind in (("adam", "array"), ("lbfgs", "array"), ("adam", "memmap")):
        make = partial(memory, solver, kind)
        yield Row(f"memory-{solver}-{kind}", "MLPClassifier", 64.0, make, (DEFAULT,), "MB", 1)
    yield Row("grid-digits", "MLPClassifier", 8.0, grid, (DEFAULT,), max_rounds=1)
