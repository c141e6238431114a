"""Weights of rows and classes: repetition, removal, equivalence, and what is refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from problems import assert_same_fit, data, fit, make
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.utils.class_weight import compute_sample_weight

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_weight_is_repetition_and_zero_is_removal(
    solver, n_classes, container, early_stopping, class_weight
):
    X, y = data(n_classes, n_samples=60)
    counts = np.random.RandomState(0).randint(0, 4, size=60)
    model = make(solver, early_stopping=early_stopping, class_weight=class_weight)
    weighted = fit(clone(model), container(X), y, sample_weight=counts)
    repeated = fit(clone(model), container(X.repeat(counts, axis=0)), y.repeat(counts))
    assert_allclose(
        weighted.decision_function(X), repeated.decision_function(X), rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1, 1: 2, 2: 5}], ids=str)
def test_class_weight_is_the_equivalent_sample_weight(solver, class_weight):
    X, y = data()
    y[:100] = 0
    by_class = fit(make(solver, class_weight=class_weight), X, y)
    by_sample = fit(make(solver), X, y, sample_weight=compute_sample_weight(class_weight, y))
    assert_same_fit(by_class, by_sample)


def test_balanced_classes_raise_the_recall_of_the_rare_class():
    X, y = data(2, n_samples=500, weights=[0.95], flip_y=0.1, class_sep=0.8)
    plain = TwoLayerMLPClassifier(3, random_state=0).fit(X, y)
    balanced = TwoLayerMLPClassifier(3, class_weight="balanced", random_state=0).fit(X, y)
    rare = y == 1
    assert balanced.predict(X[rare]).mean() > plain.predict(X[rare]).mean() + 0.1


def test_a_batch_without_weight(solver):
    X, y = data()
    weights = np.zeros(len(y))
    weights[::5] = 1.0
    model = fit(make(solver, batch_size=5), X, y, sample_weight=weights)
    assert_same_fit(model, fit(make(solver, batch_size=5), X[::5], y[::5], np.ones(30)))


def test_a_class_without_weight_gets_next_to_no_probability(solver):
    X, y = data()
    model = fit(make(solver), X, y, sample_weight=(y != 2).astype(float))
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.predict_proba(X)[:, 2].max() < 0.02
    model = fit(make(solver, class_weight={1: 0.0}), X, y)
    assert model.predict_proba(X)[:, 1].max() < 0.02


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w: np.where(np.arange(len(w)) == 7, -2.0, w), "(?i)negative values.*sample_weight"),
        (lambda w: 0 * w, "sample_weight is (zero|not valid)"),
        (lambda w: np.nan * w, "sample_weight contains NaN"),
        (lambda w: np.inf * w, "sample_weight contains infinity"),
        (lambda w: w[:3], r"sample_weight.shape == \(3,\)"),
    ],
    ids=["negative", "zero", "NaN", "inf", "too few"],
)
def test_weights_that_cannot_be_used_are_named(solver, spoil, message):
    X, y = data()
    with pytest.raises(ValueError, match=message):
        make(solver).fit(X, y, spoil(np.ones(len(y))))


def test_a_class_weight_that_cannot_be_used_is_named(solver):
    with pytest.raises(ValueError, match=r"class_weight must be.*got \{1: -1.0\}"):
        make(solver, class_weight={1: -1.0}).fit(*data())


@pytest.mark.parametrize("factor", [1e-8, 1e8])
def test_the_unit_of_weights_far_apart_does_not_matter_to_the_choice_of_alpha(factor):
    X, y = load_wine(return_X_y=True)
    weights = np.ones(len(y))
    weights[14] = 1e5  # in single precision, the folds have units of their own
    one, other = (
        TwoLayerMLPClassifier(8, random_state=2).fit(X, y, w) for w in (weights, factor * weights)
    )
    assert_allclose(other.alpha_, factor * one.alpha_, rtol=1e-9)
    assert_allclose(other.predict_proba(X), one.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_search_counts_repetitions_as_weights(seed):
    X, y = load_wine(return_X_y=True)
    counts = np.random.RandomState(seed).randint(1, 4, len(y))
    search = TwoLayerMLPClassifierCV(8, random_state=0)
    weighted = search.fit(X, y, counts).alpha_
    repeated = np.repeat(np.arange(len(y)), counts)
    assert clone(search).fit(X[repeated], y[repeated]).alpha_ == weighted
