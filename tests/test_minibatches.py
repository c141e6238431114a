"""Batch gradients are unbiased estimates of the gradient of the objective."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sk_mlp._data.moments import feature_moments
from sk_mlp._network.activations import ACTIVATIONS
from sk_mlp._network.minibatches import Minibatches, compact
from sk_mlp._network.objective import RowSum, TwoLayerLoss
from sk_mlp._network.outputs import OUTPUTS
from sk_mlp._network.parameters import IDENTITY, Layout

N_ROWS, N_FEATURES, ALPHA = 60, 8, 3.0


def make_problem(
    container, target, *, weighted, standardize, batch_size, dtype=np.float64, **threads
):
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
    moments = feature_moments(np, X, weights)
    standardization = moments.standardization(N_FEATURES) if standardize else IDENTITY
    rows = RowSum(
        X,
        y,
        weights,
        layout=layout,
        activation=ACTIVATIONS["tanh"],
        output=OUTPUTS[output],
    )
    loss = TwoLayerLoss([rows], layout, ALPHA, standardization)
    rng_of_batches = np.random.RandomState(1)
    batches = Minibatches(
        rows, ALPHA, standardization, batch_size, rng_of_batches, dtype, **threads
    )
    params = rng.normal(scale=0.5, size=layout.size)
    if sparse.issparse(X):  # the penalty on a feature that no row has is never met
        layout.views(params)[0][1] = 0.0
    return loss, batches, params


def batch_gradients(batches, params):
    """Gradient of every batch of a pass, at fixed parameters, as full vectors."""
    gradients = []
    for selection, values, gradient in batches.epoch(params):
        if selection is None:
            assert values is params
            gradients.append(gradient.copy())
        else:
            assert_array_equal(values, selection.take(params))
            full = np.zeros_like(params)
            selection.put(full, gradient)
            gradients.append(full)
    return gradients


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
    gradients = batch_gradients(batches, params)
    sizes = batch_sizes(batch_size)
    assert len(gradients) == batches.n_steps == len(sizes)
    mean = np.average(gradients, axis=0, weights=sizes)
    value, expected = loss.loss_gradient(params)
    assert_allclose(mean, expected, rtol=1e-9, atol=1e-12)
    # at fixed parameters the predictions on the way are those of the objective
    assert_allclose(batches.loss(params), value, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 2, 20])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("target", ["binary", "softmax"])
def test_the_parts_of_a_batch_add_up(target, weighted, batch_size):
    _, batches, params = make_problem(
        np.asarray, target, weighted=weighted, standardize=True, batch_size=batch_size
    )
    expected = batch_gradients(batches, params)
    value = batches.loss(params)
    with ThreadPoolExecutor(2) as pool:
        _, parts, _ = make_problem(
            np.asarray,
            target,
            weighted=weighted,
            standardize=True,
            batch_size=batch_size,
            n_threads=3,
            map=pool.map,
        )
        assert_allclose(batch_gradients(parts, params), expected, rtol=1e-10, atol=1e-13)
    assert_allclose(parts.loss(params), value, rtol=1e-13)


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
def test_single_precision_steps(container):
    loss, batches, params = make_problem(
        container,
        "softmax",
        weighted=True,
        standardize=True,
        batch_size=20,
        dtype=np.float32,
    )
    gradients = batch_gradients(batches, params.astype(np.float32))
    assert {g.dtype for g in gradients} == {np.dtype(np.float32)}
    mean = np.mean(gradients, axis=0)
    assert_allclose(mean, loss.loss_gradient(params)[1], rtol=1e-4, atol=1e-5)


def test_a_sparse_step_moves_the_features_of_its_batch_only():
    _, batches, params = make_problem(
        sparse.csr_matrix, "binary", weighted=False, standardize=True, batch_size=2
    )
    X = batches.data.X
    order = np.random.RandomState(1).permutation(N_ROWS)
    for i, gradient in enumerate(batch_gradients(batches, params)):
        moved = np.flatnonzero(batches.layout.views(gradient)[0].any(axis=1))
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
    X = batches.data.X
    values = X.data if sparse.issparse(X) else X
    before = np.array(values)
    if not sparse.issparse(X):
        X.flags.writeable = False
    batch_gradients(batches, params)
    assert_array_equal(values, before)
