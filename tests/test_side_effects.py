"""What a call leaves as it was: its input, its options, the estimator, the global seed."""

import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from problems import METHODS, assert_same_fit, data, fit, make
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._network.network import Network

# ------------------------------------------------------------------------------------ predictions


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("activation", ["identity", "relu", "tanh"])
def test_predictions_write_nothing(activation, container):
    X, y = data()
    model = fit(make(activation=activation), container(X), y)
    Z = container(X)
    before, state = Z.copy(), pickle.dumps(vars(model))
    for method in METHODS:
        getattr(model, method)(Z)
    assert pickle.dumps(vars(model)) == state
    assert abs(Z - before).max() == 0


# ------------------------------------------------------------------------------------------- fits


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_fit_does_not_modify_its_input(solver, container):
    X, y = data()
    X = container(X)
    weights = np.arange(len(y)) % 3
    copies = X.copy(), y.copy(), weights.copy()
    model = fit(make(solver, class_weight="balanced"), X, y, weights)
    if solver != "lbfgs":
        model.partial_fit(X, y, sample_weight=weights)
    assert abs(X - copies[0]).max() == 0
    assert_array_equal(y, copies[1])
    assert_array_equal(weights, copies[2])


def test_fit_and_predict_take_read_only_and_memory_mapped_data(tmp_path, solver):
    X, y = data()
    weights = np.ones(len(y))
    joblib.dump((X, y, weights), tmp_path / "data")
    mapped = joblib.load(tmp_path / "data", mmap_mode="r")
    for array in (X, y, weights):
        array.flags.writeable = False
    model = fit(make(solver), X, y, weights)
    assert_same_fit(model, fit(make(solver), *mapped))
    for method in METHODS:
        assert_array_equal(getattr(model, method)(mapped[0]), getattr(model, method)(X))


def test_fit_does_not_change_the_parameters_or_the_global_seed():
    X, y = data(2)
    model = TwoLayerMLPClassifier(3, random_state=0)
    before = model.get_params()
    np.random.seed(3)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    model.fit(X, y)
    assert model.get_params() == before
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


# -------------------------------------------------------------- fits that fail or are interrupted


def test_a_failed_fit_leaves_the_last_one(solver):
    X, y = data()
    model = fit(make(solver), X, y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="two classes"):
        model.fit(X[:, :3], np.zeros(len(y)))
    assert model.n_features_in_ == 6
    assert_array_equal(model.predict_proba(X), before)


@pytest.mark.parametrize("batch_size", [20, 1000])
def test_interrupt_propagates_and_leaves_the_estimator(solver, batch_size, monkeypatch):
    X, y = data()
    model = make(solver, batch_size=batch_size)
    fitted = fit(clone(model), X, y)
    before = vars(fitted).copy()
    calls = []

    forward = Network.forward

    def interrupt(*args):
        calls.append(1)
        if len(calls) >= 4:
            raise KeyboardInterrupt
        return forward(*args)

    monkeypatch.setattr(Network, "forward", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(X + 1, y)
    assert vars(fitted) == before
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)
    if solver != "lbfgs":
        calls.extend([1] * 3)
        with pytest.raises(KeyboardInterrupt):
            fitted.partial_fit(X, y)
        assert vars(fitted) == before
