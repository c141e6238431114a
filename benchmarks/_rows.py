"""What speed.py times: for each row of its table the sides to compare.

A side is a function of the options `o` of speed.py. It prepares the data and returns what is
timed, a function without arguments, and a function of its result: figures such as the loss.
"""

import itertools
import os
import shutil
import tempfile
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _peers import FITS, objective, ours, problem, synthetic
from scipy import sparse
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV

Prepared = tuple[Callable[[], Any], Callable[[Any], dict[str, float]]]
EARLY = "MLPClassifier, early stopping"
DEFAULTS: dict[str, Callable[..., Any]] = {  # of a number of hidden units
    "ours": lambda h=100: TwoLayerMLPClassifier(h, random_state=0),
    "search": lambda: TwoLayerMLPClassifierCV(random_state=0),
    "MLPClassifier": lambda: MLPClassifier(random_state=0),
    EARLY: lambda h=100: MLPClassifier((h,), early_stopping=True, random_state=0),
    "HistGradientBoosting": lambda h=0: HistGradientBoostingClassifier(random_state=0),
    "LightGBM": lambda h=0: import_module("lightgbm").LGBMClassifier(random_state=0, verbose=-1),
}
PAIR = ("ours", "MLPClassifier")


class Row(NamedTuple):
    """One row of the table: its sides, of which the first is compared with the others.

    `wall` is True where the work is shared among processes, whose CPU time is not seen.
    """

    name: str
    sides: dict[str, Callable[..., Prepared]]
    goal: str = ""
    threads: tuple[int, ...] = (1, 2)
    rounds: int = 5
    wall: bool = False


def sides(make: Callable[..., Prepared], names: tuple[str, ...], *work: Any) -> dict[str, Any]:
    """Return a side of each name for the same work."""
    return {name: partial(make, name, *work) for name in names}


def equal_work(
    side: str, name: str, dtype: str, solver: str, n_iter: int, o: Namespace
) -> Prepared:
    """Fit the same network for the same number of iterations."""
    p = problem(name, dtype, o.small)
    FITS[side](p._replace(X=p.X[:200], y=p.y[:200]), solver, 1)  # what it imports at first
    fit = partial(FITS[side], p, solver, max(2, n_iter // 10) if o.small else n_iter)
    return fit, lambda model: {"loss": objective(p, model), "n_iter": model.n_iter_}


def equal_work_rows() -> list[Row]:
    """L-BFGS and Adam beside MLPClassifier and a loop in PyTorch."""
    rows = []
    for solver, names, work in (
        ("lbfgs", PAIR, {"circles": 100, "breast_cancer": 60, "digits": 60, "50000x50-tanh": 20,
                         "20000x500": 10}),
        ("adam", tuple(FITS), {"circles": 50, "digits": 20, "20000x50": 5, "20000x500": 3}),
    ):  # fmt: skip
        for (of, n_iter), dtype in itertools.product(work.items(), ("float32", "float64")):
            name = f"{solver}-{of}-{dtype}"
            goal = "1.5" if name == "adam-20000x500-float32" else ""
            rows.append(Row(name, sides(equal_work, names, of, dtype, solver, n_iter), goal))
    return rows


def held_out(X: Any, y: np.ndarray, make: Callable[[], Any]) -> Prepared:
    """Fit to four fifths of the rows, score the rest."""
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
    return lambda: make().fit(X, y), lambda m: {"loss": log_loss(y_test, m.predict_proba(X_test))}


def mapped(n_rows: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Synthetic data in float32, read from a file, which lives as long as it is mapped."""
    folder, shape = tempfile.mkdtemp(), (n_rows, d)
    _, y = synthetic(*shape, 2, np.memmap(Path(folder, "X"), np.float32, "w+", shape=shape))
    X = np.memmap(Path(folder, "X"), np.float32, "r", shape=shape)
    shutil.rmtree(folder)
    return X, y


def default_million(side: str, d: int, h: int, o: Namespace) -> Prepared:
    """1 000 000 rows of float32, read from a file: all defaults but the number of units."""
    X, y = mapped(20_000 if o.small else 1_050_000, d)
    n = len(y) - len(y) // 21  # views: a random split would copy
    fit = lambda: DEFAULTS[side](h).fit(X[:n], y[:n])
    return fit, lambda m: {"loss": log_loss(y[n:], m.predict_proba(X[n:]))}


def default_on(side: str, name: str, o: Namespace) -> Prepared:
    """All defaults on iris, or on a set of the data directory, prepared as by quality.py."""
    from quality import data_source, prepare  # which imports all that a classifier may need

    X, y = load_iris(return_X_y=True) if name == "iris" else data_source(o.data)[1](name)
    if o.small:
        _, X, _, y = train_test_split(X, y, test_size=150, stratify=y, random_state=0)
    return held_out(prepare(X, X, "")[0], y, DEFAULTS[side])


def search_memmap(side: str, o: Namespace) -> Prepared:
    """Fit to a file of 400 MB."""
    X, y = mapped(20_000 if o.small else 2_000_000, 50)
    DEFAULTS[side]().fit(X[:500], y[:500])  # what is imported once does not count
    return lambda: DEFAULTS[side]().fit(X, y), lambda m: {}


def predict(side: str, n_rows: int, d: int, h: int, o: Namespace) -> Prepared:
    """predict_proba of the same network."""
    X, y = synthetic(max(n_rows, 1000), d, 2)
    mlp = MLPClassifier((h,), solver="lbfgs", max_iter=1, random_state=0).fit(X[:1000], y[:1000])
    model = TwoLayerMLPClassifier.from_mlpclassifier(mlp) if side == "ours" else mlp
    return partial(model.predict_proba, X[:n_rows]), lambda P: {}


def grid(side: str, o: Namespace) -> Prepared:
    """Search units on digits in two processes; MLPClassifier has to search alpha as well."""
    X, y = load_digits(return_X_y=True)
    units = [8, 16] if o.small else [8, 16, 32, 64, 128]
    candidates: dict[str, Any] = {"hidden_units": units}
    if side != "ours":
        candidates = {"hidden_layer_sizes": units, "alpha": [1e-4, 1e-3, 1e-2, 0.1, 1.0]}
    few = {name: values[:1] for name, values in candidates.items()}
    search = GridSearchCV(DEFAULTS[side](), few, scoring="neg_log_loss", cv=3, n_jobs=2)
    search.fit(X[:100], y[:100])  # the processes start and import at their first use
    search.set_params(param_grid=candidates)
    rows = slice(300 if o.small else None)
    return partial(search.fit, X[rows], y[rows]), lambda s: {"loss": -float(s.best_score_)}


def progress(side: str, o: Namespace) -> Prepared:
    """Six fits of three units, each with 16 starts, with and without a progress bar."""
    p = problem("circles")
    estimator = TwoLayerMLPClassifier(3, n_init=16, random_state=0)
    search = GridSearchCV(estimator, {"alpha": [0.01, 0.1]}, cv=3, refit=False)
    if side == "with bar":
        from sklearn.callback import ProgressBar

        os.environ["TTY_COMPATIBLE"] = "1"  # draw as on a terminal
        search.set_callbacks(ProgressBar())
    return partial(search.fit, p.X, p.y), lambda s: {}


def dask_fit(side: str, o: Namespace) -> Prepared:
    """Twenty iterations of L-BFGS on 200 000 x 100 float32, on workers of one thread each."""
    import dask.array as da
    from distributed import Client, LocalCluster

    from sk_mlp.dask import DaskTwoLayerMLPClassifier

    n_rows = 2_000 if o.small else 200_000
    X, y = synthetic(n_rows, 100, 2, np.empty((n_rows, 100), np.float32))
    kind: Any = TwoLayerMLPClassifier
    if side != "one process":
        kind, n = DaskTwoLayerMLPClassifier, int(side.split()[0])
        Client(LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=":0"))
        X, y = (da.from_array(part, chunks=n_rows // 8).persist() for part in (X, y))
    model = kind(alpha=1.0, solver="lbfgs", max_iter=20, tol=0.0, random_state=0)
    return partial(model.fit, X, y), lambda m: {"loss": m.loss_}


def slope(n: int, d: int, h: int, classes: int, nonzeros: int, o: Namespace) -> Prepared:
    """Two iterations on a problem of some size, sparse if `nonzeros` of a row are given."""
    X, y = synthetic(n // 20 if o.small else n, d, classes)
    if nonzeros:
        X = sparse.random(*X.shape, nonzeros / d, "csr", rng=np.random.default_rng(0))
    p = problem("circles")._replace(X=X, y=y, hidden_units=h)
    return partial(ours, p, "lbfgs", 2), lambda m: {}


def slope_rows() -> list[Row]:
    """Cost of two iterations of L-BFGS against each size."""
    rows = []
    for axis, sizes, fixed in (
        ("n", (20_000, 80_000), {}), ("d", (128, 512), {}), ("h", (128, 512), {}),
        ("classes", (50, 800), {"n": 5_000}), ("nonzeros", (20, 320), {"d": 10_000, "h": 32}),
    ):  # fmt: skip
        size = {"n": 20_000, "d": 64, "h": 64, "classes": 2, "nonzeros": 0} | fixed
        made = {str(n): partial(slope, *(size | {axis: n}).values()) for n in sizes}
        rows.append(Row(f"slope-{axis}", made, threads=(1,), rounds=3))
    return rows


def all_rows(data: str | None) -> list[Row]:
    """Every row, in the order of the table."""
    hgb, bars = "HistGradientBoosting", ("without bar", "with bar")
    workers = ("one process", "1 worker", "2 workers")
    large = ("magic", "letter", "adult", "health") if data else ()
    sizes = [(n, 50, 100) for n in (1, 100, 1_000, 10_000, 100_000)] + [(4_000, 500, 256)]
    return [
        Row("default-1000000x50", sides(default_million, ("ours", EARLY, hgb), 50, 100), "4 s",
            rounds=3),
        Row("default-1000000x500", sides(default_million, ("ours", EARLY, hgb, "LightGBM"), 500, 256),
            "", (2,), 1),
        Row("default-iris", sides(default_on, PAIR, "iris"), "1"),
        *(Row(f"default-{n}", sides(default_on, (*PAIR, hgb), n), "", (1,), 1) for n in large),
        *(Row(f"search-{n}", sides(default_on, ("search", "ours", hgb), n), "1.2 s", (1,), 1)
          for n in large if n == "adult"),
        Row("search-memmap", sides(search_memmap, ("search", "ours")), "100 MB", (1,), 1),
        *(Row(f"predict-{n}x{d}", sides(predict, PAIR, n, d, h), "2" if n == 100_000 else "1.1")
          for n, d, h in sizes),
        Row("grid-digits", sides(grid, PAIR), "10", (1,), 3, wall=True),
        Row("progress-grid", sides(progress, bars), "1.1", (1,)),
        Row("dask-200000x100", sides(dask_fit, workers), "", (1,), 3, wall=True),
        *equal_work_rows(),
        *slope_rows(),
    ]  # fmt: skip
