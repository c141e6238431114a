"""The same network from the same table, whatever its container."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import METHODS, assert_same_fit, data, fit, make
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.preprocessing import StandardScaler

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV
from sk_mlp._data import data as data_module
from sk_mlp._data.moments import is_text_like

SPARSE = [
    getattr(sparse, f"{name}_{kind}")
    for name in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
    for kind in ("matrix", "array")
]

# --------------------------------------------------------------------------- sparse and dense


@pytest.fixture
def table():
    rng = np.random.RandomState(0)
    X = np.round(5 * rng.normal(size=(700, 30))) * (rng.uniform(size=(700, 30)) < 0.3)
    X[:, 3] = 1e5 + rng.normal(size=700)
    return X, (X[:, 0] + X[:, 1] > 0).astype(int)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("dense_bytes", [0, 2**26])  # made dense block by block, or at once
@pytest.mark.parametrize("weighted", [False, True])
def test_a_sparse_table_gives_the_network_of_the_dense_one(
    table, solver, dense_bytes, weighted, monkeypatch
):
    X, y = table
    monkeypatch.setattr(data_module, "DENSE_BYTES", dense_bytes)
    weights = np.random.RandomState(1).uniform(0, 2, len(y)) if weighted else None
    network = TwoLayerMLPClassifier(
        8, solver=solver, alpha=1.0, max_iter=20, tol=1e-2, random_state=0
    )
    dense, stored = clone(network), clone(network)
    assert_same_fit(dense.fit(X, y, weights), stored.fit(sparse.csr_matrix(X), y, weights))


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
@pytest.mark.parametrize("standardize", [True, False])
def test_single_precision_gives_the_choice_of_double(load, standardize):
    X, y = load(return_X_y=True)
    single = X.astype(np.float32)
    assert (single != X).any()
    X = X if standardize else StandardScaler().fit_transform(single).astype(np.float64)
    model = TwoLayerMLPClassifier(standardize=standardize, random_state=0)
    double, single = clone(model).fit(X, y), clone(model).fit(X.astype(np.float32), y)
    assert single.alpha_ == double.alpha_
    assert_array_equal(single.alpha_scores_, double.alpha_scores_)
    assert single.coefs_[0].dtype == np.float32
    P, Q = double.predict_proba(X), single.predict_proba(X.astype(np.float32))
    assert_allclose(P, Q, atol=0.05)  # the solver magnifies what rounding leaves
    search = TwoLayerMLPClassifierCV(10, alphas=4, standardize=standardize, random_state=0)
    double, single = clone(search).fit(X, y), clone(search).fit(X.astype(np.float32), y)
    assert single.alpha_ == double.alpha_
    assert_array_equal(single.scores_, double.scores_)


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
def test_single_precision_takes_nothing_from_a_column_with_an_offset(stored):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(300, 4))
    y = (X[:, 3] > 0).astype(int)
    X[:, 3] += 1e8  # single precision has steps of 8 there
    model = TwoLayerMLPClassifier(random_state=0).fit(stored(X), y)
    assert model.alpha_scores_.mean(axis=0).max() > -0.05  # without the column -0.69


def test_sparse_and_dense_agree_without_standardisation(solver):
    X, y = data(3, 200)
    X[np.abs(X) < 0.5] = 0.0
    model = make(solver, standardize=False, learning_rate_init=0.01)
    dense = fit(clone(model), X, y)
    for container in (sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array):
        other = fit(clone(model), container(X), y)
        assert_allclose(other.predict_proba(X), dense.predict_proba(X), atol=1e-8)


def test_the_format_of_sparse_data_does_not_matter(solver):
    X, y = data()
    X[np.abs(X) < 0.5] = 0.0
    model = make(solver, batch_size=20)
    rows, columns = sparse.csr_matrix(X), sparse.csc_matrix(X)
    assert_same_fit(fit(clone(model), rows, y), fit(clone(model), columns, y))


@pytest.mark.parametrize("index_type", [np.int32, np.int64])
def test_sparse_indices_of_any_width(solver, index_type):
    X, y = data()
    X[np.abs(X) < 0.5] = 0.0
    matrix = sparse.csr_matrix(X)
    expected = fit(make(solver, batch_size=20), matrix, y)
    other = matrix.copy()
    other.indices, other.indptr = other.indices.astype(index_type), other.indptr.astype(index_type)
    model = fit(make(solver, batch_size=20), other, y)
    assert_same_fit(model, expected)
    assert_array_equal(model.predict_proba(other), expected.predict_proba(matrix))


@pytest.mark.parametrize("standardize", [True, False])
def test_sparse_entries_in_several_parts_count_as_one_number(solver, standardize):
    rng = np.random.RandomState(0)
    whole = sparse.random(60, 8, 0.4, format="csr", random_state=rng)
    y = rng.randint(2, size=60)
    halves, indices = np.repeat(whole.data / 2, 2), np.repeat(whole.indices, 2)
    parts = sparse.csr_matrix((halves, indices, 2 * whole.indptr), shape=whole.shape)
    model = make(solver, hidden_units=4, max_iter=5, standardize=standardize, batch_size=20)
    a, b = fit(clone(model), whole, y), fit(clone(model), parts, y)
    assert_array_equal(a.predict_proba(whole), b.predict_proba(whole))
    assert parts.nnz == 2 * whole.nnz  # the input is left as it is


@pytest.mark.filterwarnings("ignore:Constructing a DIA:scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("container", SPARSE, ids=lambda c: c.__name__)
def test_sparse_containers(container):
    X, y = load_iris(return_X_y=True)
    X = np.where(X > 1.5, X, 0.0)
    model = fit(make(), sparse.csr_array(X), y)
    for method in METHODS:
        result = getattr(model, method)(container(X))
        assert isinstance(result, np.ndarray)
        # what was learned from sparse data predicts on dense data
        assert_allclose(getattr(model, method)(X), result, rtol=1e-12, atol=1e-14)
    if not container.__name__.startswith("bsr"):  # which stores zeros
        other = fit(make(), container(X), y)
        assert_same_fit(other, model)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_stream_may_change_between_sparse_and_dense(solver):
    X, y = load_iris(return_X_y=True)  # has no zero, so that a sparse step moves all weights
    order = np.random.RandomState(0).permutation(150)
    models = []
    for dense_batches in ((), (1, 3), (0,)):
        model = TwoLayerMLPClassifier(4, solver=solver, random_state=0)
        for i, batch in enumerate(np.split(order, 5)):
            rows = X[batch] if i in dense_batches else sparse.csr_array(X[batch])
            model.partial_fit(rows, y[batch], classes=[0, 1, 2])
        models.append(model)
    sparse_only, mixed, dense_first = models
    assert_allclose(mixed.predict_proba(X), sparse_only.predict_proba(X), atol=1e-5)
    assert_allclose(dense_first.predict_proba(X), sparse_only.predict_proba(X), atol=1e-5)
    assert_allclose(
        mixed._stream["moments"]["variance"],
        sparse_only._stream["moments"]["variance"],
        rtol=1e-13,
    )


# -------------------------------------------------------------------------- text-like data


@pytest.mark.parametrize(
    ("shape", "density", "expected"),
    [((100, 499), 0.01, False), ((100, 500), 0.04, True), ((100, 500), 0.06, False)],
)
def test_text_like_is_wide_and_mostly_zero_in_every_container(shape, density, expected):
    X = sparse.random(*shape, density=density, format="csr", random_state=0)
    assert is_text_like(X) is expected
    assert is_text_like(X.toarray()) is expected


def test_dense_text_gives_the_network_of_sparse_text():
    X = sparse.random(300, 600, density=0.02, format="csr", random_state=0)
    y = np.arange(300) % 2
    network = TwoLayerMLPClassifier(20, alpha=1.0, random_state=0)
    assert_same_fit(clone(network).fit(X, y), clone(network).fit(X.toarray(), y))


def test_a_dense_column_beside_many_sparse_ones_is_centred():
    rng = np.random.RandomState(0)
    X = np.zeros((2000, 600))
    X[np.arange(2000), rng.randint(1, 600, 2000)] = 1.0
    X[:, 0] = 2000 + 5 * rng.normal(size=2000)
    y = (X[:, 0] > 2000).astype(int)
    network = TwoLayerMLPClassifier(
        20, alpha=1.0, solver="adam", max_iter=20, tol=0.1, random_state=0
    )
    assert network.fit(sparse.csr_matrix(X), y).score(X, y) > 0.95


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_words_never_seen_in_training_change_no_prediction(solver):
    X, y = data(2, 200)
    texts = sparse.csr_matrix(np.hstack([X, np.zeros((len(X), 3))]))
    model = fit(TwoLayerMLPClassifier(20, solver=solver, max_iter=5, random_state=0), texts, y)
    new_words = sparse.csr_matrix(np.hstack([X, np.ones((len(X), 3))]))
    assert_array_equal(model.predict_proba(new_words), model.predict_proba(texts))


def test_a_column_that_was_nearly_constant_does_not_ruin_a_stream():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(5000, 5))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    X[:, 4] = rng.lognormal(8, 1, 5000)
    for first in (0.0, 1e-3):
        X[:100, 4] = 0.0
        X[7, 4] = first
        network = TwoLayerMLPClassifier(16, alpha=1.0, random_state=0)
        for i in range(0, 4000, 100):
            network.partial_fit(X[i : i + 100], y[i : i + 100], classes=[0, 1])
        assert network.score(X[4000:], y[4000:]) > 0.95
