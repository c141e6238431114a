"""A fitted model as the parts that this package converts itself and those of `skl2onnx`.

`part` copies a model and replaces each network and each ensemble of networks in it. The outputs
that a replacement has to return are its own attribute, so nothing affects the next export.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import helper
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_selection import SelectorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder

from sk_mlp._predictor import TwoLayerPredictor
from sk_mlp.onnx.ensembles import add_calibrated, add_mean, add_one_vs_rest, add_stack
from sk_mlp.onnx.graph import Graph, add_network

# what an ensemble takes of its members, and the function that adds the nodes that combine it
ENSEMBLES = {
    CalibratedClassifierCV: ("logits", add_calibrated),
    BaggingClassifier: ("probabilities", add_mean),
    VotingClassifier: ("probabilities", add_mean),
    OneVsRestClassifier: ("logits", add_one_vs_rest),
    StackingClassifier: ("probabilities", add_stack),
}
HIDDEN = ("hidden",)
CAN_EXPORT = (
    "What can be exported: a network; a Pipeline, FeatureUnion or ColumnTransformer with "
    "networks; CalibratedClassifierCV, BaggingClassifier, VotingClassifier, StackingClassifier "
    "and OneVsRestClassifier of networks; and a search over any of these"
)


@dataclass(eq=False)
class Part(BaseEstimator):
    """A network, or the last step of an ensemble, and what the graph takes of it."""

    model: Any
    outputs: tuple[str, ...]
    dtype: Any  # to compute in; None for that of the input
    n_features_in_: int
    nodes: Callable[[Graph, Any, str], None] = add_network  # adds its nodes

    def to_onnx(self, given: int = 0) -> Any:
        """Model of this part alone; `given` is the type of its input if not that of `dtype`."""
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        graph = Graph(self.dtype, self.outputs)
        X = graph.node("Cast", "X", to=kind) if given not in (0, kind) else "X"
        self.nodes(graph, self.model, X)
        return graph.to_onnx(type(self.model).__name__, given or kind, int(self.n_features_in_))


def estimators(model: Any) -> Iterator[Any]:
    """All estimators in a model, itself included."""
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


def part(model: Any, outputs: tuple[str, ...], dtype: Any) -> Any:
    """Return a copy of a fitted model in which parts take the place of networks.

    `outputs` is what to take of its last step: "hidden" alone if it is a transformer, else of
    "label", "probabilities", "hidden" and "logits". For `dtype` see `Part`.
    """
    model = unwrapped(model)
    if isinstance(model, TwoLayerPredictor):
        return Part(model, outputs, dtype, model.n_features_in_)
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
        return changed(model, **{where: parts})
    model = _exact(model, dtype)
    if isinstance(model, SelectorMixin) or not networks(model):
        return model  # a selector is exported as the columns that it kept
    if type(model) not in ENSEMBLES:
        raise TypeError(f"{type(model).__name__} with a network cannot be exported. {CAN_EXPORT}.")
    return _ensemble(model, outputs, dtype)


def _exact(model: Any, dtype: Any) -> Any:
    """Return a transformer, or what stands for it where skl2onnx would ignore an option."""
    if isinstance(model, MaxAbsScaler) and getattr(model, "clip", False):
        raise ValueError("MaxAbsScaler with clip=True cannot be exported: skl2onnx does not clip.")
    if isinstance(model, OneHotEncoder) and model.handle_unknown in ("infrequent_if_exist", "warn"):
        # without infrequent categories, which skl2onnx refuses, this is the same
        return changed(model, handle_unknown="ignore")
    indicator = getattr(model, "indicator_", None)
    if indicator is None or not len(indicator.features_):
        return model
    missing = model.missing_values
    if not (isinstance(missing, float) and np.isnan(missing)):
        raise ValueError(
            f"{type(model).__name__} with add_indicator=True can be exported only if NaN is the "
            f"missing value; got missing_values={missing!r}."
        )
    imputer = changed(model, add_indicator=False, indicator_=None)
    indicators = Part(indicator, HIDDEN, dtype, model.n_features_in_, _add_indicators)
    return FeatureUnion([("values", imputer), ("indicators", indicators)])


def _add_indicators(graph: Graph, indicator: Any, X: str) -> None:
    """Add a column for each feature of a MissingIndicator: 1 where it is NaN, else 0."""
    columns = graph.node("Gather", X, graph.constant(indicator.features_), axis=1)
    kind = helper.np_dtype_to_tensor_dtype(graph.dtype)
    graph.node("Cast", graph.node("IsNaN", columns), output="hidden", to=kind)


def changed(model: Any, **attributes: Any) -> Any:
    """Return a copy of a fitted model with other attributes."""
    other = copy.copy(model)
    vars(other).update(attributes)
    return other


def _ensemble(model: Any, outputs: tuple[str, ...], dtype: Any) -> Pipeline:
    """Return the members side by side, the part that combines them and what follows in a stack."""
    if isinstance(model, CalibratedClassifierCV):
        members = [fold.estimator for fold in model.calibrated_classifiers_]
    else:
        members = model.estimators_
    last = [last_step(member) for member in members]
    if why := "before the last step" if outputs == HIDDEN else _obstacle(model, last, dtype):
        raise ValueError(f"{type(model).__name__} {why} cannot be exported exactly. {CAN_EXPORT}.")
    taken, nodes = ENSEMBLES[type(model)]
    union = [(str(j), part(member, (taken,), dtype)) for j, member in enumerate(members)]
    output = last[0].intercepts_[1] if taken == "logits" else model.classes_
    combined = Part(model, outputs, dtype, len(members) * len(output), nodes)
    steps = [("members", FeatureUnion(union)), ("combined", combined)]
    if isinstance(model, StackingClassifier):
        combined.outputs = ("features",)
        # it is fitted to the numbers of the classes
        final = changed(model.final_estimator_, classes_=model.classes_)
        steps.append(("final", part(final, outputs, dtype)))
    return Pipeline(steps)


def _obstacle(model: Any, members: list[Any], dtype: Any) -> str:
    """Why the graph of an ensemble of these members would not be exact, or ""."""
    n_classes = 2 if isinstance(model, OneVsRestClassifier) else len(model.classes_)
    for member in members:
        if not isinstance(member, TwoLayerPredictor):
            return f"with the member {type(member).__name__}"
        if member._multilabel or len(member.classes_) != n_classes:
            return "whose members differ in their classes, or are multilabel,"
    if isinstance(model, CalibratedClassifierCV):
        if model.method not in ("sigmoid", "isotonic"):
            return f"with method={model.method!r}"
        single = any("float32" in str(member.coefs_[0].dtype) for member in members)
        if model.method == "isotonic" and (dtype == np.float32 or single):
            return "with method='isotonic' and a network or dtype of single precision"
    if isinstance(model, BaggingClassifier):
        every = np.arange(model.n_features_in_)
        if not all(np.array_equal(features, every) for features in model.estimators_features_):
            return "on a part of the features"
    if isinstance(model, VotingClassifier) and model.voting != "soft":
        return f"with voting={model.voting!r}"
    if isinstance(model, OneVsRestClassifier) and model.multilabel_:
        return "of a multilabel target"
    if isinstance(model, StackingClassifier):
        if model.passthrough or set(model.stack_method_) != {"predict_proba"}:
            return "with passthrough=True or a stack_method other than 'predict_proba'"
        if not isinstance(model.final_estimator_, LogisticRegression | TwoLayerPredictor):
            return f"with the final estimator {type(model.final_estimator_).__name__}"
    return ""
