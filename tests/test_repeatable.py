"""The same data and the same seed give the same network."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import assert_same_fit, data, fit, make
from sklearn.base import clone

from sk_mlp import TwoLayerMLPClassifier


@pytest.mark.parametrize(
    "options", [{}, {"batch_size": 20}, {"early_stopping": True}, {"n_init": 3}], ids=str
)
def test_same_seed_same_bits(solver, options):
    pd = pytest.importorskip("pandas")
    X, y = data()
    model = make(solver, **options)
    first = fit(clone(model), X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for same in (X.copy(), np.asfortranarray(X), X[::-1][::-1], pd.DataFrame(X), X.tolist()):
            assert_same_fit(fit(clone(model), same, y), first)
            assert_array_equal(first.predict_proba(same), first.predict_proba(X))
    other = fit(clone(model).set_params(random_state=1), X, y)
    assert not np.array_equal(other.coefs_[0], first.coefs_[0])


def test_rows_in_another_order_give_the_same_fit(solver):
    X, y = data()
    order = np.random.RandomState(0).permutation(len(y))
    model = make(solver, early_stopping=True)
    a, b = fit(clone(model), X, y), fit(clone(model), X[order], y[order])
    assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-7)


def test_random_state_instance_moves_on():
    X, y = data(2)
    rng = np.random.RandomState(0)
    first, second = (TwoLayerMLPClassifier(3, random_state=rng).fit(X, y) for _ in range(2))
    assert not np.array_equal(first.coefs_[0], second.coefs_[0])


# the filters of warnings are those of the process: no thread may change them
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fits_in_many_threads():
    X, y = data()
    expected = fit(make("adam", batch_size=20), X, y)
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda _: make("adam", batch_size=20).fit(X, y), range(8)))
    for model in models:
        assert_same_fit(model, expected)


def test_predictions_in_many_threads():
    X, y = data(n_samples=2000)
    model = fit(make(hidden_units=50), X, y)
    expected = model.predict_proba(X)
    barrier = threading.Barrier(4)

    def predict(_):
        barrier.wait()
        return [model.predict_proba(X) for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        for results in pool.map(predict, range(4)):
            for result in results:
                assert_array_equal(result, expected)
