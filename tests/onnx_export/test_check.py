"""Transformers before a network: exported exactly, or refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import RFE, SelectKBest, VarianceThreshold
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)

from onnx_export.models import assert_same, reference, runtime, small

pytest.importorskip("skl2onnx")
from sk_mlp.onnx import to_onnx
from sk_mlp.onnx.check import check

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
GAPS = np.where(RNG.random((120, 3)) < 0.2, np.nan, X)
GAPS[:50] = X[:50]  # the first rows are complete
EMPTY = np.column_stack([X[:, :2], np.full(120, np.nan)])
CODES = RNG.integers(0, 4, size=(120, 2)).astype(float)
CODES_WITH_GAPS = np.where(np.arange(240).reshape(120, 2) > 200, np.nan, CODES)
y = (X[:, 0] + X[:, 1] + CODES[:, 0] > 1.5).astype(int)


def fitted(transformer, X):
    return make_pipeline(transformer, small()).fit(X, y)


@pytest.mark.parametrize(
    ("transformer", "X", "message"),
    [
        (SimpleImputer(), EMPTY, "does not run"),
        (KBinsDiscretizer(4, encode="onehot-dense"), X, "does not run"),
        (KBinsDiscretizer(4, encode="ordinal"), X, "does not run"),
        (PolynomialFeatures(2), X, "does not run"),
        (OrdinalEncoder(encoded_missing_value=-2), CODES_WITH_GAPS, "differ by up to 0"),
        (Normalizer(), 1 + CODES.astype(int), "does not run"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.filterwarnings("ignore:.*(observed values|quantile)")
def test_wrong_conversions_are_refused(transformer, X, message):
    model = fitted(transformer, X)
    with pytest.raises(ValueError, match=message):
        to_onnx(model, X)
    if X.dtype == float:  # without X, integers are unknown
        with pytest.raises(ValueError, match=message):
            to_onnx(model)


@pytest.mark.parametrize(
    ("transformer", "X"),
    [
        (Binarizer(), CODES),
        (Binarizer(threshold=2.0), CODES),
        (VarianceThreshold(1.0), X * [5, 0.1, 0.1]),
        (SelectKBest(k=2), X),
        (RFE(small(2), n_features_to_select=1, importance_getter="feature_importances_"), X),
        (FeatureUnion([("all", StandardScaler()), ("none", "drop")]), X),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_skl2onnx_alone_would_convert_wrongly(transformer, X, run):
    model = fitted(transformer, X)
    for graph in (to_onnx(model), to_onnx(model, X)):
        assert_same(run(graph, {"X": X}), model, X)


@pytest.mark.parametrize(
    ("transformer", "X", "name"),
    [
        (KNNImputer(), GAPS, "KNNImputer()"),
        (make_union(StandardScaler(), SplineTransformer()), X, "SplineTransformer()"),
        (PowerTransformer(), X, "PowerTransformer()"),
        (PolynomialFeatures(2), X, "PolynomialFeatures()"),
        (OneHotEncoder(max_categories=2), CODES, "OneHotEncoder(max_categories=2)"),
        (OrdinalEncoder(encoded_missing_value=-2), CODES_WITH_GAPS, "OrdinalEncoder(encoded"),
        (KBinsDiscretizer(4), X, "KBinsDiscretizer"),
        (make_pipeline(StandardScaler(), FunctionTransformer(np.tanh)), X, "FunctionTransformer"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.filterwarnings("ignore:.*quantile")
def test_an_error_names_the_transformer(transformer, X, name):
    model = fitted(transformer, X)
    for rows in (None, X):
        with pytest.raises(ValueError, match=r"dtype") as caught:
            to_onnx(model, rows)
        assert name in str(caught.value)


def test_imputed_texts():
    pytest.importorskip("onnxruntime")
    pd = pytest.importorskip("pandas")
    words = np.array(["no", np.nan, "yes", "definitely"], object)[CODES[:, 0].astype(int)]
    words[0] = np.nan
    table = pd.DataFrame({"word": words, "number": X[:, 0]})
    for imputer in (SimpleImputer(strategy="most_frequent"), SimpleImputer(strategy="constant")):
        text = make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore"))
        columns = [("text", text, ["word"]), ("number", StandardScaler(), ["number"])]
        model = fitted(ColumnTransformer(columns), table)
        feeds = {"word": table[["word"]].to_numpy(object), "number": table[["number"]].to_numpy()}
        got = runtime(to_onnx(model, table), feeds)
        assert_allclose(got["probabilities"], model.predict_proba(table), rtol=0, atol=1e-6)


def test_columns_of_both_precisions(run):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"a": X[:, 0], "b": X[:, 1].astype(np.float32)})
    columns = [("a", StandardScaler(), ["a"]), ("b", RobustScaler(), ["b"])]
    model = fitted(ColumnTransformer(columns), table)
    got = run(to_onnx(model, table), {name: table[[name]].to_numpy(float) for name in table})
    assert_allclose(got["probabilities"], model.predict_proba(table), rtol=0, atol=1e-6)


@pytest.mark.parametrize("transformer", [KBinsDiscretizer(4, encode="ordinal"), Binarizer()])
@pytest.mark.filterwarnings("ignore:.*quantile")
def test_what_single_precision_converts_rightly(transformer, run):
    model = fitted(transformer, CODES if isinstance(transformer, Binarizer) else X)
    rows = (CODES if isinstance(transformer, Binarizer) else X).astype(np.float32)
    got = run(to_onnx(model, dtype=np.float32), {"X": rows})
    assert_allclose(got["probabilities"], model.predict_proba(rows), rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("in_columns", [False, True])
def test_an_imputer_that_adds_indicators(in_columns, dtype, run):
    if dtype == np.float64:  # onnxruntime has an imputer in single precision only
        run = reference
    imputer = SimpleImputer(strategy="median", add_indicator=True)
    if in_columns:
        pd = pytest.importorskip("pandas")
        table = pd.DataFrame(GAPS, columns=["a", "b", "c"]).assign(k=CODES[:, 0].astype(str))
        columns = [("number", imputer, ["c", "a", "b"]), ("text", OneHotEncoder(), ["k"])]
        model = fitted(ColumnTransformer(columns), table)
        graph = to_onnx(model, table[:1], dtype=dtype)
        feeds = {name: table[[name]].to_numpy() for name in table}
        for name in "abc":
            feeds[name] = feeds[name].astype(dtype)
        feeds["k"] = feeds["k"].astype(object)
    else:
        table = GAPS
        model = fitted(imputer, table)
        graph = to_onnx(model, dtype=dtype)
        feeds = {"X": table.astype(dtype)}
    got = run(graph, feeds)
    assert_allclose(got["probabilities"], model.predict_proba(table), rtol=0, atol=1e-6)


def test_an_indicator_of_another_missing_value_is_refused():
    imputer = SimpleImputer(missing_values=0, add_indicator=True)
    with pytest.raises(ValueError, match="only if NaN is the missing value; got missing_values=0"):
        to_onnx(fitted(imputer, CODES))


def test_unknown_categories_without_infrequent_ones(run):
    model = fitted(OneHotEncoder(handle_unknown="infrequent_if_exist"), CODES)
    unknown = np.where(CODES == 3, 9.0, CODES)
    got = run(to_onnx(model), {"X": unknown})
    assert_allclose(got["probabilities"], model.predict_proba(unknown), rtol=0, atol=1e-6)


@pytest.mark.parametrize("missing", [None, np.nan])
@pytest.mark.parametrize(
    "encoder", [OneHotEncoder(), OrdinalEncoder(encoded_missing_value=-2)], ids=["hot", "ordinal"]
)
def test_missing_strings(encoder, missing):
    pytest.importorskip("onnxruntime")
    words = np.array(["no", "perhaps", "yes", missing], object)[CODES.astype(int)]
    model = fitted(encoder, words)
    got = runtime(to_onnx(model, words), {"X": words})
    assert_allclose(got["probabilities"], model.predict_proba(words), rtol=0, atol=1e-6)


def test_a_scaler_that_clips_is_refused():
    if "clip" not in MaxAbsScaler().get_params():
        pytest.skip("this scikit-learn has no such option")
    model = fitted(MaxAbsScaler().set_params(clip=True), X)
    with pytest.raises(ValueError, match="MaxAbsScaler with clip=True cannot be exported"):
        to_onnx(model, X)


@pytest.mark.parametrize("dtype", [None, np.float32])
@pytest.mark.parametrize("scaler", [StandardScaler(), RobustScaler(), MaxAbsScaler()])
def test_scaled_integers_are_not_refused(scaler, dtype):
    # the evaluator of the package onnx rounds them, onnxruntime does not
    pytest.importorskip("onnxruntime")
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"a": X[:, 0], "i": 2000 + CODES[:, 0].astype(int)})
    model = fitted(ColumnTransformer([("a", scaler, ["a"]), ("i", scaler, ["i"])]), table)
    feeds = {"a": table[["a"]].to_numpy().astype(dtype or float), "i": table[["i"]].to_numpy()}
    got = runtime(to_onnx(model, table, dtype=dtype), feeds)
    assert_allclose(got["probabilities"], model.predict_proba(table), rtol=0, atol=1e-4)


@pytest.mark.parametrize("library", ["polars", "nullable pandas"])
def test_other_data_frames(library, run):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"a": X[:, 0], "k": CODES[:, 0].astype(int).astype(str)})
    columns = [("number", StandardScaler(), ["a"]), ("text", OneHotEncoder(), ["k"])]
    feeds = {"a": table[["a"]].to_numpy(), "k": table[["k"]].to_numpy(object)}
    if library == "polars":
        table = pytest.importorskip("polars").from_pandas(table)
    else:
        table = table.astype({"a": "Float64"})
    model = fitted(ColumnTransformer(columns), table)
    got = run(to_onnx(model, table), feeds)
    assert_allclose(got["probabilities"], model.predict_proba(table), rtol=0, atol=1e-6)


def test_names_of_columns_that_the_graph_changes(run):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(X, columns=["unused (cm)", "a b", "a_b"])
    model = fitted(ColumnTransformer([("all", StandardScaler(), ["a_b", "a b"])]), table)
    graph = to_onnx(model, table)
    feeds = {entry.name: X[:, [j]] for j, entry in enumerate(graph.graph.input)}
    got = run(graph, feeds)
    assert_allclose(got["probabilities"], model.predict_proba(table), rtol=0, atol=1e-6)


def test_the_check_itself():
    model = fitted(StandardScaler(), X)
    other = make_pipeline(StandardScaler(), small()).fit(X, 1 - y)
    graph = to_onnx(model)
    check(graph, model, X)
    with pytest.raises(ValueError, match="probabilities that differ by up to 0"):
        check(graph, other, X)
    other = make_pipeline(StandardScaler(), small()).fit(X, y + (X[:, 2] > 1))
    with pytest.raises(ValueError, match=r"gives \(50, 2\) probabilities, not \(50, 3\)"):
        check(graph, other, X)
    relabelled = fitted(StandardScaler(), X)
    relabelled[-1].classes_ = np.array([1, 0])
    with pytest.raises(ValueError, match="gives other labels"):
        check(graph, relabelled, X)
