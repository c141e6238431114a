"""A fitted model as the parts that this package converts itself and those of `skl2onnx`.

`part` copies a model and replaces each network and each ensemble of networks in it. The outputs
that a replacement has to return are its own attribute, so nothing affects the next export.
"""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier
from sklearn.feature_selection import SelectorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import Binarizer, KBinsDiscretizer, MaxAbsScaler, OneHotEncoder

from sk_mlp._predictor import TwoLayerPredictor
from sk_mlp.onnx.ensembles import ENSEMBLES, add_columns, obstacle
from sk_mlp.onnx.graph import Graph, Nodes, Outputs, add_network, graph_of

HIDDEN = ("hidden",)
CAN_EXPORT = (
    "What can be exported: a network; a Pipeline, FeatureUnion or ColumnTransformer with "
    "networks; CalibratedClassifierCV, BaggingClassifier, VotingClassifier, StackingClassifier "
    "and OneVsRestClassifier of networks; and a search over any of these"
)


class Part(BaseEstimator):
    """A step with a graph: of a network, a selector or what combines an ensemble."""

    def __init__(
        self, model: Any, outputs: Outputs, dtype: Any, n_features: int, nodes: Nodes
    ) -> None:
        self.n_features_in_ = n_features
        self.onnx_model = graph_of(model, outputs, dtype, n_features, nodes, cast=True)


def estimators(model: Any) -> Iterator[Any]:
    """Yield all estimators in a model, including itself."""
    if isinstance(model, list | tuple | dict):
        for value in model.values() if isinstance(model, dict) else model:
            yield from estimators(value)
    elif isinstance(model, BaseEstimator) or hasattr(model, "calibrators"):
        yield model
        if not isinstance(model, TwoLayerPredictor):
            yield from estimators(vars(model))


def networks(model: Any) -> list[TwoLayerPredictor]:
    """All fitted networks in a model."""
    every = (kind for kind in estimators(model) if isinstance(kind, TwoLayerPredictor))
    return [network for network in every if hasattr(network, "coefs_")]


def unwrapped(model: Any) -> Any:
    """What a search has found or a FrozenEstimator holds; else the model."""
    if isinstance(model, FrozenEstimator):
        return unwrapped(model.estimator)
    return unwrapped(model.best_estimator_) if hasattr(model, "best_estimator_") else model


def last_step(model: Any) -> Any:
    """Last step of a Pipeline; else the model, in both cases unwrapped."""
    model = unwrapped(model)
    return last_step(model.steps[-1][1]) if isinstance(model, Pipeline) else model


def part(model: Any, outputs: Outputs, dtype: Any) -> Any:
    """Return a copy of a fitted model in which parts take the place of networks.

    `outputs` is what to take of its last step: "hidden" alone if it is a transformer, else of
    "label", "probabilities", "hidden" and "logits"; parts compute in `dtype`.
    """
    model = unwrapped(model)
    if isinstance(model, TwoLayerPredictor):
        return Part(model, outputs, dtype, model.n_features_in_, add_network)
    if isinstance(model, Pipeline):
        steps = [
            (name, part(step, outputs if step is model.steps[-1][1] else HIDDEN, dtype))
            for name, step in model.steps
            if step not in (None, "passthrough")
        ]
        return changed(model, steps=steps)
    if {"label", "hidden"} <= set(outputs):
        raise ValueError(
            "hidden=True needs a network as the last step, whose hidden layer it adds to the "
            f"outputs; got {type(model).__name__}."
        )
    if isinstance(model, FeatureUnion | ColumnTransformer):
        where = "transformers_" if isinstance(model, ColumnTransformer) else "transformer_list"
        parts = [(name, part(step, HIDDEN, dtype), *on) for name, step, *on in vars(model)[where]]
        return changed(model, **{where: [each for each in parts if each[1] != "drop"]})
    if isinstance(model, SelectorMixin) or not networks(model):
        return _exact(model, dtype)
    if type(model) not in ENSEMBLES:
        raise TypeError(f"{type(model).__name__} with a network cannot be exported. {CAN_EXPORT}.")
    return _ensemble(model, outputs, dtype)


def _exact(model: Any, dtype: Any) -> Any:
    """Return the transformer, or a replacement if skl2onnx would convert it wrongly."""
    indicator = getattr(model, "indicator_", None)
    texts = isinstance(getattr(model, "statistics_", [None])[0], str)
    if isinstance(model, SelectorMixin):  # wrong for the first column alone
        columns = model.get_support(indices=True)
        return Part(columns, HIDDEN, dtype, model.n_features_in_, add_columns)
    if isinstance(model, MaxAbsScaler) and getattr(model, "clip", False):
        raise ValueError("MaxAbsScaler with clip=True cannot be exported: skl2onnx does not clip.")
    if isinstance(model, OneHotEncoder) and model.handle_unknown in ("infrequent_if_exist", "warn"):
        # without infrequent categories, which skl2onnx refuses, this is the same
        return changed(model, handle_unknown="ignore")
    if isinstance(model, Binarizer):  # in double precision the threshold itself would give 1
        return changed(model, threshold=np.nextafter(model.threshold, np.inf))
    if isinstance(model, KBinsDiscretizer):
        if dtype == np.float64:  # the edges are in single precision
            raise ValueError("KBinsDiscretizer does not run in float64: pass dtype=np.float32.")
        return changed(model, encode="ordinal" if model.encode == "ordinal" else "onehot-dense")
    if indicator is not None and len(indicator.features_):
        missing = model.missing_values
        if texts or not (isinstance(missing, float) and np.isnan(missing)):
            raise ValueError(
                f"{type(model).__name__} with add_indicator=True can be exported for numbers, and "
                f"only if NaN is the missing value; got missing_values={missing!r}."
            )
        imputer = changed(model, add_indicator=False, indicator_=None)
        indicators = Part(indicator, HIDDEN, dtype, model.n_features_in_, _add_indicators)
        return FeatureUnion([("values", imputer), ("indicators", indicators)])
    return changed(model, missing_values=str(model.missing_values)) if texts else model


def _add_indicators(graph: Graph, indicator: Any, X: str) -> None:
    """Add a column for each feature of a MissingIndicator: 1 where it is NaN, else 0."""
    columns = graph.Gather(X, graph.constant(indicator.features_), axis=1)
    graph.Cast(graph.IsNaN(columns), output="hidden", to=graph.kind)


def changed(model: Any, **attributes: Any) -> Any:
    """Return a copy of a fitted model with other attributes."""
    other = copy.copy(model)
    vars(other).update(attributes)
    return other


def _ensemble(model: Any, outputs: Outputs, dtype: Any) -> Pipeline:
    """Return the members side by side, the part that combines them and what follows in a stack."""
    if isinstance(model, CalibratedClassifierCV):
        members = [fold.estimator for fold in model.calibrated_classifiers_]
    else:
        members = model.estimators_
    last = [last_step(member) for member in members]
    if why := "before the last step" if outputs == HIDDEN else obstacle(model, last, dtype):
        raise ValueError(f"{type(model).__name__} {why} cannot be exported exactly. {CAN_EXPORT}.")
    taken, nodes = ENSEMBLES[type(model)]
    union = [(str(j), part(member, (taken,), dtype)) for j, member in enumerate(members)]
    width = len(members) * len(last[0].intercepts_[1] if taken == "logits" else model.classes_)
    steps = [("members", FeatureUnion(union))]
    if not isinstance(model, StackingClassifier):
        return Pipeline([*steps, ("combined", Part(model, outputs, dtype, width, nodes))])
    # of two classes, the final estimator sees the second only; it is fitted to their numbers
    step = 2 if len(model.classes_) == 2 else 1
    columns = Part(np.arange(step - 1, width, step), HIDDEN, dtype, width, nodes)
    final = part(changed(model.final_estimator_, classes_=model.classes_), outputs, dtype)
    return Pipeline([*steps, ("columns", columns), ("final", final)])
