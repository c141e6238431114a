"""The choice of alpha="auto": which rows it looks at, on which grid, and what it takes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._data import holdout
from sk_mlp._data.data import Data
from sk_mlp._data.holdout import row_keys
from sk_mlp._data.targets import encode
from sk_mlp._training import alpha as alpha_module
from sk_mlp._training.alpha import AlphaChoice, choose_alpha
from sk_mlp._training.folds import Score
from sk_mlp._training.settings import Size, resolve

OPTIONS = TwoLayerMLPClassifier(4).get_params()


def rows(n_rows=120, weights=None, flip=0.05):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n_rows, 3))
    y = (X[:, 0] * X[:, 1] > 0) ^ (rng.uniform(size=n_rows) < flip)
    return Data(X, encode(y), weights)


def choose(data, seed=0):
    settings = resolve(OPTIONS, Size(data.X.shape[0], data.layout(4)))
    return choose_alpha(data, OPTIONS, settings, seed)


def repeated(data, counts):
    data = data._replace(weights=None)
    return data.take(np.repeat(np.arange(len(counts)), counts))


@pytest.fixture
def looked_at(monkeypatch):
    """Rows, keys and splits of each choice."""
    seen = []
    make_fold = alpha_module.make_fold

    def spy(data, split, *args):
        seen.append((data, split))
        return make_fold(data, split, *args)

    monkeypatch.setattr(alpha_module, "make_fold", spy)
    return seen


@pytest.mark.parametrize(("n_rows", "n_folds"), [(300, 3), (699, 3), (702, 2)])
def test_three_folds_of_few_rows_and_two_of_more(looked_at, n_rows, n_folds):
    choice = choose(rows(n_rows))
    assert len(looked_at) == len(choice.scores) == n_folds
    for data, (train, test) in looked_at:
        assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(n_rows))
        assert len(test) == n_rows // 3
        assert_allclose(data.target.encoded[test].mean(), data.target.encoded.mean(), atol=0.01)
    held_out = np.concatenate([test for _, (_, test) in looked_at])
    assert len(np.unique(held_out)) == len(held_out)


def test_a_network_that_is_always_right_is_not_sure_of_the_next_row():
    X, y = load_wine(return_X_y=True)
    network = TwoLayerMLPClassifier(20, random_state=0).fit(X, y)
    best = network.alphas_[network.alpha_scores_.mean(axis=0).argmax()]
    assert network.alpha_ > 3 * best


def test_no_more_rows_than_needed_in_proportion_to_the_classes(looked_at):
    data = rows(20_000)
    choose(data)
    some, _ = looked_at[0]
    assert some.X.shape[0] == alpha_module.SAMPLE_ROWS
    assert_allclose(some.target.encoded.mean(), data.target.encoded.mean(), atol=0.03)
    assert set(some.X[:, 0]) <= set(data.X[:, 0])


def test_a_long_table_is_thinned_out_before_it_is_read(monkeypatch, looked_at):
    monkeypatch.setattr(holdout, "LOOK_ROWS", 100)
    data = rows(450)
    choose(data)
    index = np.flatnonzero(np.isin(data.X[:, 0], looked_at[0][0].X[:, 0]))
    assert_array_equal(index // 5, np.arange(90))  # one of each five, which one by chance
    assert set(index % 5) == set(range(5))


def test_a_long_table_of_classes_in_turns_shows_them_all(monkeypatch, looked_at):
    monkeypatch.setattr(holdout, "LOOK_ROWS", 500)
    X = np.random.RandomState(0).normal(size=(1000, 3))
    choose(Data(X, encode(np.arange(1000) % 2), None))
    assert_allclose(looked_at[0][0].target.encoded.mean(), 0.5, atol=0.1)


def test_equal_rows_are_merged_and_never_in_both_parts(looked_at):
    data = repeated(rows(60), np.arange(60) % 4)
    choose(data)
    for some, (train, test) in looked_at:
        assert some.X.shape[0] == 45
        assert_array_equal(np.sort(some.weights), np.repeat([0.5, 1.0, 1.5], 15))  # over the mean
        keys = row_keys(some.X, np.random.RandomState(0))
        assert not set(keys[train]) & set(keys[test])


def test_equal_rows_of_two_classes_are_two_weighted_rows_on_one_side(looked_at):
    data = rows(60)
    X = np.concatenate([data.X, data.X])
    y = np.concatenate([np.ones(60), np.arange(60) % 2 == 0])
    choose(Data(X, encode(y), None))
    for some, (train, test) in looked_at:
        assert some.X.shape[0] == 90
        assert some.weights.sum() == 60  # of the distinct rows
        assert not {tuple(x) for x in some.X[train]} & {tuple(x) for x in some.X[test]}


def assert_same(one, two):
    assert_allclose(one.alpha, two.alpha, rtol=1e-12)
    assert_allclose(one.alphas, two.alphas, rtol=1e-12)
    assert_array_equal(one.scores, two.scores)


def test_a_weight_of_k_is_k_repetitions():
    data = rows()
    counts = np.random.RandomState(1).randint(1, 4, size=120)
    weighted = choose(data._replace(weights=counts.astype(float)))
    assert_same(weighted, choose(repeated(data, counts)))


@pytest.mark.parametrize("factor", [2.0**-20, 3.0, 7e-12, 2.0**30])
def test_the_unit_of_the_weights_scales_alpha(factor):
    weights = np.random.RandomState(1).uniform(0.5, 2.0, size=120)
    one, other = (choose(rows(weights=w)) for w in (weights, factor * weights))
    assert_allclose(one.alpha * factor, other.alpha, rtol=1e-12)
    assert_allclose(one.alphas * factor, other.alphas, rtol=1e-12)
    assert_array_equal(one.scores, other.scores)


def test_the_container_and_the_order_of_the_rows_do_not_matter():
    data = rows()
    choice = choose(data)
    assert_same(choice, choose(data._replace(X=sparse.csr_matrix(data.X))))
    order = np.random.RandomState(1).permutation(120)
    assert_same(choice, choose(data.take(order)))


def test_noise_gets_more_penalty_than_structure():
    assert choose(rows(flip=0.5)).alpha > 10 * choose(rows(flip=0.0)).alpha


def scored(monkeypatch, scores, data=None):
    """Choice where the path finds these scores, by index of the grid."""

    def path(folds, alphas, walk, **options):
        for j, score in scores.items():
            yield j, [Score(value) for value in np.resize(score, len(folds))]

    monkeypatch.setattr(alpha_module, "path", path)
    return choose(rows() if data is None else data)


def test_only_alphas_that_were_tried_are_told_and_the_choice_is_among_them(monkeypatch):
    choice = scored(monkeypatch, {7: -0.5, 8: -0.45, 9: -0.44, 10: -0.46, 6: -0.6})
    grid = np.geomspace(1000, 1e-4, 15)
    assert_allclose(choice.alphas, grid[6:11])
    assert_allclose(choice.scores, [[-0.6, -0.5, -0.45, -0.44, -0.46]] * 3)
    assert choice.alpha == pytest.approx(grid[9])


def test_of_many_more_rows_than_were_looked_at_less_than_the_best_alpha_is_right(monkeypatch):
    grid, near = np.geomspace(1000, 1e-4, 15), (-0.43, -0.46, -0.445)  # as good as -.44 on a fold
    scores = {7: -0.5, 8: near, 9: -0.44, 10: -0.46, 6: -0.6}
    assert scored(monkeypatch, scores).alpha == pytest.approx(grid[8])
    assert scored(monkeypatch, scores, rows(8_000)).alpha == pytest.approx(grid[9])
    assert scored(monkeypatch, scores, rows(12_000)).alpha == pytest.approx(grid[10])
    few = dict.fromkeys((7, 8), -0.5) | {9: -0.4}
    assert scored(monkeypatch, few, rows(12_000)).alpha == pytest.approx(grid[9])  # no smaller one
    monkeypatch.setitem(OPTIONS, "hidden_units", 4_001)  # more weights than rows
    assert scored(monkeypatch, scores, rows(12_000)).alpha == pytest.approx(grid[9])
    monkeypatch.setitem(OPTIONS, "hidden_units", 4)
    # repetitions are no more rows than their weights are
    fivefold = repeated(rows(), np.full(120, 5))
    assert scored(monkeypatch, scores, fivefold).alpha == pytest.approx(5 * grid[8])
    monkeypatch.setattr(holdout, "LOOK_ROWS", 50)
    assert scored(monkeypatch, scores).alpha == pytest.approx(grid[9])


@pytest.mark.parametrize("edge", [0, 14])
def test_the_choice_may_be_at_an_edge_of_the_grid(monkeypatch, edge):
    scores = dict.fromkeys(range(15), -0.5) | {edge: -0.3}
    assert scored(monkeypatch, scores).alpha == pytest.approx([1000, 1e-4][edge > 0])


def test_a_score_that_is_not_finite_counts_as_not_tried(monkeypatch):
    choice = scored(monkeypatch, {7: np.nan, 8: -0.45, 6: -0.6})
    assert choice.scores.shape == (3, 2)


def test_without_a_score_alpha_is_the_mean_weight(monkeypatch):
    choice = scored(monkeypatch, {7: np.nan})
    assert choice.alpha == 1.0
    assert np.isnan(choice.scores).all()


def test_fitted_attributes():
    like = np.ones(2, dtype=np.float32)
    assert AlphaChoice(0.5).attributes(like) == {"alpha_": 0.5}
    told = AlphaChoice(0.5, np.array([1.0, 0.5]), np.zeros((3, 2))).attributes(like)
    assert told["alpha_"] == 0.5
    assert_array_equal(told["alphas_"], [1.0, 0.5])
    assert told["alpha_scores_"].shape == (3, 2)


def test_equal_rows_are_merged_in_the_order_of_label_and_key():
    keys, encoded = np.array([7, 3, 7, 3, 7], dtype=np.uint64), np.array([1, 0, 1, 1, 0])
    first, weights = alpha_module._merged(encoded, keys, np.array([1.0, 2.0, 4.0, 8.0, 16.0]))
    assert_array_equal(first, [1, 4, 3, 0])
    assert_array_equal(weights, [2.0, 16.0, 8.0, 5.0])


def test_rows_that_are_all_equal_get_the_middle_of_the_grid():
    net = TwoLayerMLPClassifier(4, random_state=0).fit(np.ones((3, 2)), [0, 1, 1])
    assert net.alpha_ == 3.0  # the weight of the one distinct row
    assert_allclose(net.predict_proba(np.ones((1, 2))), [[1 / 3, 2 / 3]], atol=1e-3)


@pytest.mark.parametrize("missing", [1e6, -9999.0])
def test_a_few_misrecorded_values_do_not_decide(missing):
    X, y = load_breast_cancer(return_X_y=True)
    rng = np.random.RandomState(0)
    X[rng.choice(len(X), 4, replace=False), rng.randint(30, size=4)] = missing
    network = TwoLayerMLPClassifier(20, random_state=0).fit(X[::2], y[::2])
    assert network.alpha_ < 32
    assert network.score(X[1::2], y[1::2]) > 0.93


def test_categories_with_noisy_labels_are_learned():
    rng = np.random.RandomState(0)
    level = rng.randint(12, size=1500)
    y = rng.uniform(size=1500) < np.where(level % 2, 0.9, 0.1)
    X = np.eye(12)[level]
    network = TwoLayerMLPClassifier(random_state=0)
    for weight in (None, np.ones(1500), np.full(1500, 7.0)):
        assert network.fit(X, y, weight).score(X, y) > 0.87
    early = TwoLayerMLPClassifier(early_stopping=True, random_state=0)
    assert early.fit(X, y).score(X, y) > 0.87


def test_one_row_of_each_class_gets_the_penalty_of_a_mean_weight():
    X, y = load_digits(return_X_y=True)
    first = np.unique(y, return_index=True)[1]
    network = TwoLayerMLPClassifier(random_state=0).fit(X[first], y[first])
    assert network.alpha_ == 1.0
    assert network.score(X, y) > 0.5


def test_many_labels_are_more_than_one_loss():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(300, 6))
    Y = (X @ rng.normal(size=(6, 150)) + rng.normal(size=(300, 150)) > 0).astype(int)
    network = TwoLayerMLPClassifier(10, random_state=0).fit(X, Y)
    assert network.alpha_ < 1000
    assert network.alpha_scores_.mean(axis=0).max() < -40  # the prior has -104


def test_a_constant_column_beyond_single_precision_does_no_harm():
    X, y = load_wine(return_X_y=True)
    far = np.column_stack([X, np.full(len(X), 1e39)])
    assert TwoLayerMLPClassifier(20, random_state=0).fit(far, y).score(far, y) > 0.97
