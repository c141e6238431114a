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
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_selection import SelectorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline

from sk_mlp._predictor import TwoLayerPredictor
from sk_mlp.onnx.ensembles import Calibrated, Ensemble, Mean, OneVsRest, Stack

HIDDEN = ("hidden",)
CAN_EXPORT = (
    "What can be exported: a network; a Pipeline, FeatureUnion or ColumnTransformer with "
    "networks; CalibratedClassifierCV, BaggingClassifier, VotingClassifier, StackingClassifier "
    "and OneVsRestClassifier of networks; and a search over any of these"
)


class NetworkPart(BaseEstimator):
    """A network, what the graph takes of it and the dtype to compute in (None: of the input)."""

    def __init__(self, model: TwoLayerPredictor, outputs: tuple[str, ...], dtype: Any) -> None:
        self.model, self.outputs, self.dtype = model, outputs, dtype

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return int(self.model.n_features_in_)


class EnsemblePart(BaseEstimator):
    """An ensemble, the parts that are its members, and the rest as for a network."""

    def __init__(
        self,
        model: Any,
        members: list[Any],
        ensemble: Ensemble,
        outputs: tuple[str, ...],
        dtype: Any,
    ) -> None:
        self.model, self.members, self.ensemble = model, members, ensemble
        self.outputs, self.dtype = outputs, dtype


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
    return [
        estimator
        for estimator in estimators(model)
        if isinstance(estimator, TwoLayerPredictor) and hasattr(estimator, "coefs_")
    ]


def part(model: Any, outputs: tuple[str, ...], dtype: Any) -> Any:
    """Return a copy of a fitted model in which parts take the place of networks.

    Parameters
    ----------
    outputs : tuple of str
        What to take of its last step: "hidden" alone if it is a transformer, else of "label",
        "probabilities", "hidden" and "logits".
    dtype : dtype or None
        See `NetworkPart`.
    """
    if isinstance(model, TwoLayerPredictor):
        return NetworkPart(model, outputs, dtype)
    if hasattr(model, "best_estimator_"):
        return part(model.best_estimator_, outputs, dtype)
    if isinstance(model, FrozenEstimator):
        return part(model.estimator, outputs, dtype)
    if isinstance(model, Pipeline):
        wanted = [HIDDEN] * (len(model.steps) - 1) + [outputs]
        steps = [
            (name, part(step, names, dtype))
            for (name, step), names in zip(model.steps, wanted, strict=True)
            if step not in (None, "passthrough")
        ]
        return _changed(model, steps=steps)
    if {"label", "hidden"} <= set(outputs):
        raise ValueError(
            "hidden=True needs a network as the last step, whose hidden layer it adds to the "
            f"outputs; got {type(model).__name__}."
        )
    if isinstance(model, FeatureUnion):
        parts = [(name, part(step, HIDDEN, dtype)) for name, step in model.transformer_list]
        return _changed(model, transformer_list=parts)
    if isinstance(model, ColumnTransformer):
        triples = [(name, part(step, HIDDEN, dtype), on) for name, step, on in model.transformers_]
        return _changed(model, transformers_=triples)
    if isinstance(model, SelectorMixin) or not networks(model):
        return model  # a selector is exported as the columns that it kept
    if type(model) not in ENSEMBLES:
        raise TypeError(f"{type(model).__name__} with a network cannot be exported. {CAN_EXPORT}.")
    return ENSEMBLES[type(model)](model, outputs, dtype)


def _changed(model: Any, **attributes: Any) -> Any:
    changed = copy.copy(model)
    changed.__dict__.update(attributes)
    return changed


def _refuse(model: Any, why: str) -> None:
    raise ValueError(f"{type(model).__name__} {why} cannot be exported exactly. {CAN_EXPORT}.")


def _members(model: Any, estimators: Any, output: str, dtype: Any, n_classes: int) -> list[Any]:
    """Return the parts of the members of an ensemble, of which all must be networks."""
    members = []
    for estimator in estimators:
        last = member = part(estimator, (output,), dtype)
        while isinstance(last, Pipeline):
            last = last.steps[-1][1]
        if not isinstance(last, NetworkPart):
            _refuse(model, f"with the member {type(last).__name__}")
        if last.model._multilabel or len(last.model.classes_) != n_classes:
            _refuse(model, "whose members differ in their classes, or are multilabel,")
        members.append(member)
    return members


def _calibrated(model: CalibratedClassifierCV, outputs: tuple[str, ...], dtype: Any) -> Any:
    folds = model.calibrated_classifiers_
    if model.method not in ("sigmoid", "isotonic"):
        _refuse(model, f"with method={model.method!r}")
    if model.method == "isotonic" and (
        dtype == np.float32 or any("float64" not in str(W.coefs_[0].dtype) for W in networks(folds))
    ):
        _refuse(model, "with method='isotonic' and a network or dtype of single precision")
    members = _members(model, [f.estimator for f in folds], "logits", dtype, len(model.classes_))
    ensemble = Calibrated([fold.calibrators for fold in folds])
    return EnsemblePart(model, members, ensemble, outputs, dtype)


def _bagging(model: BaggingClassifier, outputs: tuple[str, ...], dtype: Any) -> Any:
    every = np.arange(model.n_features_in_)
    if not all(np.array_equal(features, every) for features in model.estimators_features_):
        _refuse(model, "on a part of the features")
    n_classes = len(model.classes_)
    members = _members(model, model.estimators_, "probabilities", dtype, n_classes)
    return EnsemblePart(model, members, Mean(np.ones(len(members))), outputs, dtype)


def _voting(model: VotingClassifier, outputs: tuple[str, ...], dtype: Any) -> Any:
    if model.voting != "soft":
        _refuse(model, f"with voting={model.voting!r}")
    n_classes = len(model.classes_)
    members = _members(model, model.estimators_, "probabilities", dtype, n_classes)
    weights = np.ones(len(members))
    if model.weights is not None:
        pairs = zip(model.estimators, model.weights, strict=True)
        weights = np.array([weight for (_, member), weight in pairs if member != "drop"], float)
    return EnsemblePart(model, members, Mean(weights), outputs, dtype)


def _one_vs_rest(model: OneVsRestClassifier, outputs: tuple[str, ...], dtype: Any) -> Any:
    if model.multilabel_:
        _refuse(model, "of a multilabel target")
    members = _members(model, model.estimators_, "logits", dtype, 2)
    return EnsemblePart(model, members, OneVsRest(), outputs, dtype)


def _stacking(model: StackingClassifier, outputs: tuple[str, ...], dtype: Any) -> Any:
    if model.passthrough or set(model.stack_method_) != {"predict_proba"}:
        _refuse(model, "with passthrough=True or a stack_method other than 'predict_proba'")
    n_classes = len(np.asarray(model.classes_))
    members = _members(model, model.estimators_, "probabilities", dtype, n_classes)
    if not isinstance(model.final_estimator_, LogisticRegression | TwoLayerPredictor):
        _refuse(model, f"with the final estimator {type(model.final_estimator_).__name__}")
    stack = EnsemblePart(model, members, Stack(), ("features",), dtype)
    # it is fitted to the numbers of the classes
    final = _changed(model.final_estimator_, classes_=model.classes_)
    return Pipeline([("stack", stack), ("final", part(final, outputs, dtype))])


ENSEMBLES = {
    CalibratedClassifierCV: _calibrated,
    BaggingClassifier: _bagging,
    VotingClassifier: _voting,
    OneVsRestClassifier: _one_vs_rest,
    StackingClassifier: _stacking,
}
