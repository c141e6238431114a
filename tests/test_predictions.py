"""Predictions: how they agree with each other, with the network and with the labels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import ACTIVATIONS, data, fit, make
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_transform_and_decision_function_are_the_network(activation):
    X, y = data(3, 200)
    model = TwoLayerMLPClassifier(4, activation=activation, random_state=0).fit(X, y)
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    H = ACTIVATIONS[activation](X @ W1 + b1)
    assert_allclose(model.transform(X), H, rtol=1e-12, atol=1e-13)
    assert_allclose(model.decision_function(X), H @ W2 + b2, rtol=1e-11, atol=1e-12)
    assert_allclose(model.fit_transform(X, y), model.transform(X))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_predictions_agree_with_each_other(n_classes):
    X, y = data(n_classes, 200)
    model = TwoLayerMLPClassifier(5, random_state=0).fit(X, y)
    P, raw = model.predict_proba(X), model.decision_function(X)
    assert_allclose(P.sum(axis=1), 1.0, rtol=1e-14)
    assert_allclose(np.log(P), model.predict_log_proba(X), rtol=1e-12)
    assert_array_equal(model.predict(X), model.classes_[P.argmax(axis=1)])
    if n_classes == 2:
        assert raw.shape == (200,)
        assert_allclose(raw, np.log(P[:, 1] / P[:, 0]), rtol=1e-9)
        assert_array_equal(model.predict(X), raw > 0)
    else:
        assert_array_equal(model.predict(X), raw.argmax(axis=1))


def test_a_row_is_predicted_alone_as_among_others(solver):
    X, y = data(n_samples=600)
    model = fit(make(solver), X, y)
    alone = np.concatenate([model.predict_proba(x[None]) for x in X[:20]])
    assert_allclose(alone, model.predict_proba(X)[:20], rtol=1e-12)


# ----------------------------------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "labels",
    [["ham", "spam"], [False, True], [-1, 1], [0.0, 1.0], ["a", "b", "c"], [10, 20, 30]],
    ids=str,
)
@pytest.mark.parametrize("early_stopping", [True, False])
def test_labels_of_any_type_come_back(labels, early_stopping):
    X, codes = data(len(labels), 200, class_sep=2.0)
    y = np.array(labels)[codes]
    model = TwoLayerMLPClassifier(5, early_stopping=early_stopping, alpha=1.0, random_state=0)
    of_codes = clone(model).fit(X, codes).predict(X)
    predicted = model.fit(X, y).predict(X)
    assert_array_equal(model.classes_, labels)
    assert predicted.dtype == y.dtype
    assert_array_equal(predicted, np.array(labels)[of_codes])
    assert np.mean(predicted == y) > 0.8


def test_two_rows(solver):
    model = fit(make(solver, alpha=0.01, max_iter=200), [[0.0], [1.0]], ["a", "b"])
    assert_array_equal(model.classes_, ["a", "b"])
    assert_array_equal(model.predict([[1.0], [0.0], [2.0]]), ["b", "a", "b"])


def test_multilabel(solver):
    X = np.random.RandomState(0).normal(size=(300, 4))
    Y = np.stack([X[:, 0] > 0, X[:, 1] > 0.5, X[:, 0] * X[:, 1] > 0], axis=1).astype(int)
    model = TwoLayerMLPClassifier(20, solver=solver, alpha=0.1, random_state=0).fit(X, Y)
    predicted, probability = model.predict(X), model.predict_proba(X)
    assert (predicted == Y).mean() > 0.95
    assert probability.shape == Y.shape
    assert_array_equal(predicted, probability > 0.5)
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.out_activation_ == "logistic"
    from_sparse = clone(model).fit(X, sparse.csr_matrix(Y))
    assert_array_equal(from_sparse.predict(X), predicted)


def test_a_label_that_is_always_or_never_there():
    X = np.random.RandomState(0).normal(size=(50, 3))
    Y = np.stack([X[:, 0] > 0, np.zeros(50), np.ones(50)], axis=1).astype(int)
    model = TwoLayerMLPClassifier(3, random_state=0).fit(X, Y)
    assert_array_equal(model.predict(X)[:, 1:], Y[:, 1:])


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_two_labels_are_not_two_classes(solver):
    X, y = load_iris(return_X_y=True)
    Y = np.column_stack([y == 0, y >= 1]).astype(int)
    Y[:20] = 1  # rows with both labels
    options = {"solver": solver, "alpha": 0.1, "n_init": 1, "tol": 1e-5, "random_state": 0}
    model = TwoLayerMLPClassifier(8, **options).fit(X, Y)
    P = model.predict_proba(X)
    assert P.shape == (len(X), 2)
    assert model.predict(X).shape == Y.shape
    assert_array_equal(model.predict(X), P > 0.5)
    assert not np.allclose(P.sum(axis=1), 1.0)
    assert model.score(X, Y) == np.mean((model.predict(X) == Y).all(axis=1)) > 0.85
    assert_allclose(P.mean(axis=0), Y.mean(axis=0), atol=0.02)
    assert make("adam").partial_fit(X, Y).predict_proba(X).shape == (len(X), 2)
    search = TwoLayerMLPClassifierCV(4, alphas=[1.0], cv=2, random_state=0).fit(X, Y)
    assert search.predict_proba(X).shape == (len(X), 2)
