"""The network as nodes of an ONNX graph."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, shape_inference, utils

from sk_mlp import __version__
from sk_mlp._backend.arrays import to_numpy
from sk_mlp._network.activations import LEAK
from sk_mlp._predictor import TwoLayerPredictor

# Old enough for every runtime of the last two years, and all that the graph needs: opset 18 is
# of December 2022, IR 9 of May 2023. The defaults of the onnx package are its newest.
OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 9


class Graph:
    """An ONNX graph under construction, the dtype it computes in and the outputs to give."""

    def __init__(self, dtype: np.dtype, outputs: Sequence[str]) -> None:
        self.dtype, self.outputs = dtype, outputs
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: np.ndarray) -> str:
        """Add a constant of the dtype of `values`; return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, operator: str, *inputs: Any, output: str = "", **attributes: Any) -> str:
        """Add a node with one output; return the name of its output.

        An input is a name, or numbers: a constant of the dtype to compute in.
        """
        names = [
            value if isinstance(value, str) else self.constant(np.asarray(value, self.dtype))
            for value in inputs
        ]
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], output, **attributes))
        return output

    def to_onnx(self, name: str, kind: int, n_features: int) -> Any:
        """Model of the nodes that the outputs need, of an input X of type `kind`."""
        X = helper.make_tensor_value_info("X", kind, [None, n_features])
        body = helper.make_graph(self.nodes, name, [X], [], self.constants)
        opsets = [helper.make_opsetid("", OPSETS[""])]
        model = helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION)
        model = shape_inference.infer_shapes(model)  # the types of the outputs
        model = utils.Extractor(model).extract_model(["X"], list(self.outputs))
        del model.graph.value_info[:]
        for output in model.graph.output:  # any number of rows
            output.type.tensor_type.shape.dim[0].ClearField("dim_param")
        model.graph.name = name
        model.producer_name, model.producer_version = "sk_mlp", __version__
        checker.check_model(model, full_check=True)
        return model


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


def add_network(graph: Graph, model: TwoLayerPredictor, X: str) -> None:
    """Add the nodes of a network.

    They give "label", "probabilities", "hidden", "logits" and "scores", which are the logits of
    both of two classes.
    """

    def affine(layer: int, rows: str, output: str = "") -> str:
        W, b = (to_numpy(arrays[layer]) for arrays in (model.coefs_, model.intercepts_))
        return graph.node("Add", graph.node("MatMul", rows, W), b, output=output)

    H = ACTIVATION_NODES[model.activation](graph, affine(0, X), "hidden")
    S = affine(1, H, "logits")
    softmax = model.out_activation_ == "softmax"
    if softmax or model._multilabel:
        graph.node("Identity", S, output="scores")
    else:
        S = both_logits(graph, S)
    graph.node("Softmax" if softmax else "Sigmoid", S, output="probabilities")
    # from the logits, as `predict` does, so that both agree where probabilities round to a tie
    if model._multilabel:
        graph.node("Cast", graph.node("Greater", S, 0.0), output="label", to=TensorProto.INT64)
    else:
        add_label(graph, model, S)


def both_logits(graph: Graph, S: str) -> str:
    """Logits of both of two classes, from those of the second."""
    return graph.node("Concat", graph.node("Neg", S), S, output="scores", axis=1)


def add_label(graph: Graph, model: Any, scores: str) -> None:
    """Add the nodes that look up the class with the highest score, the first of equal ones."""
    if "label" in graph.outputs:  # else they may be labels that ONNX does not have
        codes = graph.node("ArgMax", scores, axis=1, keepdims=0)
        graph.node("Gather", graph.constant(labels(model)), codes, output="label")


def labels(model: Any) -> np.ndarray:
    """Classes in a dtype of ONNX: int64, bool, floating, or object for strings."""
    classes = np.asarray(model.classes_)
    if classes.dtype.kind in "bf":
        return classes
    if classes.dtype.kind in "iu":
        if classes.size and classes.max() > np.iinfo(np.int64).max:
            raise ValueError(f"ONNX has integer labels below 2**63 only; got {classes.max()}.")
        return classes.astype(np.int64)
    classes = classes.astype(object)
    if not all(isinstance(label, str) for label in classes):
        raise ValueError(f"ONNX has labels of numbers, strings and booleans only; got {classes!r}.")
    return classes
