"""Forward and backward pass over one block of rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sk_mlp._network.activations import ACTIVATIONS
from sk_mlp._network.network import Network
from sk_mlp._network.parameters import Layout

LAYOUT = Layout(n_features=3, hidden_units=5, n_outputs=2)


def make_block(layout=LAYOUT, n_rows=7):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n_rows, layout.n_features))
    params = rng.normal(size=layout.size)
    residual = rng.normal(size=(n_rows, layout.n_outputs))
    return X, params, residual


def gradient_of(X, params, residual, name, layout=LAYOUT):
    network, at = Network.named(layout, name, "logistic"), layout.views(params)
    gradient = np.full(layout.size, np.nan)  # every number is written
    _, backward = network.forward(at, X)
    backward(residual, layout.views(gradient))
    return gradient, at.W2


def test_forward_by_hand():
    X, params, _ = make_block()
    at = W1, b1, W2, b2 = LAYOUT.views(params)
    network = Network.named(LAYOUT, "tanh", "logistic")
    Z, H = network.hidden(at, X)
    S, _ = network.forward(at, X)
    assert_array_equal(network.raw_prediction(at, X), S)
    for i, x in enumerate(X):
        h = [np.tanh(sum(x[j] * W1[j, u] for j in range(3)) + b1[u]) for u in range(5)]
        s = [sum(h[u] * W2[u, k] for u in range(5)) + b2[k] for k in range(2)]
        assert_allclose(np.tanh(Z[i]), h)
        assert_allclose(H[i], h)
        assert_allclose(S[i], s)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradient_is_the_sum_of_outer_products_per_sample(name):
    X, params, residual = make_block()
    gradient, W2 = gradient_of(X, params, residual, name)
    W1, b1, _, _ = LAYOUT.views(params)
    expected = np.zeros(LAYOUT.size)
    gW1, gb1, gW2, gb2 = LAYOUT.views(expected)
    for x, r in zip(X, residual, strict=True):
        z = (x @ W1 + b1)[None]
        h = ACTIVATIONS[name].function(z)
        delta = (W2 @ r) * ACTIVATIONS[name].derivative(z, h)[0]
        gW1 += np.outer(x, delta)
        gb1 += delta
        gW2 += np.outer(h[0], r)
        gb2 += r
    assert_allclose(gradient, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_factored_is_the_same_gradient(name, monkeypatch):
    layout = Layout(3, 5, 1)
    X, params, residual = make_block(layout)
    assert Network.named(layout, name, "logistic")._factors(X)
    gradient, _ = gradient_of(X, params, residual, name, layout)
    monkeypatch.setattr(Network, "_factors", lambda self, X: False)
    expected, _ = gradient_of(X, params, residual, name, layout)
    assert_allclose(gradient, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array])
def test_sparse_is_as_dense(container, monkeypatch):
    X, params, residual = make_block()
    X[np.abs(X) < 0.5] = 0
    expected, _ = gradient_of(X, params, residual, "tanh")
    monkeypatch.setattr(container, "toarray", None)  # would raise if it were made dense
    monkeypatch.setattr(container, "todense", None)
    gradient, _ = gradient_of(container(X), params, residual, "tanh")
    assert_allclose(gradient, expected, rtol=1e-12, atol=1e-13)
