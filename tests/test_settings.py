"""What every "auto" is resolved to, by the size of the problem."""

import math
from inspect import signature

import pytest

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._network.parameters import Layout
from sk_mlp._training.settings import Size, resolve, solver_of_search

DEFAULTS = {
    name: parameter.default
    for name, parameter in signature(TwoLayerMLPClassifier).parameters.items()
}


def size(n_rows, n_features=20, hidden_units=100, n_outputs=1, *, text=False):
    return Size(n_rows, Layout(n_features, hidden_units, n_outputs), text)


def settle(size, *, tuned=False, stream=False, **options):
    return resolve({**DEFAULTS, **options}, size, tuned=tuned, stream=stream)


@pytest.mark.parametrize(
    ("solver", "at", "options"),
    [
        ("lbfgs", size(1), {}),
        ("lbfgs", size(10_000), {}),
        ("adam", size(10_001), {}),
        # multiply-adds of a pass: 3e8 / 10 000 rows is 30 000 for a row
        ("lbfgs", size(10_000, n_features=299), {}),
        ("adam", size(10_000, n_features=300), {}),
        ("lbfgs", size(500, n_outputs=100), {}),
        ("adam", size(500, n_outputs=101), {}),
        ("adam", size(500, text=True), {}),
        # with a given alpha only a small network
        ("lbfgs", size(500, hidden_units=16), {"alpha": 1.0}),
        ("adam", size(500, hidden_units=17), {"alpha": 1.0}),
        ("adam", size(10_001, hidden_units=3), {"alpha": 1.0}),
        ("adam", size(500, hidden_units=3), {"stream": True}),
        # a solver that is named is that one
        ("lbfgs", size(10**6, text=True), {"solver": "lbfgs"}),
        ("sgd", size(1), {"solver": "sgd"}),
    ],
)
def test_solver(solver, at, options):
    assert settle(at, **options).solver == solver


@pytest.mark.parametrize(
    ("solver", "given", "n_rows", "text"),
    [
        ("lbfgs", "auto", 10_000, False),
        ("adam", "auto", 10_001, False),
        ("adam", "auto", 500, True),
        ("lbfgs", "lbfgs", 10**6, True),
        ("sgd", "sgd", 1, False),
    ],
)
def test_solver_of_a_search(solver, given, n_rows, text):
    assert solver_of_search(given, n_rows, text=text) == solver


@pytest.mark.parametrize(
    ("hidden_units", "n_init"),
    [(1, 16), (4, 16), (5, 12), (16, 4), (32, 2), (33, 1), (64, 1), (65, 1), (1000, 1)],
)
def test_n_init(hidden_units, n_init):
    at = size(100, hidden_units=hidden_units)
    assert settle(at, solver="lbfgs").n_init == n_init
    assert settle(at, solver="adam").n_init == 1
    assert settle(at, solver="adam", n_init=7).n_init == 7


@pytest.mark.parametrize(
    ("n_rows", "batch_size"),
    [(10, 10), (64, 64), (8_191, 64), (8_320, 65), (131_072, 1024), (10**7, 1024)],
)
def test_batch_size(n_rows, batch_size):
    assert settle(size(n_rows), solver="adam").batch_size == batch_size
    assert settle(size(n_rows), solver="sgd", batch_size=200).batch_size == min(200, n_rows)
    assert settle(size(n_rows), solver="lbfgs").batch_size == n_rows


@pytest.mark.parametrize(
    ("n_rows", "fixed", "tuned"),
    [
        (64, 500, 500),  # one step an epoch
        (1_000, 32, 64),  # 16 steps an epoch
        (16_384, 25, 64),
        (16_385, 25, 64),
        (65_536, 25, 35),  # 4 ** -.45 of it
        (10**6, 11, 11),
    ],
)
def test_planned_epochs(n_rows, fixed, tuned):
    assert settle(size(n_rows), solver="adam", alpha=1.0).max_iter == fixed
    assert settle(size(n_rows), solver="sgd").max_iter == tuned
    assert settle(size(n_rows), solver="sgd").course.planned


def test_an_alpha_that_a_search_chose_counts_as_tuned_for_tables_only():
    options = {"solver": "adam", "alpha": 3.0}
    assert settle(size(10_000), tuned=True, **options).max_iter == 64
    assert settle(size(10_000), **options).max_iter == 25
    text = size(10_000, text=True)
    assert settle(text, tuned=True, **options).max_iter == settle(text, **options).max_iter


@pytest.mark.parametrize(
    ("n_rows", "n_outputs", "epochs"),
    [
        (10_000, 1, 1),  # 129 batches of 78 rows
        (2_000, 1, 2),  # 32 batches, 60 steps
        (2_000, 20, 9),  # 60 sqrt(20) = 268.3 steps
    ],
)
def test_planned_epochs_of_text(n_rows, n_outputs, epochs):
    assert settle(size(n_rows, n_outputs=n_outputs, text=True)).max_iter == epochs


def test_iterations_of_lbfgs():
    assert settle(size(100), solver="lbfgs").max_iter == 1000
    assert settle(size(100), solver="lbfgs", max_iter=7).max_iter == 7


def test_max_iter_that_is_given_is_not_planned():
    settings = settle(size(10**6), solver="adam", max_iter=7, tuned=True)
    assert settings.max_iter == 7
    assert not settings.course.planned


@pytest.mark.parametrize(
    ("at", "solver", "batch_size", "rate"),
    [
        (size(8_191), "adam", "auto", 0.01),
        (size(8_191), "sgd", "auto", 0.05),
        (size(10**6), "adam", "auto", 0.04),  # batches of 1024 are 16 times 64
        (size(10**6), "adam", 256, 0.02),
        # one batch of all rows has no noise, and its rate is the same for repeated rows
        (size(100), "adam", 100, 0.0125),
        (size(100), "adam", 1000, 0.02),
        (size(10_000), "adam", 10_000, 0.02),
        (size(8_191, text=True), "adam", "auto", 0.003),
        (size(8_191, text=True), "sgd", "auto", 0.05),
    ],
)
def test_learning_rate(at, solver, batch_size, rate):
    settings = settle(at, solver=solver, batch_size=batch_size)
    assert settings.course.learning_rate == pytest.approx(rate, rel=1e-12)
    given = settle(at, solver=solver, batch_size=batch_size, learning_rate_init=0.7)
    assert given.course.learning_rate == 0.7


@pytest.mark.parametrize(
    ("options", "patience"),
    [
        ({"solver": "lbfgs"}, 10),
        ({"solver": "adam"}, math.inf),  # the cosine runs to its end ...
        ({"solver": "adam", "early_stopping": True}, 10),  # ... unless a validation loss is watched
        ({"solver": "adam", "learning_rate": "constant"}, 10),
    ],
)
def test_patience_and_tol(options, patience):
    settings = settle(size(1_000), tol=0.3, **options)
    assert (settings.n_iter_no_change, settings.tol) == (patience, 0.3)


def test_a_round_of_starts_is_ten_iterations_or_a_twentieth_of_the_epochs():
    assert settle(size(100), solver="lbfgs", max_iter=500).screening == 10
    assert settle(size(100), solver="adam", max_iter=41).screening == 3
