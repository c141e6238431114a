"""TwoLayerMLPClassifier as a user meets it."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs, make_circles, make_classification, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._network.activations import ACTIVATIONS

SOLVERS = ["lbfgs", "adam", "sgd"]


def circles():
    return make_circles(500, noise=0.1, factor=0.4, random_state=0)


def moons():
    return make_moons(500, noise=0.1, random_state=0)


def noisy_xor():
    corners = [[-1, -1], [1, 1], [-1, 1], [1, -1]]
    X, blob = make_blobs(500, centers=corners, cluster_std=0.25, random_state=0)
    return X, blob // 2


def data(n_classes=2, n_samples=200, weights=None, **options):
    return make_classification(
        n_samples,
        n_features=6,
        n_informative=4,
        n_classes=n_classes,
        weights=weights,
        class_sep=0.8,
        random_state=0,
        **options,
    )


# --------------------------------------------------------- the convex case, known answers


@pytest.mark.parametrize("n_classes", [2, 3])
def test_identity_without_penalty_is_logistic_regression(n_classes):
    X, y = data(n_classes)
    ours = TwoLayerMLPClassifier(
        4, activation="identity", solver="lbfgs", alpha=0.0, tol=0.0, max_iter=5000, random_state=0
    ).fit(X, y)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(X, y)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)
    assert ours.loss_ == pytest.approx(log_loss(y, theirs.predict_proba(X)), abs=1e-8)


def test_identity_with_penalty_is_a_regression_with_the_nuclear_norm():
    # min over W1 W2 = w of (|W1|^2 + |W2|^2) / 2 is |w| for one output, not |w|^2 / 2
    X, y = data()
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
    X, y = data(n_classes)
    base = {"hidden_units": 4, "activation": "identity", "alpha": 3.0, "random_state": 0}
    exact = TwoLayerMLPClassifier(**base, solver="lbfgs", tol=0.0, max_iter=5000).fit(X, y)
    model = TwoLayerMLPClassifier(**base, solver=solver, **options).fit(X, y)
    assert model.converged_
    assert exact.loss_ - 1e-12 <= model.loss_ <= exact.loss_ + 2e-4
    assert_allclose(model.predict_proba(X), exact.predict_proba(X), atol=0.02)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_alpha_means_the_same_for_every_batch_size(solver, container):
    X, y = data(n_samples=500)
    X = container(X)
    norms = []
    for batch_size, max_iter in ((20, 100), (200, 300), (500, 1000)):
        model = TwoLayerMLPClassifier(
            10,
            solver=solver,
            alpha=10.0,
            batch_size=batch_size,
            max_iter=max_iter,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        scale = 1.0 if sparse.issparse(X) else X.std(axis=0)[:, None]
        V1, W2 = model.coefs_[0] * scale, model.coefs_[1]
        norms.append((V1**2).sum() + (W2**2).sum())
    assert max(norms) <= 1.1 * min(norms)


def test_loss_is_the_objective_of_the_design():
    X, y = data(3)
    weights = np.random.RandomState(0).uniform(0.5, 2, len(y))
    for solver in SOLVERS:
        model = TwoLayerMLPClassifier(5, solver=solver, alpha=2.0, random_state=0)
        model.fit(X, y, sample_weight=weights)
        mean = np.average(X, axis=0, weights=weights)
        V1 = (
            model.coefs_[0] * np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weights))[:, None]
        )
        cross_entropy = -model.predict_log_proba(X)[np.arange(len(y)), y]
        penalty = 2.0 / 2 * ((V1**2).sum() + (model.coefs_[1] ** 2).sum())
        expected = (weights @ cross_entropy + penalty) / weights.sum()
        assert model.loss_ == pytest.approx(expected, rel=1e-6)


# -------------------------------------------------------------------------------- restarts


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


@pytest.mark.parametrize("solver", SOLVERS)
def test_n_init_for_every_solver(solver):
    X, y = data()
    model = TwoLayerMLPClassifier(4, solver=solver, n_init=3, max_iter=50, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    assert len(model.n_init_losses_) == 3
    assert model.loss_ == min(model.n_init_losses_)
    assert model.n_iter_ <= 50


# ------------------------------------------------------------------------- standardisation


@pytest.mark.parametrize("solver", SOLVERS)
def test_standardize_is_the_fit_on_scaled_data(solver):
    X, y = data(3)
    X = X * np.array([1.0, 3.0, 0.2, 1.0, 5.0, 1.0]) + np.arange(6)
    scaled = StandardScaler().fit(X)
    options = {"solver": solver, "hidden_units": 5, "random_state": 0, "batch_size": 200}
    inside = TwoLayerMLPClassifier(max_iter=20, **options)
    outside = TwoLayerMLPClassifier(max_iter=20, standardize=False, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        inside.fit(X, y)
        outside.fit(scaled.transform(X), y)
    expected = outside.predict_proba(scaled.transform(X))
    assert_allclose(inside.predict_proba(X), expected, atol=1e-8)
    assert_allclose(inside.coefs_[0] * scaled.scale_[:, None], outside.coefs_[0], atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_sparse_and_dense_agree_without_standardisation(solver):
    X, y = data(3)
    X[np.abs(X) < 0.5] = 0.0
    options = {"solver": solver, "standardize": False, "batch_size": 200, "max_iter": 20}
    model = TwoLayerMLPClassifier(5, random_state=0, learning_rate_init=0.01, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        dense = clone(model).fit(X, y)
        for container in (sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array):
            other = clone(model).fit(container(X), y)
            assert_allclose(other.predict_proba(X), dense.predict_proba(X), atol=1e-8)


# ------------------------------------------------------------------ stopping and its record


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("own_split", [True, False])
def test_early_stopping_keeps_the_weights_of_the_lowest_validation_loss(solver, own_split):
    X, y = data(n_samples=300, flip_y=0.3)
    model = TwoLayerMLPClassifier(
        50, solver=solver, alpha=0.0, early_stopping=True, validation_fraction=0.3, random_state=0
    )
    X_val, y_val = data(n_samples=100, flip_y=0.3)
    if own_split:
        model.fit(X, y)
    else:
        model.fit(X, y, X_val=X_val, y_val=y_val)
    curve = model.validation_loss_curve_
    assert model.stop_reason_ == "early_stopping"
    assert model.converged_
    assert len(curve) == len(model.loss_curve_) == model.n_iter_
    assert model.best_iter_ == 1 + int(np.argmin(curve)) < model.n_iter_
    if not own_split:
        assert log_loss(y_val, model.predict_proba(X_val)) == pytest.approx(min(curve), rel=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_validation_data_without_early_stopping_are_only_watched(solver):
    X, y = data()
    model = TwoLayerMLPClassifier(5, solver=solver, random_state=0)
    plain = clone(model).fit(X, y)
    watched = model.fit(X, y, X_val=X[:50], y_val=y[:50])
    assert_array_equal(watched.coefs_[0], plain.coefs_[0])
    assert len(watched.validation_loss_curve_) == watched.n_iter_
    assert not hasattr(plain, "validation_loss_curve_")
    assert not hasattr(watched.fit(X, y), "validation_loss_curve_")


def test_validation_weights():
    X, y = data()
    weights = np.arange(50) % 3
    model = TwoLayerMLPClassifier(5, solver="lbfgs", n_init=1, max_iter=500, random_state=0)
    model.fit(X, y, X_val=X[:50], y_val=y[:50], sample_weight_val=weights)
    expected = log_loss(y[:50], model.predict_proba(X[:50]), sample_weight=weights)
    assert model.validation_loss_curve_[model.best_iter_ - 1] == pytest.approx(expected)


@pytest.mark.parametrize("solver", SOLVERS)
def test_attributes_describe_the_weights_that_are_returned(solver):
    X, y = data(3)
    model = TwoLayerMLPClassifier(6, solver=solver, random_state=0).fit(X, y)
    assert [w.shape for w in model.coefs_] == [(6, 6), (6, 3)]
    assert [b.shape for b in model.intercepts_] == [(6,), (3,)]
    assert 1 <= model.best_iter_ <= model.n_iter_ == len(model.loss_curve_)
    assert model.converged_
    assert model.stop_reason_ in ("tol", "stationary", "schedule")
    assert min(model.n_init_losses_) == model.loss_


def test_a_smaller_tol_brings_a_lower_loss():
    X, y = data()
    losses = [
        TwoLayerMLPClassifier(5, solver="lbfgs", tol=tol, n_init=1, max_iter=5000, random_state=0)
        .fit(X, y)
        .loss_
        for tol in (1e-2, 1e-5, 0.0)
    ]
    assert losses[0] > losses[1] > losses[2]


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_penalty_that_leaves_no_weights_is_named_as_the_cause(solver):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(solver=solver, alpha=1e4, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"learned nothing.*1.099.*alpha=10000.0") as warned:
        model.fit(X, y)
    assert [warning.filename for warning in warned] == [__file__]
    assert model.stop_reason_ != "diverged"


def test_a_rate_that_is_too_high_is_named_where_alpha_is_tuned():
    X, y = make_classification(1000, 20, n_informative=10, random_state=0)
    model = TwoLayerMLPClassifier(50, solver="adam", learning_rate_init=10.0, random_state=0)
    message = r"learned nothing.*reached 0\.\d+ on held-out rows; lower learning_rate_init"
    with pytest.warns(ConvergenceWarning, match=message):
        model.fit(X, y)
    noise = np.random.RandomState(0).randint(0, 2, len(y))  # nothing to learn is no fault
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(model).set_params(learning_rate_init="auto").fit(X, noise)


@pytest.mark.parametrize("rate", ["constant", "invscaling", "adaptive", "cosine"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_every_schedule_trains(solver, rate):
    X, y = circles()
    model = TwoLayerMLPClassifier(20, solver=solver, learning_rate=rate, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert model.fit(X, y).score(X, y) > 0.98


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        auto = TwoLayerMLPClassifier(random_state=0, **options).fit(X, y)
        named = TwoLayerMLPClassifier(solver=solver, random_state=0, **options).fit(X, y)
    assert_array_equal(auto.coefs_[0], named.coefs_[0])


# ------------------------------------------------------------------- the hidden layer


def test_logistic_regression_on_the_hidden_layer_separates_the_circles():
    X, y = make_circles(500, noise=0.05, factor=0.4, random_state=0)
    hidden = TwoLayerMLPClassifier(3, activation="tanh", random_state=0).fit(X, y).transform(X)
    assert LogisticRegression().fit(hidden, y).score(hidden, y) == 1.0
    assert LogisticRegression().fit(X, y).score(X, y) < 0.7


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_transform_and_decision_function_are_the_network(activation):
    X, y = data(3)
    model = TwoLayerMLPClassifier(4, activation=activation, random_state=0).fit(X, y)
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    H = ACTIVATIONS[activation].function(X @ W1 + b1)
    assert_allclose(model.transform(X), H, rtol=1e-12, atol=1e-13)
    assert_allclose(model.decision_function(X), H @ W2 + b2, rtol=1e-11, atol=1e-12)
    assert_allclose(model.fit_transform(X, y), model.transform(X))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(library):
    pytest.importorskip(library)
    X, y = data()
    model = TwoLayerMLPClassifier(3, random_state=0).set_output(transform=library).fit(X, y)
    names = [f"twolayermlpclassifier{i}" for i in range(3)]
    frame = model.transform(X)
    assert list(frame.columns) == names == model.get_feature_names_out().tolist()
    assert type(frame).__module__.startswith(library)
    assert_allclose(frame.to_numpy(), model.set_output(transform="default").transform(X))


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_hidden_units_are_in_canonical_order(activation, n_classes):
    X, y = data(n_classes)
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
    fits = [
        TwoLayerMLPClassifier(
            3, activation="tanh", alpha=1.0, random_state=s, tol=0, max_iter=5000
        ).fit(X, y)
        for s in (0, 1)
    ]
    hidden = [fit.transform(X) for fit in fits]
    assert fits[0].loss_ == pytest.approx(fits[1].loss_, abs=1e-6)
    assert_allclose(hidden[0], hidden[1], atol=1e-2)


# ----------------------------------------------------------------- weights and multilabel


@pytest.mark.parametrize("solver", SOLVERS)
def test_class_weight_is_the_equivalent_sample_weight(solver):
    X, y = data(3, weights=[0.7, 0.2, 0.1])
    options = {"solver": solver, "batch_size": 200, "max_iter": 20, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        by_class = TwoLayerMLPClassifier(5, class_weight={0: 1, 1: 2, 2: 5}, **options).fit(X, y)
        by_sample = TwoLayerMLPClassifier(5, **options).fit(X, y, np.array([1.0, 2.0, 5.0])[y])
    assert_array_equal(by_class.coefs_[0], by_sample.coefs_[0])


def test_balanced_classes_raise_the_recall_of_the_rare_class():
    X, y = data(n_samples=500, weights=[0.95], flip_y=0.1)
    plain = TwoLayerMLPClassifier(3, random_state=0).fit(X, y)
    balanced = TwoLayerMLPClassifier(3, class_weight="balanced", random_state=0).fit(X, y)
    rare = y == 1
    assert balanced.predict(X[rare]).mean() > plain.predict(X[rare]).mean() + 0.1


@pytest.mark.parametrize("solver", SOLVERS)
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


# ------------------------------------------------------------- predictions and their types


@pytest.mark.parametrize(
    "labels",
    [["ham", "spam"], [False, True], [-1, 1], [0.0, 1.0], ["a", "b", "c"], [10, 20, 30]],
    ids=str,
)
@pytest.mark.parametrize("early_stopping", [True, False])
def test_labels_of_any_type_come_back(labels, early_stopping):
    X, codes = data(len(labels))
    y = np.array(labels)[codes]
    model = TwoLayerMLPClassifier(5, early_stopping=early_stopping, alpha=1.0, random_state=0).fit(
        X, y
    )
    predicted = model.predict(X)
    assert_array_equal(model.classes_, labels)
    assert predicted.dtype == y.dtype
    assert np.mean(predicted == y) > 0.8


@pytest.mark.parametrize("n_classes", [2, 3])
def test_predictions_agree_with_each_other(n_classes):
    X, y = data(n_classes)
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


def test_feature_names():
    pd = pytest.importorskip("pandas")
    X, y = data()
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = TwoLayerMLPClassifier(3, random_state=0).fit(frame, y)
    assert_array_equal(model.feature_names_in_, list("abcdef"))
    assert_array_equal(model.predict(frame), clone(model).fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[list("fedcba")])
    with pytest.warns(UserWarning, match="feature names"):
        model.predict(X)


# ------------------------------------------------------------- partial_fit and warm_start


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_learns_from_chunks(solver):
    X, y = circles()
    model = TwoLayerMLPClassifier(20, solver=solver, alpha=0.01, random_state=0)
    for _ in range(30):
        for chunk in np.array_split(np.arange(500), 5):
            model.partial_fit(X[chunk], y[chunk], classes=[0, 1])
    assert model.score(X, y) > 0.98
    assert model.n_iter_ == len(model.loss_curve_) == 150
    assert (model.stop_reason_, model.converged_) == ("partial_fit", False)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_partial_fit_is_repeatable_and_continues_across_a_copy(container):
    X, y = data(3)
    X = container(X)
    models = [TwoLayerMLPClassifier(5, solver="adam", random_state=0) for _ in range(2)]
    for model in models:
        model.partial_fit(X, y, classes=[0, 1, 2])
    models[1] = pickle.loads(pickle.dumps(models[1]))
    for model in models:
        model.partial_fit(X, y)
    assert_array_equal(models[0].coefs_[0], models[1].coefs_[0])


def test_partial_fit_of_chunks_without_some_class():
    X, y = data(3)
    model = TwoLayerMLPClassifier(5, solver="adam", random_state=0)
    for label in (0, 1, 2):
        model.partial_fit(X[y == label], y[y == label], classes=[0, 1, 2])
    assert_array_equal(model.classes_, [0, 1, 2])
    assert np.isfinite(model.predict_proba(X)).all()


def test_partial_fit_checks_its_classes():
    X, y = data(3)
    model = TwoLayerMLPClassifier(5, solver="adam")
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"labels \[2\] that are not in classes \[0, 1\]"):
        model.partial_fit(X, y, classes=[0, 1])
    model.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes=\[0, 1, 5\] is not the same"):
        model.partial_fit(X, y, classes=[0, 1, 5])
    with pytest.raises(AttributeError, match="partial_fit"):
        TwoLayerMLPClassifier(solver="lbfgs").partial_fit  # noqa: B018


def test_partial_fit_continues_a_fit():
    X, y = data()
    model = TwoLayerMLPClassifier(5, solver="adam", random_state=0).fit(X, y)
    before = model.predict_proba(X)
    model.partial_fit(X, y)
    assert np.abs(model.predict_proba(X) - before).max() < 0.25


def test_partial_fit_with_new_statistics_does_not_change_what_was_learned():
    X, y = data()
    model = TwoLayerMLPClassifier(
        5, solver="sgd", learning_rate_init=1e-12, alpha=0.0, random_state=0
    )
    model.partial_fit(X, y, classes=[0, 1])
    before = model.predict_proba(X)
    model.partial_fit(1.05 * X + 0.1, y)  # another mean and scale; the step moves nothing
    assert_allclose(model.predict_proba(X), before, atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_warm_start_continues_from_the_last_fit(solver):
    X, y = data()
    model = TwoLayerMLPClassifier(
        5, solver=solver, max_iter=30, batch_size=200, warm_start=True, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        first = model.fit(X, y).loss_
        second = model.fit(X, y).loss_
        cold = model.set_params(warm_start=False).fit(X, y).loss_
    assert second <= first
    assert cold == first


@pytest.mark.parametrize("solver", SOLVERS)
def test_warm_start_at_a_minimum_is_never_worse_than_its_start(solver):
    X, y = data()
    model = TwoLayerMLPClassifier(
        5,
        activation="tanh",
        solver="lbfgs",
        tol=0.0,
        max_iter=5000,
        warm_start=True,
        random_state=0,
    ).fit(X, y)
    minimum = model.loss_
    model.set_params(solver=solver, batch_size=200, max_iter=50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    assert minimum - 1e-9 < model.loss_ <= minimum + 1e-12


# --------------------------------------------------------------------- parameters, errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_units", 0),
        ("hidden_units", 2.5),
        ("activation", "sine"),
        ("solver", "newton"),
        ("alpha", -1.0),
        ("alpha", np.nan),
        ("standardize", "yes"),
        ("n_init", 0),
        ("class_weight", "even"),
        ("batch_size", 0),
        ("learning_rate", "fast"),
        ("learning_rate_init", 0.0),
        ("momentum", 1.0),
        ("beta_1", 1.0),
        ("beta_2", -0.1),
        ("max_iter", 0),
        ("tol", -1e-4),
        ("early_stopping", 1),
        ("validation_fraction", 0.0),
        ("validation_fraction", 1.0),
        ("n_iter_no_change", 0),
        ("warm_start", None),
        ("verbose", -1),
    ],
)
def test_a_wrong_parameter_is_named_with_its_value(name, value):
    X, y = data()
    with pytest.raises(ValueError, match=f"'{name}' parameter.*got {value!r}"):
        TwoLayerMLPClassifier(**{name: value}).fit(X, y)


def test_fit_does_not_change_the_parameters_or_the_global_seed():
    X, y = data()
    model = TwoLayerMLPClassifier(3, random_state=0)
    before = model.get_params()
    np.random.seed(3)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    model.fit(X, y)
    assert model.get_params() == before
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_random_state_instance_moves_on():
    X, y = data()
    rng = np.random.RandomState(0)
    first, second = (TwoLayerMLPClassifier(3, random_state=rng).fit(X, y) for _ in range(2))
    assert not np.array_equal(first.coefs_[0], second.coefs_[0])


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_words_never_seen_in_training_change_no_prediction(solver):
    X, y = data()
    texts = sparse.csr_matrix(np.hstack([X, np.zeros((len(X), 3))]))
    model = TwoLayerMLPClassifier(20, solver=solver, max_iter=5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(texts, y)
    new_words = sparse.csr_matrix(np.hstack([X, np.ones((len(X), 3))]))
    assert_array_equal(model.predict_proba(new_words), model.predict_proba(texts))


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_best_of_several_starts_is_trained_to_the_end(solver):
    X, y = data(n_samples=400)
    one = TwoLayerMLPClassifier(20, solver=solver, random_state=0).fit(X, y)
    several = TwoLayerMLPClassifier(20, solver=solver, n_init=4, random_state=0).fit(X, y)
    assert several.converged_
    assert several.stop_reason_ == one.stop_reason_
    assert several.loss_ < 1.2 * one.loss_  # other starts end in other minima
    if solver != "lbfgs":  # the planned epochs, all of them
        assert several.n_iter_ == one.n_iter_
