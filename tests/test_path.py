"""The path from one alpha to the next: its course on known scores, and what is chosen of them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from test_folds import folds_of

from sk_mlp._training.folds import Score, Walk
from sk_mlp._training.path import LARGE, MARGIN, PathScores, path


def assert_course(scores, *, n_alphas=8):
    """The path visits these alphas, in this order, if they have these scores, and no other."""
    (fold,), settings = folds_of()
    given = iter(scores.values())
    walk = Walk(settings, 0, lambda fold, params: Score(next(given)), 1, 1)
    steps = list(path([fold], np.geomspace(100, 0.01, n_alphas), walk))
    assert [j for j, _ in steps] == list(scores)
    assert_array_equal([score.value for _, (score,) in steps], list(scores.values()))
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
    walk = Walk(settings, 0, lambda fold, params: Score(next(table[id(fold)])), 1, 1)
    steps = list(path(folds, np.array([10.0, 1.0, 0.1]), walk))
    assert [j for j, _ in steps] == [1, 2, 0]  # -2, then -2.5
    values = [[score.value for score in at_alpha] for _, at_alpha in steps]
    assert values == [[-1, -3], [-3, -2], [-4, -4]]


def test_a_network_of_the_path_is_near_the_minimum_of_its_objective():
    (fold,), settings = folds_of(activation="identity")
    networks = []
    walk = Walk(settings, 0, lambda fold, x: networks.append(x) or Score(0.0), 500, 500, 50)
    list(path([fold], np.array([10.0, 1.0, 0.1]), walk))
    for alpha, params in zip((1.0, 0.1, 10.0), networks, strict=True):
        objective = fold.objective.with_alpha(alpha)
        lowest = minimize(objective.loss_gradient, params.astype(float), jac=True).fun
        assert_allclose(objective.loss(params), lowest, rtol=2e-3)


def test_a_minibatch_solver_starts_afresh_at_each_alpha():
    (fold,), settings = folds_of(solver="adam", batch_size=10, max_iter=3)
    networks = []
    walk = Walk(settings, 0, lambda fold, x: networks.append(x) or Score(-len(networks)))
    list(path([fold], np.array([1.0, 1.0]), walk))
    assert_array_equal(*networks)


# --------------------------------------------------------------------- what is chosen of scores


def scored(*folds, rows=None, weights=None, groups=None):
    """Scores of each fold by alpha; `rows` are those of the held-out rows of the only fold."""
    some, _ = folds_of(2)
    held = some[0].held_out._replace(sample_weight=weights)
    here = np.arange(held.n_rows)
    some = [some[k % 2]._replace(held_out=held, test_rows=here) for k in range(len(folds))]
    scores = PathScores(some, len(folds[0]), here if groups is None else groups)
    for j, at_alpha in enumerate(np.transpose(folds)):
        if rows is None:
            scores.add(j, [Score(value) for value in at_alpha])
        else:
            scores.add(j, [Score(np.average(rows[j], weights=weights), rows[j])])
    return scores


def test_of_the_scores_of_one_fold_the_best_is_chosen():
    assert scored([-0.60, -0.501, -0.50]).best() == 2
    assert scored([0.90, 0.90, 0.80]).best() == 0  # the largest alpha of equal ones


def test_a_difference_within_its_standard_error_over_the_folds_does_not_count():
    # better by 0.05 in every fold, or by 0.05, 0.15 and -0.05
    certain = np.array([[-0.45, -0.40], [-0.65, -0.60], [-0.35, -0.30]])
    uncertain = np.array([[-0.45, -0.40], [-0.75, -0.60], [-0.25, -0.30]])
    assert_allclose(certain.mean(axis=0), uncertain.mean(axis=0))
    for shift in (0.0, 1.0):  # an error, or not
        assert scored(*(shift + certain)).best() == 1
        assert scored(*(shift + uncertain)).best() == 0


def rows_with(error, n=20):
    """Scores of two alphas, the second better by .1 with this standard error."""
    difference = np.resize([1.0, -1.0], n)
    difference *= error * np.sqrt(n) / difference.std(ddof=1)
    return np.stack([np.full(n, -0.5), -0.4 + difference])


@pytest.mark.parametrize(("error", "best"), [(0.09, 1), (0.11, 0)])
def test_scores_of_rows_have_a_standard_error_over_the_rows(error, best):
    assert scored([0.0, 0.0], rows=rows_with(error)).best() == best


@pytest.mark.parametrize("factor", [1.0, 1e-3, 1e6])
def test_the_unit_of_the_weights_does_not_matter(factor):
    rows, weights = rows_with(0.09), np.resize([1.0, 2.0, 4.0], 20)
    once, scaled = (scored([0.0, 0.0], rows=rows, weights=w) for w in (weights, factor * weights))
    assert once.best() == scaled.best() == 0
    assert_allclose(once._error(0, 1), scaled._error(0, 1), rtol=1e-6)
    # rows of one weight more than others bring less than as many equal ones
    assert once._error(0, 1) > scored([0.0, 0.0], rows=rows)._error(0, 1)


@pytest.mark.parametrize("error", [0.09, 0.11])
def test_repetitions_of_a_row_count_as_its_weight(error):
    counts = np.resize([1, 2, 4], 20)
    once = scored([0.0, 0.0], rows=rows_with(error), weights=counts.astype(float))
    repeated, groups = np.repeat(rows_with(error), counts, axis=1), np.repeat(range(20), counts)
    many = PathScores([one_fold_of(len(groups))], 2, groups)
    for j, row_scores in enumerate(repeated):
        many.add(j, [Score(row_scores.mean(), row_scores)])
    assert_allclose(many._error(0, 1), once._error(0, 1), rtol=1e-12)
    assert many.best() == once.best()


def one_fold_of(n):
    (fold,), _ = folds_of()
    rows = fold.held_out.take(np.zeros(n, int))
    return fold._replace(held_out=rows, test_rows=np.arange(n))


def test_the_scores_of_the_rows_decide_and_the_values_are_reported():
    rows = np.stack([np.linspace(-0.5, -0.4, 20), np.linspace(-0.3, -0.2, 20)])
    scores = scored([-0.1, -0.2], rows=rows)
    scores.values[0] = -0.1, -0.2
    assert scores.best() == 1
    assert_allclose(scores.merits, [-0.45, -0.25])
    assert_allclose(scores.means, [-0.1, -0.2])


def test_missing_scores_lose():
    assert scored([np.nan, -0.5, np.nan]).best() == 1
    assert_array_equal(scored([np.nan, -0.5], [-0.5, -0.5]).means, [-np.inf, -0.5])


def test_of_many_more_rows_the_best_alpha_counts():
    rows = rows_with(0.11)
    assert scored([0.0, 0.0], rows=rows).best(1.01 / LARGE) == 0
    assert scored([0.0, 0.0], rows=rows).best(0.99 / LARGE) == 1


@pytest.mark.parametrize("j", [0, 2])
def test_the_choice_may_be_at_an_end(j):
    scores = np.full((2, 3), -1.0)
    scores[:, j] = -0.5
    assert scored(*scores).best() == j
