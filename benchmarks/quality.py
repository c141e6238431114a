"""Compare the quality of the defaults with that of other classifiers; see README.md.

Every classifier gets the same prepared data: numbers standardised, categories one-hot. The
scores are those of the test rows of five stratified folds.
"""

import argparse
import json
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _common import data_source, threads
from _machine import Neighbours, machine, print_machine
from _models import DEFAULT_MODELS, MODELS, Factory, missing, sensitivity_models
from _tables import print_busy, print_per_set, print_reach, print_sensitivity, print_summary
from scipy import sparse
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

N_SPLITS = 5
Record = dict[str, Any]


def prepare(X_train: Any, X_test: Any) -> tuple[Any, Any]:
    """Standardise numbers and encode categories, by the training rows; leave sparse data."""
    if sparse.issparse(X_train):
        return X_train, X_test
    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
    )
    if isinstance(X_train, np.ndarray):
        return numbers.fit_transform(X_train), numbers.transform(X_test)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (encoder, make_column_selector(dtype_exclude="number")),
    )
    return columns.fit_transform(X_train), columns.transform(X_test)


def rows(X: Any, index: np.ndarray) -> Any:
    """Take rows of an array, a sparse matrix or a data frame."""
    return X.iloc[index] if hasattr(X, "iloc") else X[index]


def evaluate(model: Any, fold: Sequence[Any], classes: np.ndarray) -> Record:
    """Fit and score one classifier on one fold."""
    X_train, y_train, X_test, y_test = fold
    with warnings.catch_warnings(record=True) as caught, Neighbours() as neighbours:
        warnings.simplefilter("always")
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
        "others": round(neighbours.cores, 2),
    }


def validation_curve(model: Any, fold: Sequence[Any], classes: np.ndarray) -> Record:
    """Log-loss on the test rows after every epoch of our fit, which it does not influence."""
    X_train, y_train, X_test, y_test = fold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X_train, y_train, X_val=X_test, y_val=y_test)
    return {"curve": model.validation_loss_curve_}


def cross_validate(
    name: str, X: Any, y: np.ndarray, models: dict[str, Factory], n_folds: int, done: set[Any]
) -> Iterator[Record]:
    """Yield the missing records of one data set, fold by fold."""
    splitter = StratifiedKFold(N_SPLITS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds
        splits = list(splitter.split(np.zeros(len(y)), y))
    classes = np.unique(y)
    for number, (train, test) in enumerate(splits[:n_folds]):
        todo = [model for model in models if (name, number, model) not in done]
        if not todo:
            continue
        X_train, X_test = prepare(rows(X, train), rows(X, test))
        fold = (X_train, y[train], X_test, y[test])
        for model in todo:
            estimator = models[model](X_train, y[train])
            if estimator is None:
                continue
            score = validation_curve if model == "ours_curve" else evaluate
            record = score(estimator, fold, classes)
            yield {"set": name, "fold": number, "model": model, **record}


def run(arguments: argparse.Namespace, models: dict[str, Factory]) -> list[Record]:
    """Evaluate what the file does not hold yet; return all records that were asked for."""
    names, load = data_source(arguments.data)
    unknown = set(arguments.sets or ()) - set(names)
    if unknown:
        raise SystemExit(f"No such set: {', '.join(sorted(unknown))}. There are {names}.")
    path = Path(arguments.json) if arguments.json else None
    records: list[Record] = []
    if path and path.exists():
        records = [json.loads(line) for line in path.read_text().splitlines()]
    done = {(r["set"], r["fold"], r["model"]) for r in records}
    for name in arguments.sets or names:
        X, y = load(name)
        for record in cross_validate(name, X, y, models, arguments.folds, done):
            records.append(record)
            if path:
                with path.open("a") as file:
                    file.write(json.dumps(record) + "\n")
            if "log_loss" in record:
                print(
                    "{set:>15} fold {fold} {model:<28} log-loss {log_loss:.4f} "
                    "accuracy {accuracy:.4f} {seconds:.2f} s".format(**record),
                    flush=True,
                )
    wanted = set(arguments.sets or names)
    return [
        r
        for r in records
        if r["set"] in wanted and r["model"] in models and r["fold"] < arguments.folds
    ]


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--data", help="directory with a load.py: NAMES and load(name) -> (X, y)")
    add("--sets", nargs="+", help="data sets; all by default")
    add("--only", nargs="+", choices=list(MODELS), metavar="MODEL",
        help=f"of {', '.join(MODELS)}; by default {', '.join(DEFAULT_MODELS)}")  # fmt: skip
    add("--folds", type=int, default=N_SPLITS, help=f"how many of the {N_SPLITS} folds")
    add("--json", help="file of results, a line each; what it holds already is not run again")
    add("--threads", type=int, help="limit for BLAS, OpenMP and PyTorch")
    add("--sensitivity", action="store_true", help="change each default one step either side")
    add("--reach", action="store_true", help="time until our fit has the log-loss of mlp")
    return parser.parse_args()


def chosen_models(arguments: argparse.Namespace) -> dict[str, Factory]:
    """Return the classifiers to run, without those that are not installed."""
    if arguments.sensitivity:
        return sensitivity_models()
    names = list(arguments.only or DEFAULT_MODELS)
    if arguments.reach:
        names = list(dict.fromkeys([*names, "mlp", "ours"]))
    for name in list(names):
        if reason := missing(name):
            print(f"{name}: skipped, {reason}.")
            names.remove(name)
    models = {name: MODELS[name] for name in names}
    if arguments.reach:
        models["ours_curve"] = MODELS["ours"]
    return models


def main() -> None:
    """Run the classifiers and print the tables."""
    arguments = parse()
    print_machine(machine())
    models = chosen_models(arguments)
    with threads(arguments.threads):
        records = run(arguments, models)
    scored = [record for record in records if "log_loss" in record]
    print_busy(scored)
    if arguments.sensitivity:
        print_sensitivity(scored)
        return
    names = [name for name in models if name != "ours_curve"]
    print_per_set(scored, names)
    references = ["mlp", "logistic", "hgb"]
    if {"mlp_grid", "realmlp"} & set(names):
        references.append("ours_cv")
    for reference in references:
        if reference in names:
            print_summary(scored, names, reference)
    if arguments.reach:
        print_reach(records)


if __name__ == "__main__":
    main()
