"""Comparison of a finished graph with its model, on a few rows.

skl2onnx 1.20 converts some transformers wrongly and silently: SimpleImputer that drops an empty
column, OrdinalEncoder for NaN among numbers, Normalizer for integers, and a selector that keeps the
first column alone; and in double precision KBinsDiscretizer, PolynomialFeatures with a bias, and
Binarizer at its threshold.
"""

import warnings
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

ROWS = 50
# Above rounding and below a wrong conversion, which changes probabilities by 0.01 or more. Parts of
# a double graph compute in single precision too, which leaves 1e-4 in a logit of years near 2000.
TOLERANCE = 1e-3


class Scaler(OpRun):
    """The operator of this name; the evaluator's own rounds its result where X has integers."""

    op_domain = "ai.onnx.ml"

    def _run(self, X: Any, offset: Any = None, scale: Any = None) -> tuple[Any]:
        return (((X - np.asarray(offset)) * np.asarray(scale)).astype(np.float32),)


def check(onnx_model: Any, model: Any, X: Any) -> None:
    """Raise a ValueError if a graph does not give the probabilities and labels of its model.

    Nothing is compared if the model has no probabilities or refuses the rows, or if the evaluator
    lacks an operator, as for texts: it then raises NotImplementedError.
    """
    blame = "The graph that skl2onnx made of this model"
    advice = "Replace the transformer that causes it, or try the other dtype."
    for rows in _rows(onnx_model, X) if hasattr(model, "predict_proba") else ():
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                expected, labels = model.predict_proba(rows), model.predict(rows)
            except (TypeError, ValueError):
                continue
            try:
                got, P = _run(onnx_model, rows)
            except NotImplementedError:
                return
            except Exception as error:  # that of the check of types or of any operator
                raise ValueError(f"{blame} does not run. {advice} {error}") from error
        if not isinstance(expected, np.ndarray):  # a list, of several outputs
            return
        if P.shape != expected.shape:
            raise ValueError(f"{blame} gives {P.shape} probabilities, not {expected.shape}.")
        if not np.allclose(P, expected, rtol=0, atol=TOLERANCE):
            by = f"{abs(P - expected).max():.2g}"
            raise ValueError(f"{blame} gives probabilities that differ by up to {by}. {advice}")
        ranked = np.sort(expected, axis=1)
        multilabel = labels.ndim == 2
        gap = abs(2 * expected - 1) if multilabel else ranked[:, -1] - ranked[:, -2]
        if ((got != labels) & (gap > 2 * TOLERANCE)).any():
            raise ValueError(f"{blame} gives other labels. {advice}")


def _rows(onnx_model: Any, X: Any) -> list[Any]:
    """First rows of X, and its first with missing values; without X a row of zeros, one of NaN."""
    if X is None:
        n_features = onnx_model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
        return [np.full((1, n_features), value) for value in (0.0, np.nan)]
    if hasattr(X, "toarray"):
        return [X[:ROWS].toarray()]
    X = (X if hasattr(X, "columns") else np.asarray(X))[: 100 * ROWS]
    missing = np.asarray(X.isna() if hasattr(X, "isna") else np.not_equal(X, X))
    return [X[:ROWS], X[missing.any(axis=tuple(range(1, missing.ndim)))][:ROWS]]


def _run(onnx_model: Any, rows: Any) -> list[Any]:
    """Label and probabilities of the graph; like onnxruntime, take missing strings as "nan"."""
    checker.check_model(onnx_model, full_check=True)
    feeds = {}
    names = list(getattr(rows, "columns", ()))
    # by position: the graph has an input for each column, but skl2onnx changes names with spaces
    for j, described in enumerate(onnx_model.graph.input):
        kind, name = described.type.tensor_type.elem_type, described.name
        values = np.asarray(rows[[names[j]]] if names else rows)
        text = kind == TensorProto.STRING
        feeds[name] = values.astype(str if text else helper.tensor_dtype_to_np_dtype(kind))
        if text:
            feeds[name] = feeds[name].astype(object)
    return list(ReferenceEvaluator(onnx_model, new_ops=[Scaler]).run(None, feeds)[:2])
