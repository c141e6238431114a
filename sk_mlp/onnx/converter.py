"""Converters for `skl2onnx`, for models that contain a network."""

from typing import Any

import numpy as np
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.algebra.type_helper import _guess_type, guess_initial_types
from skl2onnx.common import data_types
from skl2onnx.common.data_types import _guess_numpy_type as tensor_of
from skl2onnx.helpers.integration import add_onnx_graph
from sklearn.base import is_classifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from sk_mlp.onnx.check import check
from sk_mlp.onnx.graph import IR_VERSION, OPSETS
from sk_mlp.onnx.parts import HIDDEN, Part, changed, estimators, last_step, part

ALIAS = "SkMlpPart"
FLOATING = (data_types.FloatTensorType, data_types.DoubleTensorType)
# scikit-learn's default token pattern in the syntax of RE2, whose \w is ASCII alone; and a locale
# that every machine has, whereas the converter's own, en_US.UTF-8, is missing in many containers
TOKEN_PATTERN = CountVectorizer().token_pattern
TOKENS, LOCALE = r"[\pL\pN_]{2,}", "C"
# of a network for users of skl2onnx: the hidden layer alone, or in addition; logits instead of
# probabilities; and no list of dicts
OPTIONS = {name: [False, True] for name in ("transform", "hidden", "raw_scores")}
OPTIONS["zipmap"] = [False]


def model_to_onnx(model: Any, X: Any, outputs: tuple[str, ...], dtype: Any) -> Any:
    """Convert a model that contains networks; see `sk_mlp.onnx.to_onnx`."""
    prepared = part(model, outputs, dtype)
    onnx_model = convert_sklearn(
        prepared,
        name=type(model).__name__,
        initial_types=_input_types(prepared, X, dtype),
        options=_options(prepared),
        target_opset=OPSETS,
    )
    onnx_model.ir_version = IR_VERSION
    check(onnx_model, model, X)
    return onnx_model


def _input_types(prepared: Any, X: Any, dtype: Any) -> list[tuple[str, Any]]:
    """Name and type of each input."""
    if X is None:
        n_features = getattr(prepared, "n_features_in_", None)
        if n_features is None:
            raise ValueError("This model does not know its input: pass some rows of it as X.")
        return [("X", tensor_of(dtype, [None, n_features]))]
    if hasattr(X, "toarray"):
        X = X[:1].toarray()
    if not hasattr(X, "columns"):
        X = np.asarray(X)
        if X.ndim == 1:  # texts
            return [("X", data_types.StringTensorType([None]))]
    return [
        (name, tensor_of(dtype, kind.shape) if dtype and isinstance(kind, FLOATING) else kind)
        for name, kind in guess_initial_types(X, None)
    ]


def _options(prepared: Any) -> dict[int, dict[str, Any]]:
    """Options of scikit-learn's text vectorizers and of its classifier at the end, if any."""
    options: dict[int, dict[str, Any]] = {}
    for vectorizer in estimators(prepared):
        if type(vectorizer) in (CountVectorizer, TfidfVectorizer):
            usual = vectorizer.analyzer == "word" and vectorizer.token_pattern == TOKEN_PATTERN
            options[id(vectorizer)] = {"locale": LOCALE} | ({"tokenexp": TOKENS} if usual else {})
    last = last_step(prepared)
    if is_classifier(last):
        # skl2onnx, unlike the converters here, takes labels modulo 2**32
        classes = np.asarray(last.classes_)
        if classes.dtype.kind in "iu" and (classes != classes.astype(np.int32)).any():
            raise ValueError(f"{type(last).__name__} is exported with labels of 32 bits only.")
        options[id(last)] = {"zipmap": False}
    return options


def _part(operator: Any) -> Part:
    """Return the part that an operator stands for, with the dtype to compute in."""
    result: Part = operator.raw_operator
    if not isinstance(result, Part):  # a network in a conversion that the user called
        options = operator.scope_inst.get_options(result, dict.fromkeys(OPTIONS, False))
        second = "scores" if options["raw_scores"] else "probabilities"
        outputs = ("label", second, *(HIDDEN if options["hidden"] else ()))
        if options["transform"]:
            outputs = HIDDEN
        result = Part(result, outputs, None, result.n_features_in_)
    if result.dtype is None:
        double = isinstance(operator.inputs[0].type, data_types.DoubleTensorType)
        result = changed(result, dtype=np.dtype(np.float64 if double else np.float32))
    return result


def _to_onnx(operator: Any) -> Any:
    return _part(operator).to_onnx(data_types.guess_proto_type(operator.inputs[0].type))


def _parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    """Declare the operator and its outputs."""
    operator = scope.declare_local_operator(ALIAS, model)
    operator.inputs = inputs
    part = _part(operator)
    for name in part.outputs:
        variable = scope.declare_local_variable(name, tensor_of(part.dtype, [None, None]))
        operator.outputs.append(variable)
    return operator.outputs


def _types(operator: Any) -> None:
    """Set the types and shapes of the outputs."""
    for output, described in zip(operator.outputs, _to_onnx(operator).graph.output, strict=True):
        output.type = _guess_type(described)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes."""
    add_onnx_graph(scope, operator, container, _to_onnx(operator))


def register(*kinds: type) -> None:
    """Make classes of networks or parts known to `skl2onnx`."""
    for kind in kinds:
        update_registered_converter(kind, ALIAS, _types, _convert, parser=_parse, options=OPTIONS)


register(Part)
