"""Comparison of a finished graph with its model, on a few rows.

skl2onnx 1.20 converts some transformers wrongly and silently: SimpleImputer that drops an empty
column, KNNImputer, OrdinalEncoder for NaN among numbers and for infrequent categories, and
Normalizer for integers; and in double precision PolynomialFeatures with a bias.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, shape_inference
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from skl2onnx.common.data_types import StringTensorType
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs

ROWS = 50
# Above rounding and below a wrong conversion, which changes probabilities by 0.01 or more. Parts of
# a double graph compute in single precision too, which leaves 1e-4 in a logit of years near 2000.
TOLERANCE = 1e-3


class Scaler(OpRun):
    """The operator of this name; the evaluator's own rounds its result where X has integers."""

    op_domain = "ai.onnx.ml"

    def _run(self, X: Any, offset: Any = None, scale: Any = None) -> tuple[Any]:
        return (((X - np.asarray(offset)) * np.asarray(scale)).astype(np.float32),)


class Where(OpRun):
    """The operator of this name; the evaluator's own cuts texts to the length of the first."""

    def _run(self, condition: Any, X: Any, Y: Any) -> tuple[Any]:
        return (np.where(condition, X, Y),)


def check(onnx_model: Any, model: Any, X: Any) -> None:
    """Raise a ValueError if a graph does not give the probabilities and labels of its model.

    Nothing is compared if the model has no probabilities or refuses the rows, or if the evaluator
    lacks an operator, as for texts: it then raises NotImplementedError.
    """
    blame = "The graph that skl2onnx made of this model"
    advice = "Replace the transformer that causes it, or try the other dtype."
    predictions = list(_predictions(model, X))
    try:
        checker.check_model(onnx_model, full_check=True)
        evaluator = ReferenceEvaluator(onnx_model, new_ops=[Scaler, Where])
        results = [evaluator.run(None, _feeds(onnx_model, rows)) for rows, *_ in predictions]
    except NotImplementedError:
        return
    except Exception as error:  # that of the check of types or of any operator
        raise ValueError(f"{blame} does not run. {advice} {error}") from error
    for (_, expected, labels), (got, P, *_) in zip(predictions, results, strict=True):
        if P.shape != expected.shape:
            raise ValueError(f"{blame} gives {P.shape} probabilities, not {expected.shape}.")
        if not np.allclose(P, expected, rtol=0, atol=TOLERANCE):
            by = f"{abs(P - expected).max():.2g}"
            raise ValueError(f"{blame} gives probabilities that differ by up to {by}. {advice}")
        ranked = np.sort(expected, axis=1)
        gap = abs(2 * expected - 1) if labels.ndim == 2 else ranked[:, -1] - ranked[:, -2]
        if ((got != labels) & (gap > 2 * TOLERANCE)).any():
            raise ValueError(f"{blame} gives other labels. {advice}")


def faulty(onnx_model: Any, topology: Any, model: Any, X: Any) -> Any:
    """Return the first transformer of numbers whose nodes do not give what it gives, or None."""
    for rows, *_ in _predictions(model, X):
        for operator in topology.unordered_operator_iterator():
            step = operator.raw_operator
            texts = any(isinstance(each.type, StringTensorType) for each in operator.inputs)
            if texts or not hasattr(step, "transform"):
                continue
            names = [each.onnx_name for each in (*operator.inputs, operator.outputs[0])]
            nodes = select_model_inputs_outputs(onnx_model, names[-1])
            with suppress(Exception):
                shape_inference.infer_shapes(nodes, check_type=True, strict_mode=True)
                evaluator = ReferenceEvaluator(nodes, new_ops=[Scaler, Where])
                values = evaluator.run(None, _feeds(nodes, rows), intermediate=True)
                *given, got = (values[name] for name in names)
                expected = step.transform(np.hstack(given))
                expected = expected.toarray() if hasattr(expected, "toarray") else expected
                np.testing.assert_allclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE)
                continue
            return step
    return None


def _predictions(model: Any, X: Any) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
    """First complete rows of X and first with missing values, each with what the model predicts."""
    missing = np.asarray(X.isna() if hasattr(X, "isna") else np.not_equal(X, X))
    gaps = missing.any(axis=tuple(range(1, missing.ndim)))
    for rows in (X[~gaps][:ROWS], X[gaps][:ROWS]):
        try:
            P, labels = model.predict_proba(rows), model.predict(rows)
        except (AttributeError, TypeError, ValueError):
            continue
        if isinstance(P, np.ndarray):  # else a list, of several outputs
            yield rows, P, labels


def columns(X: Any) -> dict[str, np.ndarray]:
    """Inputs of the graph: each column of a data frame, or an array as a whole."""
    return {name: X[[name]].to_numpy() for name in X.columns} if hasattr(X, "columns") else {"X": X}


def _feeds(onnx_model: Any, rows: Any) -> dict[str, np.ndarray]:
    """Inputs of the graph; like onnxruntime, take missing strings as "nan"."""
    feeds = {}
    # by position, as skl2onnx changes names with spaces
    for described, values in zip(onnx_model.graph.input, columns(rows).values(), strict=True):
        kind = described.type.tensor_type.elem_type
        text = kind == TensorProto.STRING
        values = values.astype(str if text else helper.tensor_dtype_to_np_dtype(kind))
        feeds[described.name] = values.astype(object) if text else values
    return feeds
