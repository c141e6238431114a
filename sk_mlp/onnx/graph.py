"""The network as nodes of an ONNX graph."""

from collections.abc import Callable
from functools import partial
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

Outputs = tuple[str, ...]


class Graph:
    """An ONNX graph under construction.

    ``graph.Add(X, 1.0)`` adds a node with the operator Add and returns the name of its output. An
    input is a name, or numbers: a constant of the dtype to compute in.
    """

    def __init__(self, dtype: Any, outputs: Outputs) -> None:
        self.dtype, self.outputs = dtype, outputs
        self.kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def __getattr__(self, operator: str) -> Callable[..., str]:
        return partial(self._node, operator)

    def _node(self, operator: str, *inputs: Any, output: str = "", **attributes: Any) -> str:
        names = [
            value if isinstance(value, str) else self.constant(np.asarray(value, self.dtype))
            for value in inputs
        ]
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], output, **attributes))
        return output

    def constant(self, values: Any) -> str:
        """Add a constant of the dtype of `values`; return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def label(self, model: Any, scores: str) -> None:
        """Look up the class with the highest score, the first of equal ones."""
        if "label" in self.outputs:  # else they may be labels that ONNX does not have
            codes = self.ArgMax(scores, axis=1, keepdims=0)
            self.Gather(self.constant(labels(model)), codes, output="label")


# adds the nodes of a model to a graph, given the name of their input
Nodes = Callable[[Graph, Any, str], None]


def graph_of(
    model: Any, outputs: Outputs, dtype: Any, n_features: int, nodes: Nodes, cast: bool = False
) -> Any:
    """Return the nodes of a model that the outputs need; they cast X if it has another dtype."""
    graph = Graph(dtype, outputs)
    nodes(graph, model, graph.Cast("X", to=graph.kind) if cast else "X")
    X = helper.make_tensor_value_info("X", graph.kind, ["n_samples", int(n_features)])
    body = helper.make_graph(graph.nodes, "", [X], [], graph.constants)
    opsets = [helper.make_opsetid("", OPSETS[""])]
    onnx_model = helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION)
    onnx_model = shape_inference.infer_shapes(onnx_model)  # the types of the outputs
    onnx_model = utils.Extractor(onnx_model).extract_model(["X"], list(outputs))
    del onnx_model.graph.value_info[:]
    onnx_model.graph.name = type(model).__name__
    onnx_model.producer_name, onnx_model.producer_version = "sk_mlp", __version__
    checker.check_model(onnx_model, full_check=True)
    return onnx_model


def _gelu(graph: Graph, Z: str) -> str:
    cubic = graph.Mul(graph.Mul(graph.Mul(Z, Z), Z), 0.044715)
    gate = graph.Tanh(graph.Mul(graph.Add(Z, cubic), np.sqrt(2 / np.pi)))
    return graph.Mul(graph.Mul(Z, 0.5), graph.Add(gate, 1.0))


# not LeakyRelu, which runtimes do not know in double precision, nor Gelu, younger than opset 18
ACTIVATION_NODES: dict[str, Callable[[Graph, str], str]] = {
    "identity": lambda graph, Z: Z,
    "logistic": lambda graph, Z: graph.Sigmoid(Z),
    "tanh": lambda graph, Z: graph.Tanh(Z),
    "relu": lambda graph, Z: graph.Relu(Z),
    "leaky_relu": lambda graph, Z: graph.Max(Z, graph.Mul(Z, LEAK)),
    "gelu": _gelu,
    "silu": lambda graph, Z: graph.Mul(Z, graph.Sigmoid(Z)),
}


def add_network(graph: Graph, model: TwoLayerPredictor, X: str) -> None:
    """Add the nodes of a network.

    They give "label", "probabilities", "hidden", "logits" and "scores", which are the logits of
    both of two classes.
    """
    W1, W2 = map(to_numpy, model.coefs_)
    b1, b2 = map(to_numpy, model.intercepts_)
    H = ACTIVATION_NODES[model.activation](graph, graph.Add(graph.MatMul(X, W1), b1))
    graph.Identity(H, output="hidden")
    S = graph.Add(graph.MatMul(H, W2), b2, output="logits")
    softmax = model.out_activation_ == "softmax"
    if not softmax and not model._multilabel:
        S = graph.Concat(graph.Neg(S), S, axis=1)
    graph.Identity(S, output="scores")
    (graph.Softmax if softmax else graph.Sigmoid)(S, output="probabilities")
    # from the logits, as `predict` does, so that both agree where probabilities round to a tie
    if model._multilabel:
        graph.Cast(graph.Greater(S, 0.0), output="label", to=TensorProto.INT64)
    else:
        graph.label(model, S)


def labels(model: Any) -> np.ndarray:
    """Classes in a dtype of ONNX: int64, bool, floating, or object for strings."""
    classes = np.asarray(model.classes_)
    if classes.dtype.kind in "bf":
        return classes
    if classes.dtype.kind in "iu":
        if classes.max() > np.iinfo(np.int64).max:
            raise ValueError(f"ONNX has integer labels below 2**63 only; got {classes.max()}.")
        return classes.astype(np.int64)
    classes = classes.astype(object)
    if not all(isinstance(label, str) for label in classes):
        raise ValueError(f"ONNX has labels of numbers, strings and booleans only; got {classes!r}.")
    return classes
