"""TwoLayerMLPClassifier as a user meets it: known answers, restarts, options, the hidden layer."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import circles, data, fit
from scipy import sparse
from sklearn.datasets import make_blobs, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from sk_mlp import TwoLayerMLPClassifier

# ----------------------------------------------------------------- the convex case, known answers


@pytest.mark.parametrize("n_classes", [2, 3])
def test_identity_without_penalty_is_logistic_regression(n_classes):
    X, y = data(n_classes, 200, class_sep=0.8)
    ours = TwoLayerMLPClassifier(
        4, activation="identity", solver="lbfgs", alpha=0.0, tol=0.0, max_iter=5000, random_state=0
    ).fit(X, y)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(X, y)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)
    assert ours.loss_ == pytest.approx(log_loss(y, theirs.predict_proba(X)), abs=1e-8)


def test_identity_with_penalty_is_a_regression_with_the_nuclear_norm():
    # min over W1 W2 = w of (|W1|^2 + |W2|^2) / 2 is |w| for one output, not |w|^2 / 2
    X, y = data(2, 200, class_sep=0.8)
    X = StandardScaler().fit_transform(X)
    model = TwoLayerMLPClassifier(
        4, activation="identity", solver="lbfgs", alpha=5.0, tol=0.0, max_iter=5000, random_state=0
    ).fit(X, y)
    W1, W2 = model.coefs_
    w = (W1 @ W2)[:, 0]
    assert_allclose(0.5 * ((W1**2).sum() + (W2**2).sum()), np.linalg.norm(w), rtol=1e-5)
    # stationarity of loss(w) + alpha |w| / n
    residual = model.predict_proba(X)[:, 1] - y
    assert_allclose(X.T @ residual, -5.0 * w / np.linalg.norm(w), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    ("solver", "options"),
    [
        ("adam", {"batch_size": 1000, "learning_rate_init": 0.05}),
        ("adam", {"batch_size": 20, "max_iter": 1000}),
        ("sgd", {"batch_size": 1000, "learning_rate_init": 0.2}),
        ("sgd", {"batch_size": 20, "max_iter": 1000}),
    ],
)
def test_every_solver_finds_the_same_optimum(solver, options, n_classes):
    X, y = data(n_classes, 200, class_sep=0.8)
    base = {"hidden_units": 4, "activation": "identity", "alpha": 3.0, "random_state": 0}
    exact = TwoLayerMLPClassifier(**base, solver="lbfgs", tol=0.0, max_iter=5000).fit(X, y)
    model = TwoLayerMLPClassifier(**base, solver=solver, **options).fit(X, y)
    assert model.converged_
    assert exact.loss_ - 1e-12 <= model.loss_ <= exact.loss_ + 2e-4
    assert_allclose(model.predict_proba(X), exact.predict_proba(X), atol=0.02)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_alpha_means_the_same_for_every_batch_size(solver, container):
    X, y = data(2, 500, class_sep=0.8)
    X = container(X)
    norms = []
    for batch_size, max_iter in ((20, 100), (200, 300), (500, 1000)):
        options = {"batch_size": batch_size, "max_iter": max_iter, "random_state": 0}
        model = fit(TwoLayerMLPClassifier(10, solver=solver, alpha=10.0, **options), X, y)
        scale = 1.0 if sparse.issparse(X) else X.std(axis=0)[:, None]
        V1, W2 = model.coefs_[0] * scale, model.coefs_[1]
        norms.append((V1**2).sum() + (W2**2).sum())
    assert max(norms) <= 1.1 * min(norms)


def test_loss_is_the_penalised_cross_entropy_per_weight(solver):
    X, y = data(3, 200, class_sep=0.8)
    weights = np.random.RandomState(0).uniform(0.5, 2, len(y))
    model = TwoLayerMLPClassifier(5, solver=solver, alpha=2.0, random_state=0)
    model.fit(X, y, sample_weight=weights)
    mean = np.average(X, axis=0, weights=weights)
    scale = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weights))
    V1, W2 = model.coefs_[0] * scale[:, None], model.coefs_[1]
    cross_entropy = -model.predict_log_proba(X)[np.arange(len(y)), y]
    penalty = 2.0 / 2 * ((V1**2).sum() + (W2**2).sum())
    expected = (weights @ cross_entropy + penalty) / weights.sum()
    assert model.loss_ == pytest.approx(expected, rel=1e-6)


# -------------------------------------------------------------------- small networks and restarts


def moons():
    return make_moons(500, noise=0.1, random_state=0)


def noisy_xor():
    corners = [[-1, -1], [1, 1], [-1, 1], [1, -1]]
    X, blob = make_blobs(500, centers=corners, cluster_std=0.25, random_state=0)
    return X, blob // 2


@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
@pytest.mark.parametrize(("problem", "hidden_units"), [(circles, 3), (moons, 4), (noisy_xor, 3)])
def test_small_networks_solve_their_problem_for_every_seed(problem, hidden_units, activation):
    X, y = problem()
    # at alpha=1 the best network of four logistic units is a smooth one with accuracy .972
    alpha = 0.5 if (problem, activation) == (moons, "logistic") else 1.0
    for seed in range(10):
        model = TwoLayerMLPClassifier(
            hidden_units, activation=activation, alpha=alpha, random_state=seed
        )
        assert model.fit(X, y).score(X, y) >= 0.99, f"random_state={seed}"


def test_the_best_of_several_starts_is_finished():
    X, y = circles()
    model = TwoLayerMLPClassifier(3, solver="lbfgs", n_init=6, random_state=0).fit(X, y)
    assert len(model.n_init_losses_) == 6
    assert model.loss_ == min(model.n_init_losses_)
    assert len(model.loss_curve_) == model.n_iter_
    assert model.loss_ == pytest.approx(min(model.loss_curve_))
    single = TwoLayerMLPClassifier(3, solver="lbfgs", n_init=1, random_state=0).fit(X, y)
    assert single.n_init_losses_ == [single.loss_]


def test_n_init_for_every_solver(solver):
    X, y = data(2, 200)
    model = TwoLayerMLPClassifier(4, solver=solver, n_init=3, max_iter=50, random_state=0)
    fit(model, X, y)
    assert len(model.n_init_losses_) == 3
    assert model.loss_ == min(model.n_init_losses_)
    assert model.n_iter_ <= 50


def test_the_best_of_several_starts_is_trained_to_the_end(solver):
    X, y = data(2, 400)
    one = TwoLayerMLPClassifier(20, solver=solver, random_state=0).fit(X, y)
    several = TwoLayerMLPClassifier(20, solver=solver, n_init=4, random_state=0).fit(X, y)
    assert several.converged_
    assert several.stop_reason_ == one.stop_reason_
    assert several.loss_ < 1.2 * one.loss_  # other starts end in other minima
    if solver != "lbfgs":  # the planned epochs, all of them
        assert several.n_iter_ == one.n_iter_


# ---------------------------------------------------------------------------------------- options


def test_standardize_is_the_fit_on_scaled_data(solver):
    X, y = data(3, 200)
    X = X * np.array([1.0, 3.0, 0.2, 1.0, 5.0, 1.0]) + np.arange(6)
    scaled = StandardScaler().fit(X)
    options = {"solver": solver, "hidden_units": 5, "random_state": 0, "batch_size": 200}
    options["alpha"] = 1.0  # other values are split in another way
    inside = TwoLayerMLPClassifier(max_iter=20, **options)
    outside = TwoLayerMLPClassifier(max_iter=20, standardize=False, **options)
    fit(inside, X, y)
    fit(outside, scaled.transform(X), y)
    expected = outside.predict_proba(scaled.transform(X))
    assert_allclose(inside.predict_proba(X), expected, atol=1e-8)
    assert_allclose(inside.coefs_[0] * scaled.scale_[:, None], outside.coefs_[0], atol=1e-6)


@pytest.mark.parametrize("rate", ["constant", "invscaling", "adaptive", "cosine"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_every_schedule_trains(solver, rate):
    X, y = circles()
    model = TwoLayerMLPClassifier(20, solver=solver, learning_rate=rate, random_state=0)
    assert fit(model, X, y).score(X, y) > 0.98


@pytest.mark.parametrize(
    ("options", "shape", "solver"),
    [
        ({"hidden_units": 3}, (500, 2), "lbfgs"),
        ({"hidden_units": 100}, (500, 2), "lbfgs"),
        ({"hidden_units": 100, "alpha": 1.0}, (500, 2), "adam"),
        ({"hidden_units": 3, "alpha": 1.0}, (500, 2), "lbfgs"),
        ({"hidden_units": 3, "max_iter": 1, "alpha": 1.0}, (10_001, 2), "adam"),
    ],
)
def test_auto_picks_the_solver_by_size(options, shape, solver):
    X = np.random.RandomState(0).normal(size=shape)
    y = X[:, 0] > 0
    auto = fit(TwoLayerMLPClassifier(random_state=0, **options), X, y)
    named = fit(TwoLayerMLPClassifier(solver=solver, random_state=0, **options), X, y)
    assert_array_equal(auto.coefs_[0], named.coefs_[0])


# ------------------------------------------------------------------------------- the hidden layer


def test_logistic_regression_on_the_hidden_layer_separates_the_circles():
    X, y = circles(noise=0.05)
    hidden = TwoLayerMLPClassifier(3, activation="tanh", random_state=0).fit(X, y).transform(X)
    assert LogisticRegression(C=100.0).fit(hidden, y).score(hidden, y) == 1.0
    assert LogisticRegression().fit(X, y).score(X, y) < 0.7


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_hidden_units_are_in_canonical_order(activation, n_classes):
    X, y = data(n_classes, 200)
    model = TwoLayerMLPClassifier(6, activation=activation, random_state=0).fit(X, y)
    W2 = model.coefs_[1]
    contribution = model.transform(X).std(axis=0) * np.linalg.norm(W2, axis=1)
    assert np.all(np.diff(contribution) <= 1e-9)
    if activation != "relu":
        largest = W2[np.arange(6), np.abs(W2).argmax(axis=1)]
        assert np.all(largest >= 0)


def test_canonical_order_makes_fits_comparable():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(400, 3))
    # three threshold units of different importance
    y = np.tanh(3 * X) @ [3.0, 2.0, 1.0] > 0
    models = [
        TwoLayerMLPClassifier(
            3, activation="tanh", alpha=1.0, random_state=s, tol=0, max_iter=5000
        ).fit(X, y)
        for s in (0, 1)
    ]
    hidden = [model.transform(X) for model in models]
    assert models[0].loss_ == pytest.approx(models[1].loss_, abs=1e-6)
    assert_allclose(hidden[0], hidden[1], atol=1e-2)
