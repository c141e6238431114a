"""Compare the quality of the defaults with that of other classifiers; see README.md.

The scores are those of the test rows of five stratified folds. Every classifier gets the same
prepared data: numbers standardised, categories one-hot.

The name of a classifier is that of `MODELS`, with options in parentheses:
``ours(hidden_units=3, alpha=0.1)``; ``alpha=x3`` is three times the alpha that "auto" chooses. A
suffix ``@dense`` or ``@sparse`` asks for raw numbers in a table of this kind, see `prepare`.
"""

import argparse
import ast
import contextlib
import importlib
import itertools
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _machine import machine, watch_others
from report import RESULTS, quality_tables, summarise
from scipy import sparse
from sklearn import datasets
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV

MODELS: dict[str, Callable[[], Any]] = {
    "mlp": lambda: MLPClassifier(random_state=0),
    "logistic": lambda: LogisticRegression(max_iter=1000),
    "hgb": lambda: HistGradientBoostingClassifier(random_state=0),
    "ours": lambda: TwoLayerMLPClassifier(random_state=0),
    "ours_cv": lambda: TwoLayerMLPClassifierCV(random_state=0),
    "prior": lambda: DummyClassifier(),
    "realmlp": lambda: importlib.import_module("pytabkit").RealMLP_TD_S_Classifier(random_state=0),
}
DEFAULT_MODELS = ["mlp", "logistic", "hgb", "ours", "ours_cv"]
# what a fit is compared with, and the defaults that are changed on top of it
CHANGES = {
    "ours(": "alpha=x0.1 alpha=x0.3 alpha=x3 alpha=x10 hidden_units=50 hidden_units=200 "
    "activation=tanh activation=leaky_relu activation=gelu activation=silu standardize=False",
    "ours(solver=lbfgs)": "tol=1e-5 tol=1e-3 n_iter_no_change=5 n_iter_no_change=20 max_iter=100",
    "ours(solver=adam)": "batch_size=32 batch_size=256 learning_rate_init=0.003 "
    "learning_rate_init=0.03 learning_rate=constant max_iter=20 max_iter=80 beta_2=0.99",
    "ours(hidden_units=8)": "n_init=1 n_init=4 n_init=16",
}
SMALL = ((3, 8, 16), ("logistic", "tanh", "relu"), ("auto", 0.001, 0.01, 0.1, 1, 10, 100))
LISTS = {
    "small": ["prior"] + [
        f"ours(hidden_units={h}, activation={g}, alpha={a})" for h, g, a in itertools.product(*SMALL)
    ],
    "raw": [n + how for n in ("ours", "ours_cv", "logistic") for how in ("", "@dense", "@sparse")],
    "sensitivity": [base.rstrip("(") for base in CHANGES] + [
        f"{base.replace(')', ', ')}{change})" for base in CHANGES for change in CHANGES[base].split()
    ],
}  # fmt: skip
N_SPLITS = 5
Record = dict[str, Any]


def data_source(directory: str | None) -> tuple[Sequence[str], Callable[[str], Any]]:
    """Names of the data sets and ``load(name) -> (X, y)``; those of scikit-learn if None."""
    if directory is None:
        names = ("iris", "wine", "breast_cancer", "digits")
        return names, lambda name: getattr(datasets, f"load_{name}")(return_X_y=True)
    sys.path.insert(0, directory)
    module = importlib.import_module("load")
    sys.path.remove(directory)
    return list(module.NAMES), module.load


def model_of(name: str, X: Any, y: np.ndarray) -> Any:
    """Return the unfitted classifier of this name, or None if it cannot take X."""
    kind, _, options = name.partition("@")[0].rstrip(")").partition("(")
    if kind in ("hgb", "realmlp") and sparse.issparse(X):
        return None
    model = MODELS[kind]()
    for option in filter(None, options.split(", ")):
        parameter, _, value = option.partition("=")
        if value.startswith("x"):
            value = float(value[1:]) * MODELS[kind]().fit(X, y).alpha_
        with contextlib.suppress(ValueError):  # a word
            value = ast.literal_eval(str(value))
        model.set_params(**{parameter: value})
    return model


def prepare(X_train: Any, X_test: Any, how: str) -> tuple[Any, Any] | None:
    """Impute and encode by the training rows; None where `how` would change nothing.

    `how` is "" (numbers standardised, dense), "dense" or "sparse" (numbers as they are).
    """
    if how and not hasattr(X_train, "columns"):
        return None
    if sparse.issparse(X_train):
        return X_train, X_test
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    numbers = impute if how else make_pipeline(impute, StandardScaler())
    if isinstance(X_train, np.ndarray):
        return numbers.fit_transform(X_train), numbers.transform(X_test)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=how == "sparse")
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (encoder, make_column_selector(dtype_exclude="number")),
        sparse_threshold=float(how == "sparse"),
    )
    return columns.fit_transform(X_train), columns.transform(X_test)


def evaluate(model: Any, fold: Sequence[Any], classes: np.ndarray) -> Record:
    """Fit and score one classifier on one fold."""
    X_train, y_train, X_test, y_test = fold
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        others = watch_others()
        seconds, cpu = time.perf_counter(), time.process_time()
        model.fit(X_train, y_train)
        seconds, cpu = time.perf_counter() - seconds, time.process_time() - cpu
    P = np.zeros((len(y_test), len(classes)))  # a rare class may be missing from the fold
    P[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(X_test)
    P /= P.sum(axis=1, keepdims=True)
    return {
        "log_loss": log_loss(y_test, P, labels=classes),
        "accuracy": accuracy_score(y_test, model.predict(X_test)),
        "seconds": seconds,
        "cpu": cpu,
        "n_iter": int(np.max(getattr(model, "n_iter_", 0))),
        "warned": any(issubclass(w.category, ConvergenceWarning) for w in caught),
        "others": others(),
    }


def cross_validate(
    name: str, X: Any, y: np.ndarray, models: Sequence[str], n_folds: int, done: set[Any]
) -> Iterator[Record]:
    """Yield the missing records of one data set, fold by fold."""
    splitter = StratifiedKFold(N_SPLITS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds
        splits = list(splitter.split(np.zeros(len(y)), y))
    take = X.iloc.__getitem__ if hasattr(X, "iloc") else X.__getitem__
    for number, (train, test) in enumerate(splits[:n_folds]):
        prepared: dict[str, Any] = {}
        for model in [model for model in models if (name, number, model) not in done]:
            how = model.partition("@")[2]
            if how not in prepared:
                prepared[how] = prepare(take(train), take(test), how)
            if prepared[how] is None:
                continue
            X_train, X_test = prepared[how]
            if (estimator := model_of(model, X_train, y[train])) is not None:
                fold = (X_train, y[train], X_test, y[test])
                record = evaluate(estimator, fold, np.unique(y))
                yield {"set": name, "fold": number, "model": model, **record}


def run(arguments: argparse.Namespace, models: Sequence[str]) -> list[Record]:
    """Evaluate what the file does not hold yet; return all records that were asked for."""
    names, load = data_source(arguments.data)
    path, wanted = Path(arguments.json), arguments.sets or names
    records = [json.loads(line) for line in path.open()] if path.is_file() else []
    done = {(r["set"], r["fold"], r["model"]) for r in records}
    for name in wanted:
        for record in cross_validate(name, *load(name), models, arguments.folds, done):
            records.append(record)
            with path.open("a") as file:
                file.write(json.dumps(record) + "\n")
            print("{set:>15} {fold} {model:<28} log-loss {log_loss:.4f} accuracy {accuracy:.4f} "
                  "{cpu:.2f} s".format(**record), flush=True)  # fmt: skip
    asked = set(itertools.product(wanted, range(arguments.folds), models))
    return [r for r in records if (r["set"], r["fold"], r["model"]) in asked]


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--data", help="directory with a load.py: NAMES and load(name) -> (X, y)")
    add("--sets", nargs="+", help="data sets; all by default")
    add("--only", nargs="+", metavar="MODEL", default=[],
        help=f"of {', '.join(MODELS)}, with options as in 'ours(hidden_units=3, alpha=0.1)'; "
        f"by default {', '.join(DEFAULT_MODELS)}")  # fmt: skip
    add("--folds", type=int, default=N_SPLITS, help=f"how many of the {N_SPLITS} folds")
    add("--json", default="/dev/null", help="file of records; what it holds is not run again")
    add("--threads", type=int, help="limit for BLAS and OpenMP")
    for name in LISTS:
        add(f"--{name}", action="store_true", help="this list of models, see README.md")
    add("--results", metavar="NAME", help="write the means to results/NAME.json for report.py")
    return parser.parse_args()


def main() -> None:
    """Run the classifiers and print the tables."""
    arguments = parse()
    lists = [models for name, models in LISTS.items() if getattr(arguments, name)]
    models = list(dict.fromkeys(sum(lists, arguments.only))) or DEFAULT_MODELS
    print(machine(), flush=True)
    with threadpool_limits(arguments.threads):
        summary = summarise(run(arguments, models))
    print(quality_tables(summary))
    if arguments.results:
        content = {"machine": machine(), "threads": arguments.threads, "rows": summary}
        (RESULTS / f"{arguments.results}.json").write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    main()
