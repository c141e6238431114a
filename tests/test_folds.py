"""Splits of the data, standardised, and the score of a network on the held-out rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._data.data import Data
from sk_mlp._data.targets import encode
from sk_mlp._network.parameters import Layout
from sk_mlp._training.folds import Walk, log_loss_score, make_fold
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
    assert_allclose(log_loss_score(fold, zero).value, -np.log(2.0), rtol=1e-6)


def test_the_score_of_the_rows_is_averaged_by_their_weights():
    (fold,), _ = folds_of()
    weights = np.arange(20.0, dtype=np.float32)
    weighted = fold._replace(held_out=fold.held_out._replace(sample_weight=weights))
    params = np.linspace(-1.0, 1.0, fold.objective.network.layout.size)
    once, score = log_loss_score(fold, params), log_loss_score(weighted, params)
    assert_array_equal(once.rows, score.rows)
    assert_allclose(once.value, once.rows.mean(), rtol=1e-12)
    assert_allclose(score.value, weights @ once.rows / weights.sum(), rtol=1e-6)


@pytest.mark.parametrize(
    ("labels", "random"),
    [
        (np.arange(60) % 2, [[0.5]]),
        (np.arange(60) % 3, [[1 / 3, 1 / 3, 1 / 3]]),
        (np.arange(120).reshape(60, 2) % 5 < 2, [[0.5, 0.5]]),
    ],
)
def test_a_surprise_is_a_label_at_random(labels, random):
    data = Data(rows().X, encode(labels), None)
    options, settings = settings_of(solver="lbfgs", n_init=1)
    fold = make_fold(data, SPLIT, options, Walk(settings, 0, log_loss_score), None)
    network, held_out = fold.objective.network, fold.held_out
    params = np.linspace(-1.0, 1.0, network.layout.size)
    S = network.raw_prediction(network.layout.views(params.astype(np.float32)), held_out.X)
    expected, _ = network.output.loss_residual(S, np.repeat(random, 20, axis=0))
    plain, score = (log_loss_score(fold, params, surprise) for surprise in (0.0, 0.1))
    assert score.value == plain.value == np.mean(plain.rows)
    assert_allclose(score.rows, 0.9 * plain.rows - 0.1 * expected, rtol=1e-5)


def test_no_row_counts_more_than_the_least_probability_of_double_precision():
    (fold,), _ = folds_of()
    far = fold._replace(held_out=fold.held_out._replace(X=1e6 * fold.held_out.X))
    params = np.linspace(-1.0, 1.0, fold.objective.network.layout.size)
    score = log_loss_score(far, params, 0.1)
    assert_allclose(score.rows.min(), np.log(np.finfo(float).eps), rtol=0.1)
    assert score.value > np.log(np.finfo(float).eps)
