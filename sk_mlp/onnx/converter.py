"""What `skl2onnx` has to know of the network to convert a Pipeline that contains one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.algebra.type_helper import guess_initial_types
from skl2onnx.common import data_types

from sk_mlp._predictor import TwoLayerPredictor
from sk_mlp.onnx.graph import Graph, add_network, output_types, tensor_type

ALIAS = "SkMlpTwoLayerPerceptron"
# of the converter: give the hidden layer alone, or in addition; and no list of dicts
OPTIONS = {"transform": [False, True], "hidden": [False, True], "zipmap": [False]}
TENSORS = {
    "float32": data_types.FloatTensorType,
    "float64": data_types.DoubleTensorType,
    "int64": data_types.Int64TensorType,
    "bool": data_types.BooleanTensorType,
    "object": data_types.StringTensorType,
}


def pipeline_to_onnx(
    model: Any,
    found: Sequence[tuple[TwoLayerPredictor, bool]],
    X: Any,
    *,
    hidden: bool,
    dtype: Any,
    opsets: dict[str, int],
) -> Any:
    """Convert a Pipeline; see `sk_mlp.onnx.to_onnx`.

    Parameters
    ----------
    found : sequence of (TwoLayerPredictor, bool)
        The networks in it, each with whether it makes the final prediction.
    """
    options: dict[int, dict[str, bool]] = {}
    for network, last in found:
        update_registered_converter(
            type(network), ALIAS, _set_types, _convert, parser=_parse, options=OPTIONS
        )
        options[id(network)] = {"hidden": hidden, "zipmap": False} if last else {"transform": True}
    if not any(last for _, last in found):
        options[id(model)] = {"zipmap": False}
    types = [("X", TENSORS[dtype.name]([None, model.n_features_in_]))]
    return convert_sklearn(
        model,
        name=type(model).__name__,
        initial_types=types if X is None else guess_initial_types(X, None),
        options=options,
        target_opset=opsets,
    )


def _outputs(scope: Any, model: TwoLayerPredictor) -> list[str]:
    defaults = {"transform": False, "hidden": False, "zipmap": False}
    options = scope.get_options(model, defaults)
    if options["transform"]:
        return ["hidden"]
    return ["label", "probabilities", *(["hidden"] if options["hidden"] else [])]


def _dtype(operator: Any) -> Any:
    double = isinstance(operator.inputs[0].type, data_types.DoubleTensorType)
    return np.dtype(np.float64 if double else np.float32)


def _parse(scope: Any, model: TwoLayerPredictor, inputs: Any, custom_parsers: Any = None) -> Any:
    """Declare the operator and its outputs."""
    operator = scope.declare_local_operator(ALIAS, model)
    operator.inputs = inputs
    types = output_types(model, _dtype(operator))
    for name in _outputs(scope, model):
        variable = scope.declare_local_variable(name, TENSORS[types[name][0].name]())
        operator.outputs.append(variable)
    return operator.outputs


def _set_types(operator: Any) -> None:
    """Set the types and shapes of the outputs."""
    model, rows = operator.raw_operator, operator.inputs[0].get_first_dimension()
    types = output_types(model, _dtype(operator))
    names = _outputs(operator.scope_inst, model)
    for name, output in zip(names, operator.outputs, strict=True):
        kind, shape = types[name]
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
    model, dtype = operator.raw_operator, _dtype(operator)
    graph = _ContainerGraph(scope, container)
    X = operator.inputs[0].full_name
    if not isinstance(operator.inputs[0].type, TENSORS[dtype.name]):
        X = graph.node("Cast", X, to=tensor_type(dtype))
    names = _outputs(scope, model)
    full_names = [output.full_name for output in operator.outputs]
    add_network(graph, model, X, dict(zip(names, full_names, strict=True)), dtype)
