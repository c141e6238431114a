"""The network as nodes of an ONNX graph."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sk_mlp._backend.arrays import to_numpy
from sk_mlp._network.activations import LEAK
from sk_mlp._predictor import TwoLayerPredictor

# Old enough for every runtime of the last two years, and all that the graph needs: opset 18 is
# of December 2022, IR 9 of May 2023. The defaults of the onnx package are its newest.
OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 9


class Graph:
    """Nodes and constants of an ONNX graph under construction, and the dtype it computes in."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: np.ndarray) -> str:
        """Add a constant of the dtype of `values`; return its name."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, operator: str, *inputs: Any, output: str = "", **attributes: Any) -> str:
        """Add a node with one output; return the name of its output.

        An input is a name, or numbers: a constant of the dtype to compute in.
        """
        from onnx import helper

        names = [
            value if isinstance(value, str) else self.constant(np.asarray(value, self.dtype))
            for value in inputs
        ]
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], output, **attributes))
        return output


# given a graph, the name of Z and the name of the output, which is returned
ActivationNodes = Callable[[Graph, str, str], str]


def _operator(operator: str) -> ActivationNodes:
    return lambda graph, Z, output: graph.node(operator, Z, output=output)


def _leaky_relu(graph: Graph, Z: str, output: str) -> str:
    # not LeakyRelu, which runtimes do not know in double precision
    return graph.node("Max", Z, graph.node("Mul", Z, LEAK), output=output)


def _gelu(graph: Graph, Z: str, output: str) -> str:
    # not Gelu, which is younger than opset 18
    cubic = graph.node("Mul", graph.node("Mul", Z, Z), Z)
    cubic = graph.node("Mul", cubic, 0.044715)
    inner = graph.node("Mul", graph.node("Add", Z, cubic), np.sqrt(2 / np.pi))
    gate = graph.node("Add", graph.node("Tanh", inner), 1.0)
    return graph.node("Mul", graph.node("Mul", Z, 0.5), gate, output=output)


def _silu(graph: Graph, Z: str, output: str) -> str:
    return graph.node("Mul", Z, graph.node("Sigmoid", Z), output=output)


ACTIVATION_NODES: dict[str, ActivationNodes] = {
    "identity": _operator("Identity"),
    "logistic": _operator("Sigmoid"),
    "tanh": _operator("Tanh"),
    "relu": _operator("Relu"),
    "leaky_relu": _leaky_relu,
    "gelu": _gelu,
    "silu": _silu,
}


def add_network(
    graph: Graph, model: TwoLayerPredictor, inputs: Sequence[str], outputs: dict[str, str]
) -> None:
    """Add the nodes of a network.

    `inputs` holds the name of X. `outputs` maps what the graph has to give to the names to use:
    of "label", "probabilities", "hidden", "logits" and "scores" (the logits of both of two
    classes).
    """

    def affine(layer: int, rows: str, output: str = "") -> str:
        W, b = (to_numpy(arrays[layer]) for arrays in (model.coefs_, model.intercepts_))
        return graph.node("Add", graph.node("MatMul", rows, W), b, output=output)

    activation = ACTIVATION_NODES[model.activation]
    H = activation(graph, affine(0, inputs[0]), outputs.get("hidden", ""))
    if outputs.keys() == {"hidden"}:
        return
    S = affine(1, H, outputs.get("logits", ""))
    if not {"label", "probabilities", "scores"} & outputs.keys():
        return
    softmax = model.out_activation_ == "softmax"
    if not softmax and not model._multilabel:
        S = both_logits(graph, S)
    if "scores" in outputs:
        graph.node("Identity", S, output=outputs["scores"])
    if "probabilities" in outputs and softmax:
        graph.node("Softmax", S, output=outputs["probabilities"], axis=1)
    elif "probabilities" in outputs:
        graph.node("Sigmoid", S, output=outputs["probabilities"])
    # from the logits, as `predict` does, so that both agree where probabilities round to a tie
    if "label" in outputs and model._multilabel:
        positive = graph.node("Greater", S, 0.0)
        graph.node("Cast", positive, output=outputs["label"], to=tensor_type(np.dtype(np.int64)))
    elif "label" in outputs:
        add_label(graph, model, S, outputs["label"])


def both_logits(graph: Graph, S: str) -> str:
    """Logits of both of two classes, from those of the second."""
    return graph.node("Concat", graph.node("Neg", S), S, axis=1)


def add_label(graph: Graph, model: Any, scores: str, output: str) -> None:
    """Add the nodes that look up the class with the highest score, the first of equal ones."""
    codes = graph.node("ArgMax", scores, axis=1, keepdims=0)
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
