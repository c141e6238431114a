"""The network as nodes of an ONNX graph."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sk_mlp._backend.arrays import to_numpy
from sk_mlp._network.activations import LEAK
from sk_mlp._predictor import TwoLayerPredictor


class Graph:
    """Nodes and constants of an ONNX graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: np.ndarray) -> str:
        """Add a constant; returns its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node with one output; returns the name of that."""
        from onnx import helper

        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output


# the output of an activation, given a graph, the name of Z, the name to give and the dtype
ActivationNodes = Callable[[Graph, str, str, Any], str]


def _leaky_relu(graph: Graph, Z: str, output: str, dtype: Any) -> str:
    # not LeakyRelu, which runtimes do not know in double precision
    return graph.node(
        "Max", Z, graph.node("Mul", Z, graph.constant(dtype.type(LEAK))), output=output
    )


def _gelu(graph: Graph, Z: str, output: str, dtype: Any) -> str:
    # not Gelu, which is younger than opset 18
    cubic = graph.node("Mul", graph.node("Mul", Z, Z), Z)
    cubic = graph.node("Mul", cubic, graph.constant(dtype.type(0.044715)))
    inner = graph.node(
        "Mul", graph.node("Add", Z, cubic), graph.constant(dtype.type(np.sqrt(2 / np.pi)))
    )
    gate = graph.node("Add", graph.node("Tanh", inner), graph.constant(dtype.type(1.0)))
    half = graph.node("Mul", Z, graph.constant(dtype.type(0.5)))
    return graph.node("Mul", half, gate, output=output)


ACTIVATION_NODES: dict[str, ActivationNodes] = {
    "identity": lambda graph, Z, output, dtype: graph.node("Identity", Z, output=output),
    "logistic": lambda graph, Z, output, dtype: graph.node("Sigmoid", Z, output=output),
    "tanh": lambda graph, Z, output, dtype: graph.node("Tanh", Z, output=output),
    "relu": lambda graph, Z, output, dtype: graph.node("Relu", Z, output=output),
    "leaky_relu": _leaky_relu,
    "gelu": _gelu,
    "silu": lambda graph, Z, output, dtype: graph.node(
        "Mul", Z, graph.node("Sigmoid", Z), output=output
    ),
}


def add_network(
    graph: Graph, model: TwoLayerPredictor, X: str, outputs: dict[str, str], dtype: Any
) -> None:
    """Add the nodes of a network.

    Parameters
    ----------
    graph : Graph
    model : TwoLayerPredictor
    X : str
        Name of its input, of `dtype`.
    outputs : dict of str to str
        What the graph has to give, of "label", "probabilities", "hidden", "logits" and
        "scores" (the logits of both of two classes), and under which name.
    dtype : dtype
    """

    def constants(layer: int) -> list[str]:
        values = model.coefs_[layer], model.intercepts_[layer]
        return [graph.constant(to_numpy(array).astype(dtype)) for array in values]

    W1, b1 = constants(0)
    Z = graph.node("Add", graph.node("MatMul", X, W1), b1)
    H = ACTIVATION_NODES[model.activation](graph, Z, outputs.get("hidden", ""), dtype)
    if outputs.keys() == {"hidden"}:
        return
    W2, b2 = constants(1)
    S = graph.node("Add", graph.node("MatMul", H, W2), b2, output=outputs.get("logits", ""))
    if "scores" in outputs:
        negative = [graph.node("Neg", S)] if model.intercepts_[1].shape[0] == 1 else []
        graph.node("Concat", *negative, S, output=outputs["scores"], axis=1)
    if "probabilities" in outputs:
        _add_probabilities(graph, model, S, outputs["probabilities"])
    if "label" in outputs:
        _add_label(graph, model, S, outputs["label"], dtype)


def _add_probabilities(graph: Graph, model: TwoLayerPredictor, S: str, output: str) -> None:
    if model.out_activation_ == "softmax":
        graph.node("Softmax", S, output=output, axis=1)
    elif model._multilabel:
        graph.node("Sigmoid", S, output=output)
    else:
        both = graph.node("Concat", graph.node("Neg", S), S, axis=1)
        graph.node("Sigmoid", both, output=output)


def _add_label(graph: Graph, model: TwoLayerPredictor, S: str, output: str, dtype: Any) -> None:
    # from the logits, as `predict` does, so that both agree where probabilities round to a tie
    if model.out_activation_ == "softmax":
        codes = graph.node("ArgMax", S, axis=1, keepdims=0)
    else:
        positive = graph.node("Greater", S, graph.constant(dtype.type(0.0)))
        if model._multilabel:
            graph.node("Cast", positive, output=output, to=tensor_type(np.dtype(np.int64)))
            return
        codes = graph.node("Cast", positive, to=tensor_type(np.dtype(np.int64)))
        codes = graph.node("Reshape", codes, graph.constant(np.array([-1])))
    graph.node("Gather", graph.constant(labels(model)), codes, output=output)


def labels(model: Any) -> np.ndarray:
    """Classes in a dtype of ONNX: int64, bool, floating, or object for strings."""
    classes = np.asarray(model.classes_)
    if classes.dtype.kind in "bf":
        return classes
    if classes.dtype.kind in "iu":
        if classes.size and classes.max() > np.iinfo(np.int64).max:
            raise ValueError(f"ONNX has integer labels below 2**63 only; got {classes.max()}.")
        return classes.astype(np.int64)
    labels = classes.astype(object)
    if not all(isinstance(label, str) for label in labels):
        raise ValueError(f"ONNX has labels of numbers, strings and booleans only; got {labels!r}.")
    return labels


def tensor_type(dtype: Any) -> int:
    """Type of ONNX for a dtype, where object is string."""
    from onnx import TensorProto, helper

    return int(TensorProto.STRING if dtype.kind == "O" else helper.np_dtype_to_tensor_dtype(dtype))


def output_types(
    model: Any, dtype: Any, *, multilabel: bool = False
) -> dict[str, tuple[Any, list[Any]]]:
    """Dtype of each output and its shape after the number of rows."""
    n_classes = len(model.classes_)
    label: tuple[Any, list[Any]] = (labels(model).dtype, [])
    if multilabel:
        label = (np.dtype(np.int64), [n_classes])
    return {"label": label, "probabilities": (dtype, [n_classes])}


def network_output_types(model: TwoLayerPredictor, dtype: Any) -> dict[str, tuple[Any, list[Any]]]:
    """Return the same for a network, with its hidden layer and its logits."""
    return {
        **output_types(model, dtype, multilabel=model._multilabel),
        "hidden": (dtype, [model._n_features_out]),
        "logits": (dtype, [int(model.intercepts_[1].shape[0])]),
        "scores": (dtype, [len(model.classes_)]),
    }
