"""The gradient of the probabilities by the input."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import ACTIVATIONS
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp import _predictor as predictor_module


def data_of(target):
    if target == "binary":
        return load_breast_cancer(return_X_y=True)
    X, y = load_iris(return_X_y=True)
    if target == "multilabel":
        y = np.column_stack([y == 0, y >= 1, X[:, 0] > 6]).astype(int)
    return X, y


def fitted(target, activation="tanh", hidden_units=6):
    X, y = data_of(target)
    model = TwoLayerMLPClassifier(
        hidden_units, activation=activation, solver="lbfgs", n_init=1, tol=1e-3, random_state=0
    )
    return model.fit(X, y), X


def probabilities(model, X):
    """Probabilities in the layout of `input_gradient`."""
    P = model.predict_proba(X)
    return P[:, 1] if len(model.classes_) == 2 else P


def numerical_gradient(model, X, steps):
    """Five-point derivative by each feature."""
    columns = []
    for j, step in enumerate(steps):
        h = step * np.eye(len(steps))[j]
        a, b, c, d = (probabilities(model, X + m * h) for m in (-2, -1, 1, 2))
        columns.append((a - 8 * b + 8 * c - d) / (12 * step))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("target", ["binary", "multiclass", "multilabel"])
def test_against_numerical_derivatives(target, activation):
    model, X = fitted(target, activation)
    scale = X.std(axis=0)
    steps = 1e-4 * scale
    W1, b1 = model.coefs_[0], model.intercepts_[0]
    # leave out rows that lie so near a kink of relu that a difference steps over it
    distance = np.abs(X @ W1 + b1).min(axis=1)
    X = X[distance > 2 * (steps @ np.abs(W1)).max()]
    assert len(X) > 100
    # in probability per standard deviation, so that one tolerance fits every feature
    exact = model.input_gradient(X) * scale
    assert np.abs(exact).max() > 0.1
    assert_allclose(exact, numerical_gradient(model, X, steps) * scale, atol=1e-10)


def test_shapes_and_sums():
    model, X = fitted("binary")
    assert model.input_gradient(X).shape == X.shape
    model, X = fitted("multiclass")
    gradient = model.input_gradient(X)
    assert gradient.shape == (len(X), 3, X.shape[1])
    assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-14)  # probabilities sum to one
    model, X = fitted("multilabel")
    assert model.input_gradient(X).shape == (len(X), 3, X.shape[1])


@pytest.mark.parametrize("target", ["binary", "multiclass"])
def test_blocks_and_single_rows_make_no_difference(target, monkeypatch):
    model, X = fitted(target)
    whole = model.input_gradient(X)
    monkeypatch.setattr(predictor_module, "pass_rows", lambda X, row_bytes: 7)
    assert_allclose(model.input_gradient(X), whole, rtol=1e-12, atol=1e-16)
    assert_allclose(model.input_gradient(X[3:4]), whole[3:4], rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array, sparse.coo_array])
def test_sparse_input_gives_the_same_dense_array(container):
    model, X = fitted("multiclass")
    X = np.where(X > 1.5, X, 0.0)
    gradient = model.input_gradient(container(X))
    assert isinstance(gradient, np.ndarray)
    assert_allclose(gradient, model.input_gradient(X), rtol=1e-12, atol=1e-16)


def test_float32_stays_float32():
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(6, random_state=0).fit(X.astype(np.float32), y)
    assert model.input_gradient(X.astype(np.float32)).dtype == np.float32


def test_saturated_probabilities_keep_their_small_gradient():
    model, X = fitted("binary", "identity")
    slope = model.coefs_[0] @ model.coefs_[1][:, 0]
    far = X[:1] + (60.0 - model.decision_function(X[:1])) * slope / (slope @ slope)
    p_0, p_1 = model.predict_proba(far)[0]
    assert p_1 == 1.0
    assert_allclose(p_0, np.exp(-60.0), rtol=1e-10)
    assert_allclose(model.input_gradient(far)[0], p_0 * slope, rtol=1e-12)


def test_input_is_checked_and_not_modified():
    model, X = fitted("multiclass")
    before = X.copy()
    X.flags.writeable = False
    model.input_gradient(X)
    assert_array_equal(X, before)
    with pytest.raises(ValueError, match="X has 3 features"):
        model.input_gradient(X[:, :3])
    with pytest.raises(NotFittedError):
        TwoLayerMLPClassifier().input_gradient(X)
