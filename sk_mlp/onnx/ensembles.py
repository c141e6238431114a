"""Ensembles of networks as nodes of an ONNX graph."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from sk_mlp.onnx.graph import Graph, labels

INT64 = 7  # onnx.TensorProto.INT64


class Ensemble(Protocol):
    """How the outputs of the members are combined."""

    def add(
        self, graph: Graph, members: Sequence[str], outputs: dict[str, str], model: Any, dtype: Any
    ) -> None:
        """Add the nodes; arguments as for `sk_mlp.onnx.graph.add_network`."""


class Calibrated(NamedTuple):
    """Of the logits of the members, each with a calibrator for each column."""

    calibrators: list[list[Any]]

    def add(
        self, graph: Graph, members: Sequence[str], outputs: dict[str, str], model: Any, dtype: Any
    ) -> None:
        """Add the nodes."""
        parts = [
            _normalized(graph, _calibrated(graph, S, calibrators, dtype), len(calibrators), dtype)
            for S, calibrators in zip(members, self.calibrators, strict=True)
        ]
        Mean(np.ones(len(parts))).add(graph, parts, outputs, model, dtype)


class Mean(NamedTuple):
    """Of the probabilities of the members, weighted."""

    weights: np.ndarray

    def add(
        self, graph: Graph, members: Sequence[str], outputs: dict[str, str], model: Any, dtype: Any
    ) -> None:
        """Add the nodes."""
        # in scikit-learn's order, so that ties are ties here too
        terms = [
            P if weight == 1 else graph.node("Mul", P, graph.constant(dtype.type(weight)))
            for P, weight in zip(members, self.weights, strict=True)
        ]
        total = graph.constant(dtype.type(self.weights.sum()))
        P = graph.node("Div", graph.node("Sum", *terms), total, output=outputs["probabilities"])
        codes = graph.node("ArgMax", P, axis=1, keepdims=0)
        graph.node("Gather", graph.constant(labels(model)), codes, output=outputs["label"])


class OneVsRest(NamedTuple):
    """Of the logits of one member for each class, or one for two classes."""

    def add(
        self, graph: Graph, members: Sequence[str], outputs: dict[str, str], model: Any, dtype: Any
    ) -> None:
        """Add the nodes."""
        S = members[0]
        if len(members) == 1:
            S = graph.node("Concat", graph.node("Neg", S), S, axis=1)
            graph.node("Sigmoid", S, output=outputs["probabilities"])
        else:
            S = graph.node("Concat", *members, axis=1)
            P = graph.node("Sigmoid", S)
            total = graph.node("ReduceSum", P, graph.constant(np.array([1])), keepdims=1)
            graph.node("Div", P, total, output=outputs["probabilities"])
        codes = graph.node("ArgMax", S, axis=1, keepdims=0)
        graph.node("Gather", graph.constant(labels(model)), codes, output=outputs["label"])


class Stack(NamedTuple):
    """Columns of the probabilities, without the first of two, for another estimator."""

    def add(
        self, graph: Graph, members: Sequence[str], outputs: dict[str, str], model: Any, dtype: Any
    ) -> None:
        """Add the nodes."""
        columns = list(members)
        if len(model.classes_) == 2:
            second = graph.constant(np.array([1]))
            columns = [graph.node("Gather", P, second, axis=1) for P in members]
        graph.node("Concat", *columns, output=outputs["features"], axis=1)


def _calibrated(graph: Graph, S: str, calibrators: list[Any], dtype: Any) -> str:
    """Calibrated scores, one column for each calibrator."""
    if hasattr(calibrators[0], "a_"):
        a, b = (
            np.array([getattr(c, name) for c in calibrators], dtype=dtype) for name in ("a_", "b_")
        )
        raw = graph.node("Add", graph.node("Mul", S, graph.constant(-a)), graph.constant(-b))
        return graph.node("Sigmoid", raw)
    columns = [
        _isotonic(graph, graph.node("Gather", S, graph.constant(np.array([j])), axis=1), c, dtype)
        for j, c in enumerate(calibrators)
    ]
    return graph.node("Concat", *columns, axis=1)


def _isotonic(graph: Graph, s: str, calibrator: Any, dtype: Any) -> str:
    """Interpolate between the thresholds, constant outside; s of shape (n_samples, 1)."""
    if dtype == np.float32:  # the steps magnify what rounding leaves
        raise ValueError("Isotonic calibration needs double precision: pass dtype=np.float64.")
    x = np.asarray(calibrator.X_thresholds_, dtype)
    y = np.asarray(calibrator.y_thresholds_, dtype)
    if len(x) == 1:  # a constant
        x, y = np.append(x, x + 1), np.append(y, y)
    s = graph.node("Clip", s, graph.constant(x[0]), graph.constant(x[-1]))
    # the segment that s is in: as many thresholds but the ends as are below it
    below = graph.node("Cast", graph.node("Less", graph.constant(x[1:-1]), s), to=INT64)
    segment = graph.node("ReduceSum", below, graph.constant(np.array([1])), keepdims=1)
    start, slope, base = (
        graph.node("Gather", graph.constant(values), segment)
        for values in (x[:-1], np.diff(y) / np.diff(x), y[:-1])
    )
    rise = graph.node("Mul", slope, graph.node("Sub", s, start))
    return graph.node("Add", rise, base)


def _normalized(graph: Graph, P: str, n_columns: int, dtype: Any) -> str:
    """Probabilities of all classes that sum to 1."""
    if n_columns == 1:
        one = graph.constant(dtype.type(1))
        return graph.node("Concat", graph.node("Sub", one, P), P, axis=1)
    total = graph.node("ReduceSum", P, graph.constant(np.array([1])), keepdims=1)
    # equal shares where all calibrators give 0, as scikit-learn does
    zero = graph.node("Equal", total, graph.constant(dtype.type(0)))
    equal = graph.constant(dtype.type(1 / n_columns))
    return graph.node("Where", zero, equal, graph.node("Div", P, total))
