"""Converters for `skl2onnx`, for models that contain a network."""

import warnings
from functools import partial
from traceback import walk_tb
from typing import Any

import numpy as np
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.algebra.type_helper import _guess_type
from skl2onnx.common.data_types import DoubleTensorType
from skl2onnx.common.data_types import _guess_numpy_type as tensor_of
from skl2onnx.helpers.integration import add_onnx_graph
from sklearn.base import is_classifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from sk_mlp.onnx.check import check, columns, faulty
from sk_mlp.onnx.graph import IR_VERSION, OPSETS, Outputs, add_network
from sk_mlp.onnx.parts import HIDDEN, Part, estimators, last_step, part

ALIAS = "SkMlpPart"
# scikit-learn's default token pattern in the syntax of RE2, whose \w is ASCII alone; and a locale
# that every machine has, whereas the converter's own, en_US.UTF-8, is missing in many containers
TOKEN_PATTERN = CountVectorizer().token_pattern
TOKENS, LOCALE = r"[\pL\pN_]{2,}", "C"
# of a network for users of skl2onnx: the hidden layer alone, or in addition; logits instead of
# probabilities; and no list of dicts
OPTIONS = {name: [False, True] for name in ("transform", "hidden", "raw_scores")}
OPTIONS["zipmap"] = [False]


def model_to_onnx(model: Any, X: Any, outputs: Outputs, dtype: Any) -> Any:
    """Convert a model that contains networks; see `sk_mlp.onnx.to_onnx`."""
    if hasattr(X, "to_pandas"):  # of polars
        X = X.to_pandas()
    if hasattr(X, "toarray"):
        X = X[:100].toarray()
    elif X is not None:  # as many rows as are searched for missing values
        X = (X if hasattr(X, "columns") else np.asarray(X))[:5000]
    if dtype is None:
        double = any(values.dtype == np.float64 for values in columns(X).values())
        dtype = np.float64 if double else np.float32
    prepared = part(model, outputs, dtype)
    if X is None:  # zeros, then from row to row more of them missing
        n_features = getattr(prepared, "n_features_in_", None)
        if n_features is None:
            raise ValueError("This model does not know its input: pass some rows of it as X.")
        gaps = np.arange(n_features) < np.linspace(0, n_features, 50)[:, None]
        X = np.where(gaps, np.nan, 0.0).astype(dtype)
    types = []
    for name, values in columns(X).items():
        kind = dtype if values.dtype.kind == "f" else values.dtype
        types.append((name, tensor_of(kind, [None, *values.shape[1:]])))
    name, options = type(model).__name__, _options(prepared)
    convert = partial(convert_sklearn, prepared, name, types, target_opset=OPSETS, options=options)
    try:
        onnx_model = convert()
    except Exception as error:
        step = _converted(error)
        advice = "Replace it, or try the other dtype."
        raise ValueError(f"skl2onnx cannot convert {step}. {advice} {error}") from error
    onnx_model.ir_version = IR_VERSION
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            check(onnx_model, model, X)
        except ValueError as error:
            graph, topology = convert(intermediate=True)
            if step := faulty(graph, topology, model, X):
                raise ValueError(f"{error} The transformer is {step!r}.") from error
            raise
    return onnx_model


def _converted(error: Exception) -> Any:
    """Return the step whose conversion raised the error."""
    places = [frame.f_locals.get("operator") for frame, _ in walk_tb(error.__traceback__)]
    steps = [getattr(operator, "raw_operator", None) for operator in places]
    return next((step for step in reversed(steps) if step is not None), "this model")


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


def _graph(operator: Any) -> Any:
    """Return the graph of a part, or of a network in a conversion that the user called."""
    model = operator.raw_operator
    if not isinstance(model, Part):
        options = operator.scope_inst.get_options(model, dict.fromkeys(OPTIONS, False))
        second = "scores" if options["raw_scores"] else "probabilities"
        outputs = ("label", second, *(HIDDEN if options["hidden"] else ()))
        outputs = HIDDEN if options["transform"] else outputs
        double = isinstance(operator.inputs[0].type, DoubleTensorType)
        dtype = np.float64 if double else np.float32
        model = Part(model, outputs, dtype, model.n_features_in_, add_network)
    return model.onnx_model


def _parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    """Declare the operator and its outputs."""
    operator = scope.declare_local_operator(ALIAS, model)
    operator.inputs = inputs
    for output in _graph(operator).graph.output:
        variable = scope.declare_local_variable(output.name, _guess_type(output))
        operator.outputs.append(variable)
    return operator.outputs


def _types(operator: Any) -> None:
    """Set the types of the outputs anew: those of the inputs were guesses."""
    for output, described in zip(operator.outputs, _graph(operator).graph.output, strict=True):
        output.type = _guess_type(described)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    add_onnx_graph(scope, operator, container, _graph(operator))


def register(*kinds: type) -> None:
    """Make classes of networks or parts known to `skl2onnx`."""
    for kind in kinds:
        update_registered_converter(kind, ALIAS, _types, _convert, parser=_parse, options=OPTIONS)


register(Part)
