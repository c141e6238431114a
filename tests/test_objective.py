"""The objective: known values, derivatives, and that it is a sum over blocks of rows."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit, log_softmax
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from sk_mlp._backend.threads import SERIAL, Threads
from sk_mlp._data.moments import feature_moments
from sk_mlp._network import objective as objective_module
from sk_mlp._network.activations import ACTIVATIONS
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective, Rows
from sk_mlp._network.parameters import IDENTITY, Layout

N_ROWS, N_FEATURES, HIDDEN_UNITS = 40, 6, 5
TARGETS = {"binary": ("logistic", 1), "multilabel": ("logistic", 3), "softmax": ("softmax", 3)}


def make_data(target="softmax", n_rows=N_ROWS):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n_rows, N_FEATURES)) + 0.3
    X[rng.uniform(size=X.shape) < 0.5] = 0.0
    output, n_outputs = TARGETS[target]
    if output == "softmax":
        y = rng.randint(n_outputs, size=n_rows)
    else:
        y = rng.uniform(size=(n_rows, n_outputs)) < 0.4
    weights = rng.uniform(0.1, 3.0, size=n_rows)
    return X, y, weights


def make_loss(
    X,
    y,
    weights=None,
    *,
    target="softmax",
    name="tanh",
    alpha=0.7,
    standardize=True,
    threads=SERIAL,
    text=False,
):
    output, n_outputs = TARGETS[target]
    layout = Layout(X.shape[1], HIDDEN_UNITS, n_outputs)
    standardization = IDENTITY
    if standardize:
        standardization = feature_moments(X, weights).standardization()
    network = Network.named(layout, name, output)
    return Objective(network, Rows(X, y, weights, text=text), standardization, alpha, threads)


def point_of(loss, seed=1):
    return np.random.RandomState(seed).normal(scale=0.5, size=loss.network.layout.size)


def five_points(function, x, direction, eps=1e-3):
    a, b, c, d = (function(x + m * eps * direction) for m in (-2, -1, 1, 2))
    return (a - 8 * b + 8 * c - d) / (12 * eps)


def away_from_kinks(loss, params, margin=0.02):
    """Shift the hyperplanes until no row of the data lies close to one."""
    user = loss.standardization.to_user_units(loss.network.layout, params)
    W1, b1, _, _ = loss.network.layout.views(user)
    X = loss.rows.X
    Z = np.asarray(X @ W1)
    for unit in range(loss.network.layout.hidden_units):
        gaps = np.sort(-Z[:, unit])
        widest = np.argmax(np.diff(gaps))
        middle = gaps[widest : widest + 2].mean()
        assert np.abs(Z[:, unit] + middle).min() > margin
        b1[unit] = middle
    return loss.standardization.to_standardized_units(loss.network.layout, user)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradient_by_five_points(name, target, standardize, container):
    X, y, weights = make_data(target)
    loss = make_loss(container(X), y, weights, target=target, name=name, standardize=standardize)
    params = point_of(loss)
    if name in ("relu", "leaky_relu"):
        params = away_from_kinks(loss, params)
    value, gradient = loss.loss_gradient(params)
    assert_allclose(value, loss.loss(params), rtol=1e-14)
    numerical = [five_points(loss.loss, params, e) for e in np.eye(params.size)]
    assert_allclose(gradient, numerical, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("target", TARGETS)
def test_value_by_hand(target, weighted):
    X, y, weights = make_data(target)
    s = weights if weighted else np.ones(N_ROWS)
    loss = make_loss(X, y, weights if weighted else None, target=target, alpha=2.5)
    params = point_of(loss)
    V1, c1, W2, b2 = loss.network.layout.views(params)
    scaled = StandardScaler().fit_transform(X, sample_weight=s)
    S = np.tanh(scaled @ V1 + c1) @ W2 + b2
    if target == "softmax":
        cross_entropy = -log_softmax(S, axis=1)[np.arange(N_ROWS), y]
    else:
        cross_entropy = -np.where(y, np.log(expit(S)), np.log(expit(-S))).sum(axis=1)
    penalty = 2.5 / 2 * ((V1**2).sum() + (W2**2).sum())
    assert_allclose(loss.loss(params), (s @ cross_entropy + penalty) / s.sum(), rtol=1e-12)


@pytest.mark.parametrize("target", TARGETS)
def test_gradient_is_the_mean_of_the_gradients_of_single_rows(target):
    X, y, weights = make_data(target)
    whole = make_loss(X, y, weights, target=target, alpha=0.0, standardize=False)
    params = point_of(whole)
    expected = np.zeros_like(params)
    for i in range(N_ROWS):
        one = make_loss(X[i : i + 1], y[i : i + 1], target=target, alpha=0.0, standardize=False)
        expected += weights[i] * one.loss_gradient(params)[1]
    expected /= weights.sum()
    assert_allclose(whole.loss_gradient(params)[1], expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["identity", "logistic", "tanh", "relu"])
def test_equals_mlp_classifier_at_equal_parameters(name, target, weighted):
    X, y, weights = make_data(target)
    weights = weights if weighted else None
    s = np.ones(N_ROWS) if weights is None else weights
    loss = make_loss(X, y, weights, target=target, name=name, standardize=False)
    params = point_of(loss)
    W1, b1, W2, b2 = loss.network.layout.views(params)
    other = MLPClassifier((HIDDEN_UNITS,), activation=name, alpha=0.7, max_iter=1)
    other.n_outputs_, other.n_layers_ = loss.network.layout.n_outputs, 3
    other.out_activation_ = TARGETS[target][0]
    other.loss = "binary_log_loss" if other.out_activation_ == "logistic" else "log_loss"
    other.coefs_, other.intercepts_ = [W1, W2], [b1, b2]
    Y = y.astype(float) if y.ndim == 2 else np.eye(3)[y]
    deltas = [np.empty((N_ROWS, HIDDEN_UNITS)), np.empty_like(Y)]
    activations = [X, None, None]
    value, coef_grads, intercept_grads = other._backprop(
        X,
        Y,
        s,
        activations,
        deltas,
        [np.empty_like(W1), np.empty_like(W2)],
        [np.empty_like(b1), np.empty_like(b2)],
    )
    ours, gradient = loss.loss_gradient(params)
    assert_allclose(ours, value, rtol=1e-12)
    gW1, gb1, gW2, gb2 = loss.network.layout.views(gradient)
    for mine, theirs in zip((gW1, gW2, gb1, gb2), (*coef_grads, *intercept_grads), strict=True):
        assert_allclose(mine, theirs, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("n_parts", [2, 3, 7])
def test_parts_and_threads_give_the_same(n_parts):
    X, y, weights = make_data(n_rows=2000)
    whole = make_loss(X, y, weights)
    params = point_of(whole)
    value, gradient = whole.loss_gradient(params)
    with ThreadPoolExecutor(n_parts) as pool:
        serial = whole.over(Threads(n_parts, map))
        threaded = whole.over(Threads(n_parts, pool.map))
        assert_allclose(serial.loss(params), value, rtol=1e-13)
        assert_allclose(serial.loss_gradient(params)[1], gradient, rtol=1e-10, atol=1e-15)
        # the order of the sum is fixed, so threads change nothing at all
        assert threaded.loss(params) == serial.loss(params)
        assert_array_equal(threaded.loss_gradient(params)[1], serial.loss_gradient(params)[1])


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_blocks_change_nothing_but_rounding(container, monkeypatch):
    X, y, weights = make_data(n_rows=1500)
    loss = make_loss(container(X), y, weights, standardize=False)
    params = point_of(loss)
    monkeypatch.setattr(objective_module, "gradient_rows", lambda X, widest: 1500)
    value, gradient = loss.loss_gradient(params)
    for step in (1, 7, 256):
        monkeypatch.setattr(objective_module, "gradient_rows", lambda X, widest, step=step: step)
        loss = loss.over(SERIAL)
        assert len(list(loss._parts[0]._blocks())) == -(-1500 // step)
        blocked, blocked_gradient = loss.loss_gradient(params)
        assert_allclose(blocked, value, rtol=1e-13)
        assert_allclose(blocked_gradient, gradient, rtol=1e-10, atol=1e-15)


def test_sparse_is_as_dense_without_standardisation_and_never_densified(monkeypatch):
    X, y, weights = make_data()
    dense = make_loss(X, y, weights, standardize=False)
    params = point_of(dense)
    monkeypatch.setattr(sparse.csr_matrix, "toarray", None)
    monkeypatch.setattr(sparse.csr_matrix, "todense", None)
    text = make_loss(sparse.csr_matrix(X), y, weights, standardize=False, text=True)
    value, gradient = text.loss_gradient(params)
    expected, expected_gradient = dense.loss_gradient(params)
    assert_allclose(value, expected, rtol=1e-13)
    assert_allclose(gradient, expected_gradient, rtol=1e-11, atol=1e-15)


def test_weight_is_repetition_and_zero_is_removal():
    X, y, _ = make_data()
    counts = np.random.RandomState(2).randint(0, 4, size=N_ROWS)
    weighted = make_loss(X, y, counts.astype(float))
    repeated = make_loss(X.repeat(counts, axis=0), y.repeat(counts))
    params = point_of(weighted)
    assert_allclose(weighted.loss(params), repeated.loss(params), rtol=1e-12)
    assert_allclose(
        weighted.loss_gradient(params)[1], repeated.loss_gradient(params)[1], atol=1e-13
    )


def test_intercepts_are_not_penalised():
    X, y, _ = make_data()
    params = point_of(make_loss(X, y))
    free, penalised = make_loss(X, y, alpha=0.0), make_loss(X, y, alpha=10.0)
    difference = penalised.loss_gradient(params)[1] - free.loss_gradient(params)[1]
    expected = np.zeros_like(params)
    expected[free.network.layout.weights] = 10.0 / N_ROWS * params[free.network.layout.weights]
    assert_allclose(difference, expected, atol=1e-14)


def test_unit_deviation_is_the_weighted_standard_deviation_of_the_hidden_layer():
    X, y, weights = make_data()
    loss = make_loss(X, y, weights, standardize=False)
    params = point_of(loss)
    W1, b1, _, _ = loss.network.layout.views(params)
    H = np.tanh(X @ W1 + b1)
    mean = np.average(H, axis=0, weights=weights)
    expected = np.sqrt(np.average((H - mean) ** 2, axis=0, weights=weights))
    assert_allclose(loss.rows.unit_deviations(loss.network, params), expected, rtol=1e-12)


def test_a_constant_unit_has_no_deviation():
    X, y, _ = make_data()
    loss = make_loss(X, y, name="identity", standardize=False)
    params = np.zeros(loss.network.layout.size)
    W1, b1, _, _ = loss.network.layout.views(params)
    b1[...] = 0.3
    W1[0, 0], W1[0, 1] = 1e-9, 1e-3  # unit 0 is constant but for rounding, unit 1 is not
    deviations = loss.rows.unit_deviations(loss.network, params)
    assert_allclose(deviations[1], 1e-3 * X[:, 0].std(), rtol=1e-6)
    assert_array_equal(np.delete(deviations, 1), 0.0)


def test_float32_rows_give_a_float64_gradient_near_the_exact_one():
    X, y, _ = make_data()
    exact = make_loss(X, y, standardize=False)
    single = make_loss(X.astype(np.float32), y, standardize=False)
    params = point_of(exact)
    gradient = single.loss_gradient(params)[1]
    assert gradient.dtype == np.float64
    assert_allclose(gradient, exact.loss_gradient(params)[1], rtol=1e-3, atol=1e-6)


def test_params_and_data_are_not_modified():
    X, y, weights = make_data()
    for array in (X, y, weights):
        array.flags.writeable = False
    loss = make_loss(X, y, weights)
    params = point_of(loss)
    params.flags.writeable = False
    before = params.copy()
    loss.loss(params)
    loss.loss_gradient(params)
    assert_array_equal(params, before)
