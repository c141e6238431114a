"""Float types, tiny and huge values, offsets, saturation: the numbers at their limits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import METHODS, data, fit, make, parameters
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sk_mlp import TwoLayerMLPClassifier

# ------------------------------------------------------------------------------ float types


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [20, 1000])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_float_type_of_X_is_that_of_parameters_and_outputs(solver, container, batch_size, dtype):
    X, y = data()
    X = container(X.astype(dtype))
    model = fit(make(solver, batch_size=batch_size), X, y)
    for array in parameters(model):
        assert array.dtype == dtype
    for method in METHODS[1:]:
        assert getattr(model, method)(X).dtype == dtype
    if solver != "lbfgs":
        model.partial_fit(X, y)
        assert model.coefs_[0].dtype == dtype


def test_float32_and_float64_agree(solver):
    X, y = data()
    X = X.astype(np.float32)
    double = fit(make(solver), X.astype(np.float64), y)
    single = fit(make(solver), X, y)
    assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-3)


# ----------------------------------------------------------------------- scales and offsets


@pytest.mark.parametrize("batch_size", [20, 1000])
def test_scales_and_offsets_do_not_matter(solver, batch_size):
    X, y = data(n_samples=300)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = TwoLayerMLPClassifier(5, solver=solver, batch_size=batch_size, random_state=0)
    scales = np.geomspace(1e-6, 1e6, 6)
    reference = clone(model).fit(X, y)
    for changed in (X * scales, X * scales[::-1], X + 1e8, X * scales + 1e8 * scales):
        other = clone(model).fit(changed, y)
        assert other.score(changed, y) >= reference.score(X, y) - 0.01


def test_partial_fit_with_an_offset_of_1e8():
    X, y = data(n_samples=300)
    model = make("adam", batch_size=20)
    plain, shifted = clone(model), clone(model)
    for _ in range(10):
        plain.partial_fit(X, y, classes=[0, 1, 2])
        shifted.partial_fit(X + 1e8, y, classes=[0, 1, 2])
    assert shifted.score(X + 1e8, y) >= plain.score(X, y) - 0.01


def test_constant_features_are_harmless(solver):
    X, y = data()
    constants = np.tile([0.0, 1.0, 0.1, -1e8], (len(y), 1))
    options = {"max_iter": 200, "learning_rate": "cosine"}
    plain = fit(make(solver, **options), X, y)
    model = fit(make(solver, **options), np.hstack([X, constants]), y)
    assert np.isfinite(model.predict_proba(np.hstack([X, constants]))).all()
    assert model.score(np.hstack([X, constants]), y) >= plain.score(X, y) - 0.05


# -------------------------------------------------------------------- overflow and underflow


@pytest.mark.parametrize("size", [1e-150, 1e150])
def test_values_whose_squares_are_finite_train_as_others(solver, size):
    X, y = data()
    model = make(solver, max_iter=50, alpha=1.0)  # the folds that choose alpha depend on all bits
    reference = fit(clone(model), X, y)
    with np.errstate(all="raise"):
        fit(model, X * size, y)
        P = model.predict_proba(X * size)
    assert_allclose(P, reference.predict_proba(X), rtol=1e-5)


@pytest.mark.parametrize(
    ("size", "standardize", "cause"),
    [
        (1e-170, True, "vary too little"),
        (1e300, True, "are too large"),
        (1e300, False, "are too large"),
    ],
)
def test_values_whose_squares_over_or_underflow_are_an_error(solver, size, standardize, cause):
    X, y = data()
    with pytest.raises(ValueError, match=f"values of X {cause}.*Rescale X"):
        make(solver, standardize=standardize).fit(X * size, y)


@pytest.mark.parametrize("size", [1e100, 1e150])
def test_huge_values_without_standardize_are_not_silent(solver, size):
    X, y = data()
    model = make(solver, standardize=False, max_iter=50, alpha=1.0)
    if solver == "sgd":  # a step in such units leads out of all numbers
        with pytest.raises(ValueError, match=r"rescale X, or use standardize=True"):
            model.fit(X * size, y)
    else:
        with pytest.warns(ConvergenceWarning, match="max_iter=50|learned nothing"):
            model.fit(X * size, y)
        assert not model.converged_


def test_predictions_that_overflow_are_an_error():
    X, y = data()
    model = fit(make(hidden_units=50), X, y)
    for far in (1.7e308 * np.sign(X), 1.7e308 * np.repeat(np.sign(X), 10, axis=0)):
        for method in METHODS:
            with pytest.raises(ValueError, match="values of X are so large"):
                getattr(model, method)(far)


@pytest.mark.parametrize("method", [*METHODS, "input_gradient"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_predictions_raise_no_floating_point_error(n_classes, method):
    X, y = data(n_classes)
    model = fit(make(hidden_units=50), X, y)
    for far in (X * 1e3, np.repeat(X, 10, axis=0) * 1e3):  # directly, and in blocks
        expected = getattr(model, method)(far)
        with np.errstate(all="raise"):
            assert_array_equal(getattr(model, method)(far), expected)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_log_probability_is_finite_where_the_logits_are(n_classes):
    X, y = data(n_classes)
    model = fit(make(activation="relu"), X, y)
    far = 1e4 * X
    assert model.predict_proba(far).min() < 1e-300
    log_probability = model.predict_log_proba(far)
    assert np.isfinite(log_probability).all()
    raw = model.decision_function(far)
    if n_classes == 2:
        raw = np.stack([np.zeros_like(raw), raw], axis=1)
    gap = raw - raw.max(axis=1, keepdims=True)
    certain = np.sort(gap, axis=1)[:, -2] < -50
    assert certain.any()
    assert_allclose(log_probability[certain], gap[certain], atol=1e-12)
