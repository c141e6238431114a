"""The path from one alpha to the next: its course on known scores, and what is chosen of them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._data.data import Data
from sk_mlp._data.targets import encode
from sk_mlp._network.parameters import Layout
from sk_mlp._training.path import MARGIN, Walk, chosen, log_loss_score, make_fold, path
from sk_mlp._training.settings import Size, resolve

N_ROWS, N_FEATURES = 60, 4
SPLIT = (np.arange(40), np.arange(40, 60))


def rows(container=np.asarray):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES)) + 1.0
    y = X[:, 0] + 0.5 * rng.normal(size=N_ROWS) > 1.0
    return Data(container(X), encode(y), None)


def settings_of(**options):
    options = {**TwoLayerMLPClassifier().get_params(), "hidden_units": 3, **options}
    size = Size(40, Layout(N_FEATURES, 3, 1))
    return options, resolve(options, size)._replace(n_init=options["n_init"])


def folds_of(n_folds=1, **options):
    options, settings = settings_of(**{"solver": "lbfgs", "n_init": 1, **options})
    splits = [SPLIT, SPLIT[::-1]][:n_folds]
    walk = Walk(settings, 0, log_loss_score)
    return [make_fold(rows(), split, options, walk, None) for split in splits], settings


def assert_course(scores, *, n_alphas=8):
    """The path visits these alphas, in this order, if they have these scores, and no other."""
    (fold,), settings = folds_of()
    given = iter(scores.values())
    walk = Walk(settings, 0, lambda fold, params: next(given), 1, 1)
    steps = list(path([fold], np.geomspace(100, 0.01, n_alphas), walk))
    assert [j for j, _ in steps] == list(scores)
    assert_array_equal(
        [at_alpha for _, at_alpha in steps], np.reshape(list(scores.values()), (-1, 1))
    )
    assert next(given, None) is None


@pytest.mark.parametrize(("n_alphas", "middle"), [(1, 0), (2, 0), (3, 1), (4, 1), (15, 7)])
def test_it_begins_in_the_middle(n_alphas, middle):
    down = dict.fromkeys(range(middle, min(middle + 3, n_alphas)), -0.5)
    up = {middle - 1: -0.6} if middle else {}
    assert_course(down | up, n_alphas=n_alphas)


def test_the_way_down_ends_at_the_second_alpha_in_a_row_that_gains_less_than_the_margin():
    assert_course({3: -0.50, 4: -0.495, 5: -0.49, 2: -0.60})
    assert_course({3: -0.50, 4: -0.48, 5: -0.475, 6: -0.46, 7: -0.50, 2: -0.60})


def test_scores_that_are_not_errors_have_no_margin_on_the_way_down():
    assert_course({3: 0.500, 4: 0.501, 5: 0.501, 6: 0.502, 7: 0.502, 2: 0.4})
    assert_course({3: 0.500, 4: 0.500, 5: 0.500, 2: 0.4})


def test_the_way_down_ends_at_the_smallest_alpha():
    assert_course({3: -0.5, 4: -0.4, 5: -0.3, 6: -0.2, 7: -0.1, 2: -0.6})


def test_the_way_up_goes_on_within_the_margin():
    within, beyond = -0.5 * (1 + 0.99 * MARGIN), -0.5 * (1 + 1.01 * MARGIN)
    assert_course({3: -0.50, 4: -0.51, 5: -0.51, 2: within, 1: within, 0: within})
    assert_course({3: -0.50, 4: -0.51, 5: -0.51, 2: within, 1: beyond})


def test_a_better_score_on_the_way_up_is_the_one_to_keep_up_with():
    assert_course({3: -0.50, 4: -0.51, 5: -0.51, 2: -0.40, 1: -0.45})


def test_a_score_that_is_not_finite_is_passed_over():
    assert_course({3: np.nan, 4: -0.5, 5: -0.6, 6: -0.6, 2: np.nan, 1: -0.4, 0: -0.6})


def test_scores_are_those_of_each_fold_and_the_mean_counts():
    folds, settings = folds_of(2)
    table = {
        id(fold): iter(scores)
        for fold, scores in zip(folds, ([-1, -3, -4], [-3, -2, -4]), strict=True)
    }
    walk = Walk(settings, 0, lambda fold, params: next(table[id(fold)]), 1, 1)
    steps = list(path(folds, np.array([10.0, 1.0, 0.1]), walk))
    assert [j for j, _ in steps] == [1, 2, 0]  # -2, then -2.5
    assert_array_equal([at_alpha for _, at_alpha in steps], [[-1, -3], [-3, -2], [-4, -4]])


def test_a_network_of_the_path_is_near_the_minimum_of_its_objective():
    (fold,), settings = folds_of(activation="identity")
    networks = []
    walk = Walk(settings, 0, lambda fold, params: networks.append(params) or 0.0, 500, 500, 50)
    list(path([fold], np.array([10.0, 1.0, 0.1]), walk))
    for alpha, params in zip((1.0, 0.1, 10.0), networks, strict=True):
        objective = fold.objective.with_alpha(alpha)
        lowest = minimize(objective.loss_gradient, params.astype(float), jac=True).fun
        assert_allclose(objective.loss(params), lowest, rtol=2e-3)


def test_a_minibatch_solver_starts_afresh_at_each_alpha():
    (fold,), settings = folds_of(solver="adam", batch_size=10, max_iter=3)
    networks = []
    walk = Walk(settings, 0, lambda fold, params: networks.append(params) or -len(networks))
    list(path([fold], np.array([1.0, 1.0]), walk))
    assert_array_equal(*networks)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_a_fold_is_standardised_by_its_training_rows(container):
    options, settings = settings_of(solver="lbfgs", n_init=1)
    data = rows(container)
    fold = make_fold(data, SPLIT, options, Walk(settings, 0, log_loss_score), np.arange(60.0))
    X = fold.objective.rows.X
    assert X.dtype == np.float32
    assert_allclose(X.mean(axis=0), 0.0, atol=1e-6)
    assert_allclose(X.std(axis=0), 1.0, rtol=1e-6)
    plain = rows().X
    mean, std = plain[:40].mean(axis=0), plain[:40].std(axis=0)
    assert_allclose(fold.held_out.X, (plain[40:] - mean) / std, rtol=1e-5, atol=1e-6)
    assert_array_equal(fold.held_out.sample_weight, np.arange(40.0, 60.0))
    assert_array_equal(fold.test_rows, SPLIT[1])


def test_the_score_is_the_mean_log_loss():
    (fold,), _ = folds_of()
    zero = np.zeros(fold.objective.network.layout.size)
    assert_allclose(log_loss_score(fold, zero), -np.log(2.0), rtol=1e-6)


# --------------------------------------------------------------------- what is chosen of scores


def one_fold(*means):
    return np.array(means)[:, None, :]


def test_errors_within_the_margin_count_as_equal_and_the_largest_alpha_wins():
    assert chosen(one_fold([-0.60, -0.507, -0.50])) == (0, 1)
    assert chosen(one_fold([-0.60, -0.52, -0.50])) == (0, 2)


def test_scores_that_are_not_errors_have_no_margin():
    assert chosen(one_fold([0.60, 0.899, 0.90])) == (0, 2)
    assert chosen(one_fold([0.90, 0.90, 0.80])) == (0, 0)


def test_a_difference_within_its_standard_error_over_the_folds_does_not_count():
    # better by 0.05 in every fold, or by 0.05, 0.15 and -0.05
    certain = np.array([[-0.45, -0.40], [-0.65, -0.60], [-0.35, -0.30]])
    uncertain = np.array([[-0.45, -0.40], [-0.75, -0.60], [-0.25, -0.30]])
    assert_allclose(certain.mean(axis=0), uncertain.mean(axis=0))
    assert chosen(certain[None]) == (0, 1)
    assert chosen(uncertain[None]) == (0, 0)
    assert chosen(1.0 + certain[None]) == (0, 1)
    assert chosen(1.0 + uncertain[None]) == (0, 0)


def test_hidden_units_are_those_of_the_best_score_and_missing_scores_lose():
    means = one_fold([-0.6, -0.5, np.nan], [-0.7, -0.4, -0.399])
    assert chosen(means) == (1, 1)
    assert chosen(one_fold([np.nan, -0.5, np.nan])) == (0, 1)


def test_of_equal_scores_the_largest_alpha_and_the_first_network_win():
    assert chosen(one_fold([-0.5, -0.5, -0.5])) == (0, 0)
    assert chosen(one_fold([0.7, 0.7], [0.7, 0.7])) == (0, 0)


@pytest.mark.parametrize("j", [0, 2])
def test_the_choice_may_be_at_an_end(j):
    scores = np.full((1, 2, 3), -1.0)
    scores[..., j] = -0.5
    assert chosen(scores) == (0, j)
