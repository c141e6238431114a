"""Batch gradients are unbiased estimates of the gradient of the objective."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sk_mlp._backend.threads import SERIAL, Threads
from sk_mlp._data.moments import feature_moments
from sk_mlp._network import minibatches as minibatches_module
from sk_mlp._network.minibatches import Minibatches, compact
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective, Rows
from sk_mlp._network.parameters import IDENTITY, Layout

N_ROWS, N_FEATURES, ALPHA = 60, 8, 3.0


@pytest.fixture(autouse=True)
def double_precision(monkeypatch):
    """Steps in float64, so that they can be compared with the exact gradient."""
    monkeypatch.setattr(minibatches_module, "STEP_DTYPE", "float64")


@pytest.fixture(params=["prepared once", "gathered batch by batch"], autouse=True)
def gathering(request, monkeypatch):
    if request.param == "gathered batch by batch":
        monkeypatch.setattr(minibatches_module, "pass_rows", lambda X, row_bytes: 1)
    return request.param


def make_problem(container, target, *, weighted, standardize, batch_size, threads=SERIAL):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES)) + 0.5
    X[rng.uniform(size=X.shape) < 0.7] = 0.0
    X[:, 1] = 0.0  # a feature that no row has
    X[0] = 0.0  # a row without features
    X = container(X)
    output = "softmax" if target == "softmax" else "logistic"
    layout = Layout(N_FEATURES, 5, 1 if target == "binary" else 3)
    y = rng.randint(3, size=N_ROWS)
    if output == "logistic":
        y = rng.uniform(size=(N_ROWS, layout.n_outputs)) < 0.4
    weights = rng.uniform(0.1, 3.0, size=N_ROWS) if weighted else None
    text = sparse.issparse(X)
    moments = feature_moments(X, weights, text=text)
    standardization = moments.standardization(text=text) if standardize else IDENTITY
    network, rows = Network.named(layout, "tanh", output), Rows(X, y, weights, text=text)
    loss = Objective(network, rows, standardization, ALPHA, threads)
    batches = Minibatches(loss, batch_size, np.random.RandomState(1))
    params = rng.normal(scale=0.5, size=layout.size)
    if sparse.issparse(X):  # the penalty on a feature that no row has is never met
        layout.views(params)[0][1] = 0.0
    return loss, batches, params


def batch_gradients(batches, params):
    """Gradient of every batch of a pass, at fixed parameters, as full vectors."""
    return pass_over(batches, params)[0]


def pass_over(batches, params):
    """Gradient of every batch of a pass, and the loss of the pass."""
    gradients = []

    def take(step):
        if step.selection is None:
            assert step.params is params
            gradients.append(step.gradient.copy())
        else:
            assert_array_equal(step.params, step.selection.take(params))
            full = np.zeros_like(params)
            step.selection.put(full, step.gradient)
            gradients.append(full)

    return gradients, batches.epoch(params, take)


def test_dense_rows_are_prepared_once_or_gathered_batch_by_batch(gathering):
    _, batches, _ = make_problem(
        np.asarray, "binary", weighted=True, standardize=True, batch_size=7
    )
    assert (batches.ready is not None) == (gathering == "prepared once")


def batch_sizes(batch_size):
    return [min(batch_size, N_ROWS - first) for first in range(0, N_ROWS, batch_size)]


@pytest.mark.parametrize("batch_size", [1, 7, 20, 59])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("target", ["binary", "multilabel", "softmax"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_mean_over_a_pass_is_the_gradient_of_the_objective(
    container, target, weighted, standardize, batch_size
):
    loss, batches, params = make_problem(
        container, target, weighted=weighted, standardize=standardize, batch_size=batch_size
    )
    gradients, loss_of_pass = pass_over(batches, params)
    sizes = batch_sizes(batch_size)
    assert len(gradients) == batches.n_steps == len(sizes)
    mean = np.average(gradients, axis=0, weights=sizes)
    value, expected = loss.loss_gradient(params)
    assert_allclose(mean, expected, rtol=1e-9, atol=1e-12)
    # at fixed parameters the predictions on the way are those of the objective
    assert_allclose(loss_of_pass, value, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 2, 20])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("target", ["binary", "softmax"])
def test_the_parts_of_a_batch_add_up(target, weighted, batch_size, monkeypatch):
    _, batches, params = make_problem(
        np.asarray, target, weighted=weighted, standardize=True, batch_size=batch_size
    )
    expected, value = pass_over(batches, params)
    monkeypatch.setattr(minibatches_module, "pays", lambda work: True)
    with ThreadPoolExecutor(2) as pool:
        _, parts, _ = make_problem(
            np.asarray,
            target,
            weighted=weighted,
            standardize=True,
            batch_size=batch_size,
            threads=Threads(3, pool.map),
        )
        gradients, loss_of_pass = pass_over(parts, params)
    assert parts.n_parts == 3
    assert_allclose(gradients, expected, rtol=1e-10, atol=1e-13)
    assert_allclose(loss_of_pass, value, rtol=1e-13)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_every_row_is_seen_once_in_a_pass_and_passes_differ(container):
    _, batches, params = make_problem(
        container, "binary", weighted=True, standardize=True, batch_size=1
    )
    first, second = (np.array(batch_gradients(batches, params)) for _ in range(2))
    assert not np.array_equal(first, second)
    order = [np.lexsort(g.round(10).T) for g in (first, second)]
    assert_allclose(first[order[0]], second[order[1]], atol=1e-10)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_the_seed_fixes_the_batches(container):
    (_, one, params), (_, two, _) = (
        make_problem(container, "softmax", weighted=True, standardize=True, batch_size=7)
        for _ in range(2)
    )
    for _ in range(2):
        assert_array_equal(batch_gradients(one, params), batch_gradients(two, params))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_single_precision_steps(container, monkeypatch):
    monkeypatch.setattr(minibatches_module, "STEP_DTYPE", "float32")
    loss, batches, params = make_problem(
        container,
        "softmax",
        weighted=True,
        standardize=True,
        batch_size=20,
    )
    gradients = batch_gradients(batches, params.astype(np.float32))
    assert {g.dtype for g in gradients} == {np.dtype(np.float32)}
    mean = np.mean(gradients, axis=0)
    assert_allclose(mean, loss.loss_gradient(params)[1], rtol=1e-4, atol=1e-5)


def test_a_sparse_step_moves_the_features_of_its_batch_only():
    _, batches, params = make_problem(
        sparse.csr_matrix, "binary", weighted=False, standardize=True, batch_size=2
    )
    X = batches.rows.X
    order = np.random.RandomState(1).permutation(N_ROWS)
    for i, gradient in enumerate(batch_gradients(batches, params)):
        moved = np.flatnonzero(batches.network.layout.views(gradient)[0].any(axis=1))
        stored = np.unique(X[order[2 * i : 2 * i + 2]].indices)
        assert_array_equal(moved, stored)


def test_sparse_data_are_never_made_dense(monkeypatch):
    _, batches, params = make_problem(
        sparse.csr_matrix, "softmax", weighted=True, standardize=True, batch_size=7
    )
    monkeypatch.setattr(sparse.csr_matrix, "toarray", None)
    monkeypatch.setattr(sparse.csr_matrix, "todense", None)
    batch_gradients(batches, params)


def test_compact_drops_the_columns_that_are_not_stored():
    X = sparse.csr_matrix([[0.0, 2.0, 0.0, 1.0], [0.0, 0.0, 0.0, 3.0]])
    columns, small = compact(X)
    assert_array_equal(columns, [1, 3])
    assert_array_equal(small.toarray(), X.toarray()[:, columns])


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_data_are_not_modified(container):
    _, batches, params = make_problem(
        container, "softmax", weighted=True, standardize=True, batch_size=7
    )
    X = batches.rows.X
    values = X.data if sparse.issparse(X) else X
    before = np.array(values)
    if not sparse.issparse(X):
        X.flags.writeable = False
    batch_gradients(batches, params)
    assert_array_equal(values, before)
