"""Converters for `skl2onnx`, for models that contain a network."""

from typing import Any

import numpy as np
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx._parse import _parse_sklearn
from skl2onnx.algebra.type_helper import guess_initial_types
from skl2onnx.common import data_types
from sklearn.base import is_classifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import Pipeline

from sk_mlp._classifier import TwoLayerMLPClassifier
from sk_mlp._classifier_cv import TwoLayerMLPClassifierCV
from sk_mlp._predictor import TwoLayerPredictor
from sk_mlp.onnx.graph import Graph, add_network, network_output_types, output_types, tensor_type
from sk_mlp.onnx.parts import EnsemblePart, NetworkPart, estimators, part

TENSORS = {
    "float32": data_types.FloatTensorType,
    "float64": data_types.DoubleTensorType,
    "int64": data_types.Int64TensorType,
    "bool": data_types.BooleanTensorType,
    "object": data_types.StringTensorType,
}
# scikit-learn's default token pattern in the syntax of RE2, whose \w is ASCII alone; and a locale
# that every machine has, whereas the converter's own, en_US.UTF-8, is missing in many containers
TOKEN_PATTERN = CountVectorizer().token_pattern
TOKENS, LOCALE = r"[\pL\pN_]{2,}", "C"
# of a network for users of skl2onnx: the hidden layer alone, or in addition; logits instead of
# probabilities; and no list of dicts
OPTIONS = {
    "transform": [False, True],
    "hidden": [False, True],
    "raw_scores": [False, True],
    "zipmap": [False],
}
FLOATING = (data_types.FloatTensorType, data_types.DoubleTensorType)


def model_to_onnx(
    model: Any, X: Any, outputs: tuple[str, ...], dtype: Any, default: Any, opsets: dict[str, int]
) -> Any:
    """Convert a model that contains networks; see `sk_mlp.onnx.to_onnx`.

    Parameters
    ----------
    dtype : dtype or None
        As given.
    default : dtype
        Taken instead of None if X is None as well.
    """
    if X is None:
        dtype = dtype or default
    prepared = last = part(model, outputs, dtype)
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    options: dict[int, dict[str, Any]] = _text_options(prepared)
    if is_classifier(last):  # one of scikit-learn
        _check_labels(last)
        options[id(last)] = {"zipmap": False}
    return convert_sklearn(
        prepared,
        name=type(model).__name__,
        initial_types=_input_types(model, prepared, X, dtype),
        options=options,
        target_opset=opsets,
    )


def _input_types(model: Any, prepared: Any, X: Any, dtype: Any) -> list[tuple[str, Any]]:
    """Name and type of each input."""
    if X is None:
        n_features = getattr(model, "n_features_in_", getattr(prepared, "n_features_in_", None))
        if n_features is None:
            raise ValueError("This model does not know its input: pass some rows of it as X.")
        return [("X", TENSORS[dtype.name]([None, n_features]))]
    if hasattr(X, "toarray"):
        X = X[:1].toarray()
    if not hasattr(X, "columns"):
        X = np.asarray(X)
        if X.ndim == 1:  # texts
            return [("X", data_types.StringTensorType([None]))]
    types = guess_initial_types(X, None)
    if dtype is None:
        return list(types)
    return [
        (name, TENSORS[dtype.name](kind.shape) if isinstance(kind, FLOATING) else kind)
        for name, kind in types
    ]


def _check_labels(model: Any) -> None:
    """Raise for labels that skl2onnx, unlike the converters here, takes modulo 2**32."""
    classes, limits = np.asarray(model.classes_), np.iinfo(np.int32)
    if classes.dtype.kind in "iu" and not (
        limits.min <= classes.min() <= classes.max() <= limits.max
    ):
        raise ValueError(f"{type(model).__name__} is exported with labels of 32 bits only.")


def _text_options(model: Any) -> dict[int, dict[str, Any]]:
    """Options of the text vectorizers in a model."""
    options = {}
    for vectorizer in estimators(model):
        if type(vectorizer) in (CountVectorizer, TfidfVectorizer):
            usual = vectorizer.analyzer == "word" and vectorizer.token_pattern == TOKEN_PATTERN
            options[id(vectorizer)] = {"locale": LOCALE} | ({"tokenexp": TOKENS} if usual else {})
    return options


def _alias(kind: type) -> str:
    return f"SkMlp{kind.__name__}"


def _owner(scope: Any, model: Any) -> Any:
    """Return the part itself, or that of a network in a conversion that the user called."""
    if not isinstance(model, TwoLayerPredictor):
        return model
    options = scope.get_options(model, dict.fromkeys(OPTIONS, False))
    if options["transform"]:
        return NetworkPart(model, ("hidden",), None)
    second = "scores" if options["raw_scores"] else "probabilities"
    return NetworkPart(model, ("label", second, *(["hidden"] if options["hidden"] else [])), None)


def _dtype(owner: Any, operator: Any) -> Any:
    """Dtype to compute in: the one asked for, else that of the input."""
    if owner.dtype is not None:
        return owner.dtype
    double = isinstance(operator.inputs[0].type, data_types.DoubleTensorType)
    return np.dtype(np.float64 if double else np.float32)


def _types(owner: Any, dtype: Any) -> dict[str, tuple[Any, list[Any]]]:
    if isinstance(owner, NetworkPart):
        types = network_output_types(owner.model, dtype)
    elif owner.outputs == ("features",):
        types = {"features": (dtype, [owner.model.final_estimator_.n_features_in_])}
    else:
        types = output_types(owner.model, dtype)
    return {name: types[name] for name in owner.outputs}


def _parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    """Declare the operator and its outputs, and before it the members of an ensemble."""
    if isinstance(model, EnsemblePart):
        members = [
            _parse_sklearn(scope, member, inputs, custom_parsers) for member in model.members
        ]
        inputs = [outputs[-1] for outputs in members]
    operator = scope.declare_local_operator(_alias(type(model)), model)
    operator.inputs = inputs
    owner = _owner(scope, model)
    for name, (kind, _) in _types(owner, _dtype(owner, operator)).items():
        operator.outputs.append(scope.declare_local_variable(name, TENSORS[kind.name]()))
    return operator.outputs


def _set_types(operator: Any) -> None:
    """Set the types and shapes of the outputs."""
    owner, rows = (
        _owner(operator.scope_inst, operator.raw_operator),
        operator.inputs[0].get_first_dimension(),
    )
    types = _types(owner, _dtype(owner, operator))
    for (kind, shape), output in zip(types.values(), operator.outputs, strict=True):
        output.type = TENSORS[kind.name]([rows, *shape])


class _ContainerGraph(Graph):
    """A graph whose nodes and constants go to a container of skl2onnx."""

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope, self.container = scope, container

    def constant(self, values: np.ndarray) -> str:
        values = np.asarray(values)
        name: str = self.scope.get_unique_variable_name("constant")
        content = values.ravel().tolist()
        self.container.add_initializer(name, tensor_type(values.dtype), values.shape, content)
        return name

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or self.scope.get_unique_variable_name(operator.lower())
        name = self.scope.get_unique_operator_name(operator)
        self.container.add_node(operator, list(inputs), output, name=name, **attributes)
        return output


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes."""
    owner = _owner(scope, operator.raw_operator)
    dtype = _dtype(owner, operator)
    graph = _ContainerGraph(scope, container)
    inputs = [
        variable.full_name
        if isinstance(variable.type, TENSORS[dtype.name])
        else graph.node("Cast", variable.full_name, to=tensor_type(dtype))
        for variable in operator.inputs
    ]
    full_names = [output.full_name for output in operator.outputs]
    outputs = dict(zip(owner.outputs, full_names, strict=True))
    if isinstance(owner, NetworkPart):
        add_network(graph, owner.model, inputs[0], outputs, dtype)
    else:
        owner.ensemble.add(graph, inputs, outputs, owner.model, dtype)


def register_networks() -> None:
    """See `sk_mlp.onnx.register_converters`."""
    for network in (TwoLayerMLPClassifier, TwoLayerMLPClassifierCV):
        update_registered_converter(
            network, _alias(network), _set_types, _convert, parser=_parse, options=OPTIONS
        )


for _part in (NetworkPart, EnsemblePart):
    update_registered_converter(_part, _alias(_part), _set_types, _convert, parser=_parse)
