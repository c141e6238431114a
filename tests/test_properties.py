"""Properties of any fit, on examples that hypothesis draws.

``SK_MLP_HYPOTHESIS=nightly`` draws other examples on every run, and many more.
"""

import copy
import os
import pickle
import re
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from problems import ACTIVATIONS, assert_same_fit, parameters
from scipy import sparse
from scipy.special import expit, softmax

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("default", max_examples=25, derandomize=True, database=None, **COMMON)
settings.register_profile("nightly", max_examples=1000, **COMMON)
settings.load_profile(os.environ.get("SK_MLP_HYPOTHESIS", "default"))

SOLVERS = ["lbfgs", "adam", "sgd"]
ARGUMENTS = r"\b(X|y|sample_weight|class_weight|classes|validation_fraction|alpha|cv|scoring)\b"


pytestmark = [
    # a few iterations are not expected to converge
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:The least populated class"),  # of a search with cv=2
]


# ------------------------------------------------------------------------------ strategies


def networks(**fixed):
    """Networks of a few units, trained for a few iterations with all rows in one batch."""
    options = {
        "solver": st.sampled_from(SOLVERS),
        "activation": st.sampled_from(list(ACTIVATIONS)),
        "alpha": st.sampled_from([0.01, 1.0]),
        "standardize": st.booleans(),
        "hidden_units": st.integers(1, 4),
        "max_iter": st.just(4),
        "batch_size": st.just(1000),
        "n_init": st.just(1),
        "random_state": st.integers(0, 9),
    }
    options |= {name: st.just(value) for name, value in fixed.items()}
    return st.builds(TwoLayerMLPClassifier, **options)


@st.composite
def tables(draw, *, multilabel=False, integers=False):
    """X of ordinary size, and labels of two or three classes that all occur."""
    shape = draw(st.tuples(st.integers(4, 14), st.integers(1, 4)))
    # sixteenths, so that shifts and scales by powers of two are exact
    X = draw(hnp.arrays(np.int64, shape, elements=st.integers(-160, 160))) / (1 if integers else 16)
    if multilabel:
        return X, draw(hnp.arrays(np.int64, (len(X), 3), elements=st.integers(0, 1)))
    n_classes = draw(st.integers(2, 3))
    y = draw(hnp.arrays(np.int64, len(X), elements=st.integers(0, n_classes - 1)))
    y[:n_classes] = np.arange(n_classes)
    return X, y


def any_float():
    """Floating-point numbers of every size, and not only finite ones."""
    sizes = [0.0, 1.0, -1.0, 5e-324, 1e-170, 1e-30, 1e20, 1e160, 1e308, np.nan, np.inf, -np.inf]
    return st.one_of(st.sampled_from(sizes), st.floats(width=64), st.floats(-10, 10))


@st.composite
def any_tables(draw):
    """X, y, sample_weight of any values, most of them of no use."""
    shape = draw(st.tuples(st.integers(1, 10), st.integers(1, 3)))
    values = draw(st.sampled_from([any_float(), st.floats(-1e3, 1e3), st.floats(-1e-9, 1e-9)]))
    X = draw(hnp.arrays(np.float64, shape, elements=values))
    labels = draw(
        st.sampled_from(
            [st.integers(0, 2), st.sampled_from(["a", "b", ""]), st.booleans(), any_float()]
        )
    )
    y = np.array(draw(st.lists(labels, min_size=len(X), max_size=len(X))))
    size = draw(st.sampled_from([1e-300, 1e-30, 1.0, 1e30, 1e300]))
    weights = size * draw(hnp.arrays(np.float64, len(X), elements=st.floats(0, 4)))
    return X, y, draw(st.sampled_from([None, weights]))


def as_container(X):
    """Draw X in another container that holds the same numbers."""
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("polars")
    return st.sampled_from(
        [
            np.asfortranarray(X),
            np.repeat(X, 2, axis=0)[::2],
            X.tolist(),
            pd.DataFrame(X).to_numpy(),
            pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]),
            pa.DataFrame(X, schema=[f"x{i}" for i in range(X.shape[1])]),
            sparse.csr_matrix(X),
            sparse.csc_array(X),
            sparse.coo_array(X),
        ]
    )


# --------------------------------------------------------------------- a network or an error


@given(table=any_tables(), model=networks(), early_stopping=st.booleans(), use=st.integers(0, 2))
@settings(max_examples=3 * settings.default.max_examples)
def test_any_input_gives_finite_output_or_an_error_that_names_the_argument(
    table, model, early_stopping, use
):
    X, y, weights = table
    if use == 2:
        model = TwoLayerMLPClassifierCV(2, alphas=1, max_iter=3, cv=2)
    elif early_stopping:
        model.set_params(early_stopping=True)
    try:
        if use == 1 and model.solver != "lbfgs":
            model.partial_fit(X, y, classes=[0, 1, 2], sample_weight=weights)
        else:
            model.fit(X, y, sample_weight=weights)
    except (ValueError, TypeError) as error:
        assert re.search(ARGUMENTS, str(error)), error  # noqa: PT017
        assert not hasattr(model, "coefs_")
    else:
        assert np.isfinite(model.predict_proba(X)).all()
        assert set(model.predict(X).tolist()) <= set(model.classes_.tolist())
        pickle.loads(pickle.dumps(model))  # which checks the state


# ------------------------------------------------------------------------------ predictions


@given(table=tables(), model=networks())
def test_probabilities_sum_to_one(table, model):
    X, y = table
    P = model.fit(X, y).predict_proba(X)
    assert P.shape == (len(y), len(np.unique(y)))
    assert P.min() >= 0
    assert_allclose(P.sum(axis=1), 1, rtol=1e-12)
    assert_allclose(np.exp(model.predict_log_proba(X)), P, rtol=1e-12)
    assert_array_equal(model.predict(X), model.classes_[P.argmax(axis=1)])


@given(table=st.one_of(tables(), tables(multilabel=True)), model=networks())
def test_predictions_are_the_formula_of_the_public_attributes(table, model):
    X, y = table
    model.fit(X, y)
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    hidden = ACTIVATIONS[model.activation](X @ W1 + b1)
    raw = hidden @ W2 + b2
    assert_allclose(model.transform(X), hidden, rtol=1e-9, atol=1e-9)
    if model.out_activation_ == "softmax":
        P = softmax(raw, axis=1)
    elif raw.shape[1] == 1:
        P = np.hstack([expit(-raw), expit(raw)])
        raw = raw[:, 0]
    else:
        P = expit(raw)
    assert_allclose(model.decision_function(X), raw, rtol=1e-9, atol=1e-9)
    assert_allclose(model.predict_proba(X), P, rtol=1e-7, atol=1e-9)


# ------------------------------------------------------------------------------ invariances


@given(table=tables(), model=networks(), data=st.data())
def test_weights_are_repetitions(table, model, data):
    X, y = table
    counts = data.draw(hnp.arrays(np.int64, len(y), elements=st.integers(0, 3)))
    counts[: y.max() + 1] += 1  # every class occurs
    weighted = copy.deepcopy(model).fit(X, y, sample_weight=counts)
    repeated = model.fit(X.repeat(counts, axis=0), y.repeat(counts))
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-5, atol=1e-6)


@given(table=tables(), model=networks(), power=st.integers(-300, 300))
def test_the_unit_of_weights_and_alpha_does_not_matter(table, model, power):
    X, y = table
    plain = copy.deepcopy(model).fit(X, y, np.ones(len(y)))
    unit = 2.0**power
    model.set_params(alpha=model.alpha * unit).fit(X, y, np.full(len(y), unit))
    assert_allclose(model.predict_proba(X), plain.predict_proba(X), rtol=1e-6, atol=1e-9)


@given(table=tables(), model=networks(), data=st.data())
def test_order_of_rows_and_columns_does_not_matter(table, model, data):
    X, y = table
    rows = np.array(data.draw(st.permutations(range(len(y)))))
    columns = np.array(data.draw(st.permutations(range(X.shape[1]))))
    model.fit(X, y)
    other = copy.deepcopy(model)  # the random start is the only thing with an order
    other.coefs_ = [model.coefs_[0][columns], model.coefs_[1]]
    for m, A, b in ((model, X, y), (other, X[rows][:, columns], y[rows])):
        m.set_params(warm_start=True).fit(A, b)
    assert_allclose(
        other.predict_proba(X[:, columns]), model.predict_proba(X), rtol=1e-5, atol=1e-6
    )


@given(table=tables(), model=networks(), names=st.sets(st.text(), min_size=3, max_size=3))
def test_names_of_labels_do_not_matter(table, model, names):
    X, y = table
    names = np.array(sorted(names), dtype=object)[: y.max() + 1]
    renamed = copy.deepcopy(model).fit(X, names[y])
    assert_same_fit(renamed, model.fit(X, y))
    assert_array_equal(renamed.classes_, names)
    assert_array_equal(renamed.predict(X), names[model.predict(X)])


@given(table=tables(), model=networks(early_stopping=False, batch_size=5), data=st.data())
def test_containers_do_not_matter(table, model, data):
    X, y = table
    same = data.draw(as_container(X))
    other = copy.deepcopy(model).fit(same, y)
    assert_same_fit(other, model.fit(X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of the names of features
        assert_allclose(other.predict_proba(same), model.predict_proba(X), rtol=1e-12)


@given(table=tables(), model=networks())
def test_float32_does_not_matter_beyond_rounding(table, model):
    X, y = table
    single = copy.deepcopy(model).fit(X.astype(np.float32), y)
    assert {array.dtype for array in parameters(single)} == {np.dtype(np.float32)}
    assert_allclose(single.predict_proba(X), model.fit(X, y).predict_proba(X), atol=1e-3)


@given(
    table=tables(),
    model=networks(standardize=True),
    power=st.integers(-60, 60),
    shift=st.integers(-1000, 1000),
)
def test_scale_and_offset_of_features_do_not_matter(table, model, power, shift):
    X, y = table
    changed = (X + shift) * 2.0**power
    other = copy.deepcopy(model).fit(changed, y)
    assert_allclose(
        other.predict_proba(changed), model.fit(X, y).predict_proba(X), rtol=1e-5, atol=1e-6
    )


# ------------------------------------------------------------------------------------ state


@given(table=tables(), model=networks(), broken=st.integers(0, 5), stream=st.booleans())
def test_a_call_that_fails_leaves_the_estimator_as_it_was(table, model, broken, stream):
    X, y = table
    model.fit(X, y)
    before, state = vars(model).copy(), pickle.dumps(model)
    nan = np.where(np.arange(X.size).reshape(X.shape) == 0, np.nan, X)
    arguments = [
        (nan, y),
        (X[:-1], y),
        (X, y + 0.5),
        (X, y, -np.ones(len(y))),
        (X, y, np.zeros(len(y))),
        (X[:0], y[:0]),
    ][broken]
    call = model.fit
    if stream and model.solver != "lbfgs":
        call, arguments = model.partial_fit, (*arguments[:2], None, *arguments[2:])
    with pytest.raises(ValueError, match=r"NaN|samples?\b|labels|continuous|sample_weight|weight"):
        call(*arguments)
    assert vars(model) == before
    assert pickle.dumps(model) == state


@given(table=st.one_of(tables(), tables(multilabel=True)), model=networks(), stream=st.booleans())
def test_round_trips_predict_the_same(table, model, stream):
    X, y = table
    model.fit(X, y)
    if stream and model.solver != "lbfgs":
        model.partial_fit(X, y)
    P = model.predict_proba(X)
    skops = pytest.importorskip("skops.io")
    trusted = ["sk_mlp.TwoLayerMLPClassifier"]
    for same in (
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
        skops.loads(skops.dumps(model), trusted=trusted),
    ):
        assert_array_equal(same.predict_proba(X), P)
        assert_same_fit(same, model)
    if model.activation in ("identity", "logistic", "tanh", "relu"):
        mlp = model.to_mlpclassifier()
        assert_allclose(mlp.predict_proba(X), P, rtol=1e-7, atol=1e-9)
        back = TwoLayerMLPClassifier.from_mlpclassifier(mlp)
        assert_allclose(back.predict_proba(X), P, rtol=1e-12)


@given(table=tables(), model=networks())
@settings(max_examples=10)
def test_onnx_predicts_the_same(table, model):
    ort = pytest.importorskip("onnxruntime")
    pytest.importorskip("skl2onnx")
    from sk_mlp.onnx import to_onnx

    X, y = table
    X = X.astype(np.float32)  # onnxruntime 1.20 cannot run silu in double precision
    model.fit(X, y)
    session = ort.InferenceSession(to_onnx(model).SerializeToString())
    labels, P = session.run(["label", "probabilities"], {"X": X})
    assert_allclose(P, model.predict_proba(X), rtol=1e-4, atol=1e-5)
    top = np.sort(P, axis=1)
    clear = top[:, -1] - top[:, -2] > 1e-4
    assert_array_equal(labels[clear], model.predict(X)[clear])
