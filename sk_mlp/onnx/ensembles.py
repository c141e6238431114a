"""The last step of an ensemble of networks as nodes of an ONNX graph.

X holds what the members give, side by side.

The converters of skl2onnx 1.20 for these classes were measured beside scikit-learn 1.9. Of arrays
they give the same probabilities for bagging, one-versus-rest, stacking and, by the logits, sigmoid
calibration of a network. But the graph of a calibrated Pipeline does not run; isotonic calibration
takes the nearest threshold instead of interpolating (off by 0.11); weights of a vote beside a
"drop" are those of other members (off by 0.33), and its default ``flatten_transform=True`` raises;
calibration, one-versus-rest and stacking refuse data frames and texts; and integer labels above 32
bits come out wrong, unsigned ones raise, booleans become integers.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from onnx import TensorProto

from sk_mlp.onnx.graph import Graph, add_label, both_logits


def add_mean(graph: Graph, model: Any, X: str) -> None:
    """Add the mean of the probabilities of the members, weighted in a vote."""
    weights = np.ones(len(model.estimators_))
    if getattr(model, "weights", None) is not None:
        pairs = zip(model.estimators, model.weights, strict=True)
        weights = np.array([weight for (_, member), weight in pairs if member != "drop"], float)
    _add_mean(graph, model, _split(graph, X, len(weights), len(model.classes_)), weights)


def add_calibrated(graph: Graph, model: Any, X: str) -> None:
    """Add the mean over the folds of the calibrated logits of their networks."""
    folds = [fold.calibrators for fold in model.calibrated_classifiers_]
    logits = _split(graph, X, len(folds), len(folds[0]))
    members = [_calibrated(graph, *pair) for pair in zip(logits, folds, strict=True)]
    _add_mean(graph, model, members, np.ones(len(folds)))


def add_one_vs_rest(graph: Graph, model: Any, X: str) -> None:
    """Add the probabilities from the logits of each class, or of the second of two."""
    if len(model.estimators_) == 1:
        X = both_logits(graph, X)
        graph.node("Sigmoid", X, output="probabilities")
    else:
        _normalized(graph, graph.node("Sigmoid", X), 0, output="probabilities")
    add_label(graph, model, X)


def add_stack(graph: Graph, model: Any, X: str) -> None:
    """Take the columns that the final estimator sees: of two classes, the second only."""
    step = 2 if len(model.classes_) == 2 else 1
    columns = np.arange(step - 1, len(model.estimators_) * len(model.classes_), step)
    graph.node("Gather", X, graph.constant(columns), output="features", axis=1)


def _split(graph: Graph, X: str, n_members: int, n_columns: int) -> list[str]:
    """Columns of each member."""
    bounds = [graph.constant(np.array([j * n_columns])) for j in range(n_members + 1)]
    axis = graph.constant(np.array([1]))
    return [graph.node("Slice", X, *pair, axis) for pair in pairwise(bounds)]


def _add_mean(graph: Graph, model: Any, members: list[str], weights: np.ndarray) -> None:
    # in scikit-learn's order, so that ties are ties here too
    terms = [graph.node("Mul", P, weight) for P, weight in zip(members, weights, strict=True)]
    total = graph.node("Sum", *terms)
    add_label(graph, model, graph.node("Div", total, weights.sum(), output="probabilities"))


def _calibrated(graph: Graph, S: str, calibrators: list[Any]) -> str:
    """Calibrated probabilities of all classes, of one calibrator for each column."""
    if hasattr(calibrators[0], "a_"):
        a = [-calibrator.a_ for calibrator in calibrators]
        b = [-calibrator.b_ for calibrator in calibrators]
        P = graph.node("Sigmoid", graph.node("Add", graph.node("Mul", S, a), b))
    else:
        pairs = zip(_split(graph, S, len(calibrators), 1), calibrators, strict=True)
        P = graph.node("Concat", *(_isotonic(graph, *pair) for pair in pairs), axis=1)
    if len(calibrators) == 1:
        return graph.node("Concat", graph.node("Sub", 1, P), P, axis=1)
    return _normalized(graph, P, 1 / len(calibrators))


def _isotonic(graph: Graph, s: str, calibrator: Any) -> str:
    """Interpolate between the thresholds, constant outside; s of shape (n_samples, 1)."""
    if graph.dtype == np.float32:  # the steps magnify what rounding leaves
        raise ValueError("Isotonic calibration needs double precision: pass dtype=np.float64.")
    x, y = np.asarray(calibrator.X_thresholds_), np.asarray(calibrator.y_thresholds_)
    if len(x) == 1:  # a constant
        x, y = np.append(x, x + 1), np.append(y, y)
    s = graph.node("Clip", s, x[0], x[-1])
    # the segment that s is in: as many thresholds but the ends as are below it
    below = graph.node("Cast", graph.node("Less", x[1:-1], s), to=TensorProto.INT64)
    segment = _row_sums(graph, below)
    start, slope, base = (
        graph.node("Gather", values, segment)
        for values in (x[:-1], np.diff(y) / np.diff(x), y[:-1])
    )
    rise = graph.node("Mul", slope, graph.node("Sub", s, start))
    return graph.node("Add", rise, base)


def _normalized(graph: Graph, P: str, otherwise: float, output: str = "") -> str:
    """Rows that sum to 1, or hold the number that scikit-learn has instead where all are 0."""
    total = _row_sums(graph, P)
    zero = graph.node("Equal", total, 0)
    return graph.node("Where", zero, otherwise, graph.node("Div", P, total), output=output)


def _row_sums(graph: Graph, P: str) -> str:
    return graph.node("ReduceSum", P, graph.constant(np.array([1])), keepdims=1)
