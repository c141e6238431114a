"""The last step of an ensemble of networks as nodes of an ONNX graph.

X holds what the members give, side by side.

Measured beside scikit-learn 1.9, the converters of skl2onnx 1.20 for these classes refuse data
frames, texts and unsigned labels; labels above 32 bits are wrong; the graph of a calibrated
Pipeline does not run; isotonic calibration takes the nearest threshold instead of interpolating
(off by 0.11); and weights of a vote beside a "drop" are those of other members (off by 0.33).
"""

from itertools import chain
from typing import Any

import numpy as np
from onnx import TensorProto
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from sk_mlp._predictor import TwoLayerPredictor
from sk_mlp.onnx.graph import Graph, Nodes


def obstacle(model: Any, members: list[Any], dtype: Any) -> str:
    """Why the graph of an ensemble of these members would not be exact, or ""."""
    n_classes = 2 if isinstance(model, OneVsRestClassifier) else len(model.classes_)
    for member in members:
        if not isinstance(member, TwoLayerPredictor):
            return f"with the member {type(member).__name__}"
        if member._multilabel or len(member.classes_) != n_classes:
            return "whose members differ in their classes, or are multilabel,"
    options = vars(model)
    for name, exact in {"voting": ["soft"], "method": ["sigmoid", "isotonic"]}.items():
        if options.get(name, exact[0]) not in exact:
            return f"with {name}={options[name]!r}"
    single = dtype == np.float32 or any("float32" in str(m.coefs_[0].dtype) for m in members)
    if options.get("method") == "isotonic" and single:  # its steps magnify what rounding leaves
        return (
            "with method='isotonic' and a network or dtype of single precision (fit to float64 and "
            "pass dtype=np.float64)"
        )
    if isinstance(model, OneVsRestClassifier) and model.multilabel_:
        return "of a multilabel target"
    features = options.get("estimators_features_", ())
    if any(list(some) != list(range(model.n_features_in_)) for some in features):
        return "on a part of the features"
    if options.get("passthrough") or set(options.get("stack_method_", ())) - {"predict_proba"}:
        return "with passthrough=True or a stack_method other than 'predict_proba'"
    final = options.get("final_estimator_")
    if not isinstance(final, LogisticRegression | TwoLayerPredictor | None):
        return f"with the final estimator {type(final).__name__}"
    return ""


def add_mean(graph: Graph, model: Any, X: str) -> None:
    """Add the mean of the probabilities of the members, weighted in a vote."""
    weights = np.ones(len(model.estimators_))
    if getattr(model, "weights", None) is not None:
        pairs = zip(model.estimators, model.weights, strict=True)
        weights = np.array([weight for (_, member), weight in pairs if member != "drop"], float)
    shape = graph.constant([0, len(weights), len(model.classes_)])
    _add_mean(graph, model, graph.Reshape(X, shape), weights)


def add_calibrated(graph: Graph, model: Any, X: str) -> None:
    """Add the mean over the folds of the calibrated logits of their networks."""
    folds = [fold.calibrators for fold in model.calibrated_classifiers_]
    n_columns = len(folds[0])
    shape = graph.constant([0, len(folds), n_columns])
    if model.method == "sigmoid":
        a, b = (
            [[-getattr(calibrator, name) for calibrator in fold] for fold in folds]
            for name in ("a_", "b_")
        )
        P = graph.Sigmoid(graph.Add(graph.Mul(graph.Reshape(X, shape), a), b))
    else:
        columns = [
            _isotonic(graph, graph.Gather(X, graph.constant([j]), axis=1), calibrator)
            for j, calibrator in enumerate(chain.from_iterable(folds))
        ]
        P = graph.Reshape(graph.Concat(*columns, axis=1), shape)
    if n_columns == 1:
        P = graph.Concat(graph.Sub(1.0, P), P, axis=2)
    else:
        P = _normalized(graph, P, 1 / n_columns)
    _add_mean(graph, model, P, np.ones(len(folds)))


def add_one_vs_rest(graph: Graph, model: Any, X: str) -> None:
    """Add the probabilities from the logits of each class, or of the second of two."""
    if len(model.estimators_) == 1:
        X = graph.Concat(graph.Neg(X), X, axis=1)
        graph.Sigmoid(X, output="probabilities")
    else:
        _normalized(graph, graph.Sigmoid(X), 0.0, output="probabilities")
    graph.label(model, X)


def add_columns(graph: Graph, columns: np.ndarray, X: str) -> None:
    """Add some columns of X."""
    graph.Gather(X, graph.constant(columns), output="hidden", axis=1)


# what an ensemble takes of its members, and the function that adds the nodes that combine it
ENSEMBLES: dict[type, tuple[str, Nodes]] = {
    CalibratedClassifierCV: ("logits", add_calibrated),
    BaggingClassifier: ("probabilities", add_mean),
    VotingClassifier: ("probabilities", add_mean),
    OneVsRestClassifier: ("logits", add_one_vs_rest),
    StackingClassifier: ("probabilities", add_columns),
}


def _add_mean(graph: Graph, model: Any, P: str, weights: np.ndarray) -> None:
    """Add the mean of P of shape (n_samples, n_members, n_classes)."""
    total = graph.ReduceSum(graph.Mul(P, weights[:, None]), graph.constant([1]), keepdims=0)
    graph.label(model, graph.Div(total, weights.sum(), output="probabilities"))


def _isotonic(graph: Graph, s: str, calibrator: Any) -> str:
    """Interpolate between the thresholds, constant outside; s of shape (n_samples, 1)."""
    x, y = np.asarray(calibrator.X_thresholds_), np.asarray(calibrator.y_thresholds_)
    if len(x) == 1:  # a constant
        x, y = np.append(x, x + 1), np.append(y, y)
    s = graph.Clip(s, x[0], x[-1])
    # the segment that s is in: as many thresholds but the ends as are below it
    below = graph.Cast(graph.Less(x[1:-1], s), to=TensorProto.INT64)
    segment = graph.ReduceSum(below, graph.constant([-1]))
    start, slope, base = (
        graph.Gather(values, segment) for values in (x[:-1], np.diff(y) / np.diff(x), y[:-1])
    )
    return graph.Add(graph.Mul(slope, graph.Sub(s, start)), base)


def _normalized(graph: Graph, P: str, otherwise: float, output: str = "") -> str:
    """Rows that sum to 1, or hold the number that scikit-learn has instead where all are 0."""
    total = graph.ReduceSum(P, graph.constant([-1]))
    return graph.Where(graph.Equal(total, 0.0), otherwise, graph.Div(P, total), output=output)
