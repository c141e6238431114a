"""Ensembles of networks as nodes of an ONNX graph.

The nodes are added by functions of the graph, the ensemble and the names of what its members give.

The converters of skl2onnx 1.20 for these classes were measured beside scikit-learn 1.9. With the
logits of a network they give the same probabilities for sigmoid calibration, bagging,
one-versus-rest and stacking of arrays, but not otherwise: isotonic calibration takes the nearest
threshold instead of interpolating (off by up to 0.11); weights of a vote are read wrongly beside a
"drop" (off by 0.33), and its default ``flatten_transform=True`` raises; all but the vote refuse
data frames, and all of them texts; integer labels of more than 32 bits come out wrong, unsigned
ones raise, and booleans become integers.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sk_mlp.onnx.graph import INT64, Graph, add_label, both_logits


def add_mean(graph: Graph, model: Any, members: Sequence[str]) -> None:
    """Add the mean of the probabilities of the members, weighted in a vote."""
    weights = np.ones(len(members))
    if getattr(model, "weights", None) is not None:
        pairs = zip(model.estimators, model.weights, strict=True)
        weights = np.array([weight for (_, member), weight in pairs if member != "drop"], float)
    # in scikit-learn's order, so that ties are ties here too
    terms = [
        P if weight == 1 else graph.node("Mul", P, weight)
        for P, weight in zip(members, weights, strict=True)
    ]
    total = graph.node("Sum", *terms)
    P = graph.node("Div", total, weights.sum(), output="probabilities")
    add_label(graph, model, P)


def add_calibrated(graph: Graph, model: Any, members: Sequence[str]) -> None:
    """Add the mean over the folds of the calibrated logits of their networks."""
    folds = [
        _normalized(graph, _calibrated(graph, S, fold.calibrators), len(fold.calibrators))
        for S, fold in zip(members, model.calibrated_classifiers_, strict=True)
    ]
    add_mean(graph, model, folds)


def add_one_vs_rest(graph: Graph, model: Any, members: Sequence[str]) -> None:
    """Combine the logits of one member for each class, or of one for two classes."""
    if len(members) == 1:
        S = both_logits(graph, members[0])
        graph.node("Sigmoid", S, output="probabilities")
    else:
        S = graph.node("Concat", *members, axis=1)
        P = graph.node("Sigmoid", S)
        graph.node("Div", P, _row_sums(graph, P), output="probabilities")
    add_label(graph, model, S)


def _calibrated(graph: Graph, S: str, calibrators: list[Any]) -> str:
    """Calibrated scores, one column for each calibrator."""
    if hasattr(calibrators[0], "a_"):
        a = [-calibrator.a_ for calibrator in calibrators]
        b = [-calibrator.b_ for calibrator in calibrators]
        return graph.node("Sigmoid", graph.node("Add", graph.node("Mul", S, a), b))
    columns = [
        _isotonic(graph, graph.node("Gather", S, graph.constant(np.array([j])), axis=1), c)
        for j, c in enumerate(calibrators)
    ]
    return graph.node("Concat", *columns, axis=1)


def _isotonic(graph: Graph, s: str, calibrator: Any) -> str:
    """Interpolate between the thresholds, constant outside; s of shape (n_samples, 1)."""
    if graph.dtype == np.float32:  # the steps magnify what rounding leaves
        raise ValueError("Isotonic calibration needs double precision: pass dtype=np.float64.")
    x, y = np.asarray(calibrator.X_thresholds_), np.asarray(calibrator.y_thresholds_)
    if len(x) == 1:  # a constant
        x, y = np.append(x, x + 1), np.append(y, y)
    s = graph.node("Clip", s, x[0], x[-1])
    # the segment that s is in: as many thresholds but the ends as are below it
    below = graph.node("Cast", graph.node("Less", x[1:-1], s), to=INT64)
    segment = _row_sums(graph, below)
    start, slope, base = (
        graph.node("Gather", values, segment)
        for values in (x[:-1], np.diff(y) / np.diff(x), y[:-1])
    )
    rise = graph.node("Mul", slope, graph.node("Sub", s, start))
    return graph.node("Add", rise, base)


def _normalized(graph: Graph, P: str, n_columns: int) -> str:
    """Probabilities of all classes that sum to 1."""
    if n_columns == 1:
        return graph.node("Concat", graph.node("Sub", 1, P), P, axis=1)
    total = _row_sums(graph, P)
    # equal shares where all calibrators give 0, as scikit-learn does
    zero = graph.node("Equal", total, 0)
    return graph.node("Where", zero, 1 / n_columns, graph.node("Div", P, total))


def _row_sums(graph: Graph, P: str) -> str:
    return graph.node("ReduceSum", P, graph.constant(np.array([1])), keepdims=1)
