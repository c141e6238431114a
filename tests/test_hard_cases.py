"""The contract on hard cases; each section is a row of its table."""

import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV
from sk_mlp._network.network import Network

SOLVERS = ["lbfgs", "adam", "sgd"]
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform"]


def make(solver="lbfgs", **options):
    """Estimator that is quickly fitted, by full-batch steps unless told otherwise."""
    options = {"batch_size": 1000, "max_iter": 20, "random_state": 0, **options}
    return TwoLayerMLPClassifier(options.pop("hidden_units", 5), solver=solver, **options)


def fit(model, *args, **kwargs):
    """Fit without a word about convergence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **kwargs)


def data(n_classes=3, n_samples=150):
    return make_classification(
        n_samples,
        n_features=6,
        n_informative=4,
        n_classes=n_classes,
        random_state=0,
    )


def assert_same_fit(a, b):
    for one, other in zip((*a.coefs_, *a.intercepts_), (*b.coefs_, *b.intercepts_), strict=True):
        assert one.dtype == other.dtype
        assert_array_equal(one, other)


# ------------------------------------------------------------------------------ float types


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [20, 1000])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("solver", SOLVERS)
def test_float_type_of_X_is_that_of_parameters_and_outputs(solver, container, batch_size, dtype):
    X, y = data()
    X = container(X.astype(dtype))
    model = fit(make(solver, batch_size=batch_size), X, y)
    for array in (*model.coefs_, *model.intercepts_):
        assert array.dtype == dtype
    for method in METHODS[1:]:
        assert getattr(model, method)(X).dtype == dtype
    if solver != "lbfgs":
        model.partial_fit(X, y)
        assert model.coefs_[0].dtype == dtype


@pytest.mark.parametrize("solver", SOLVERS)
def test_float32_and_float64_agree(solver):
    X, y = data()
    X = X.astype(np.float32)
    double = fit(make(solver), X.astype(np.float64), y)
    single = fit(make(solver), X, y)
    assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-3)


# ------------------------------------------------------------------------------ repeatable


@pytest.mark.parametrize(
    "options", [{}, {"batch_size": 20}, {"early_stopping": True}, {"n_init": 3}], ids=str
)
@pytest.mark.parametrize("solver", SOLVERS)
def test_same_seed_same_bits(solver, options):
    pd = pytest.importorskip("pandas")
    X, y = data()
    model = make(solver, **options)
    first = fit(clone(model), X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for same in (X.copy(), np.asfortranarray(X), X[::-1][::-1], pd.DataFrame(X), X.tolist()):
            assert_same_fit(fit(clone(model), same, y), first)
            assert_array_equal(first.predict_proba(same), first.predict_proba(X))
    other = fit(clone(model).set_params(random_state=1), X, y)
    assert not np.array_equal(other.coefs_[0], first.coefs_[0])


@pytest.mark.parametrize("solver", SOLVERS)
def test_same_seed_same_bits_with_sparse_data(solver):
    X, y = data()
    X[np.abs(X) < 0.5] = 0.0
    X = sparse.csr_matrix(X)
    model = make(solver, batch_size=20)
    assert_same_fit(fit(clone(model), X, y), fit(clone(model), sparse.csc_matrix(X), y))


# ------------------------------------------------------------------------ weights and copies


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("solver", SOLVERS)
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


@pytest.mark.parametrize("solver", SOLVERS)
def test_class_weight_is_the_equivalent_sample_weight(solver):
    X, y = data()
    y[:100] = 0
    by_class = fit(make(solver, class_weight="balanced"), X, y)
    by_sample = fit(make(solver), X, y, sample_weight=compute_sample_weight("balanced", y))
    assert_same_fit(by_class, by_sample)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_batch_without_weight(solver):
    X, y = data()
    weights = np.zeros(len(y))
    weights[::5] = 1.0
    model = fit(make(solver, batch_size=5), X, y, sample_weight=weights)
    assert_same_fit(model, fit(make(solver, batch_size=5), X[::5], y[::5], np.ones(30)))


# -------------------------------------------------------------------- errors that name things


@pytest.mark.parametrize("solver", SOLVERS)
class TestErrors:
    def test_negative_weight(self, solver):
        X, y = data()
        weights = np.ones(len(y))
        weights[7] = -2.0
        with pytest.raises(ValueError, match=r"(?i)negative values.*sample_weight"):
            make(solver).fit(X, y, weights)

    def test_class_without_weight(self, solver):
        X, y = data()
        model = fit(make(solver), X, y, sample_weight=(y != 2).astype(float))
        assert model.classes_.tolist() == [0, 1, 2]
        assert model.predict_proba(X)[:, 2].max() < 0.02
        model = fit(make(solver, class_weight={1: 0.0}), X, y)
        assert model.predict_proba(X)[:, 1].max() < 0.02
        with pytest.raises(ValueError, match=r"(?i)sample.weight"):
            make(solver).fit(X, y, np.zeros(len(y)))
        with pytest.raises(ValueError, match=r"class_weight must be.*got \{1: -1.0\}"):
            make(solver, class_weight={1: -1.0}).fit(X, y)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_not_finite(self, solver, bad):
        X, y = data()
        model = fit(make(solver), X, y)
        X[3, 2] = bad
        name = "NaN" if np.isnan(bad) else "infinity"
        with pytest.raises(ValueError, match=f"Input X contains {name}"):
            model.fit(X, y)
        for method in METHODS:
            with pytest.raises(ValueError, match=f"Input X contains {name}"):
                getattr(model, method)(X)
        weights = np.full(len(y), bad)
        with pytest.raises(ValueError, match=f"sample_weight contains {name}"):
            model.fit(*data(), weights)

    def test_one_class(self, solver):
        X, _ = data()
        with pytest.raises(ValueError, match="two classes, got the one class 4"):
            make(solver).fit(X, np.full(len(X), 4))

    def test_labels_of_mixed_types(self, solver):
        with pytest.raises(ValueError, match="labels of one type, got int, str"):
            make(solver).fit(np.eye(4), np.array([1, "a", 1, "a"], dtype=object))

    def test_validation_data_that_do_not_fit(self, solver):
        X, y = data()
        model = make(solver)
        with pytest.raises(ValueError, match=r"X_val.*has 5 features"):
            model.fit(X, y, X_val=X[:, :5], y_val=y)
        with pytest.raises(ValueError, match=r"y_val.*labels \[9\].*not in classes \[0, 1, 2\]"):
            model.fit(X, y, X_val=X, y_val=np.full(len(y), 9))
        with pytest.raises(ValueError, match=r"X_val.*inconsistent numbers of samples.*10"):
            model.fit(X, y, X_val=X[:10], y_val=y)
        with pytest.raises(ValueError, match="y_val is None"):
            model.fit(X, y, X_val=X)
        with pytest.raises(ValueError, match="X_val is None"):
            model.fit(X, y, y_val=y)
        with pytest.raises(ValueError, match="X_val is None"):
            model.fit(X, y, sample_weight_val=np.ones(len(y)))
        with pytest.raises(ValueError, match=r"sample_weight_val.*(?i:negative)"):
            model.fit(X, y, X_val=X, y_val=y, sample_weight_val=-np.ones(len(y)))

    def test_warm_start_of_another_network(self, solver):
        X, y = data()
        model = fit(make(solver, warm_start=True), X, y)
        before = vars(model).copy()
        with pytest.raises(ValueError, match="hidden_units 5; got 7"):
            model.set_params(hidden_units=7).fit(X, y)
        model.set_params(hidden_units=5)
        with pytest.raises(ValueError, match="n_features 6; got 4"):
            model.fit(X[:, :4], y)
        with pytest.raises(ValueError, match=r"classes \[0, 1, 2\]; got \[0, 1\]"):
            model.fit(X, np.minimum(y, 1))
        assert vars(model) == before

    def test_failed_fit_leaves_the_last_one(self, solver):
        X, y = data()
        model = fit(make(solver), X, y)
        before = model.predict_proba(X)
        with pytest.raises(ValueError, match="two classes"):
            model.fit(X[:, :3], np.zeros(len(y)))
        assert model.n_features_in_ == 6
        assert_array_equal(model.predict_proba(X), before)


# ------------------------------------------------------------------------ not finite in fit


@pytest.mark.parametrize("size", [1e-150, 1e150])
@pytest.mark.parametrize("solver", SOLVERS)
def test_values_whose_squares_are_finite_train_as_others(solver, size):
    X, y = data()
    model = make(solver, max_iter=50)
    reference = fit(clone(model), X, y)
    with np.errstate(all="raise"):
        fit(model, X * size, y)
        P = model.predict_proba(X * size)
    assert_allclose(P, reference.predict_proba(X), rtol=1e-5)
    assert model.score(X * size, y) > 0.6


@pytest.mark.parametrize(
    ("size", "standardize", "cause"),
    [
        (1e-170, True, "vary too little"),
        (1e300, True, "are too large"),
        (1e300, False, "are too large"),
    ],
)
@pytest.mark.parametrize("solver", SOLVERS)
def test_values_whose_squares_over_or_underflow_are_an_error(solver, size, standardize, cause):
    X, y = data()
    with pytest.raises(ValueError, match=f"values of X {cause}.*Rescale X"):
        make(solver, standardize=standardize).fit(X * size, y)


@pytest.mark.parametrize("size", [1e100, 1e150])
@pytest.mark.parametrize("solver", SOLVERS)
def test_huge_values_without_standardize_are_not_silent(solver, size):
    X, y = data()
    model = make(solver, standardize=False, max_iter=50, alpha=1.0)
    if solver == "sgd":  # a step in such units leads out of all numbers
        with pytest.raises(ValueError, match=r"rescale X, or use standardize=True"):
            model.fit(X * size, y)
    else:
        with pytest.warns(ConvergenceWarning, match="max_iter=50|learned nothing"):
            model.fit(X * size, y)
        assert not model.converged_


def test_predictions_that_overflow_are_an_error():
    X, y = data()
    model = fit(make(hidden_units=50), X, y)
    for far in (1.7e308 * np.sign(X), 1.7e308 * np.repeat(np.sign(X), 10, axis=0)):
        for method in METHODS:
            with pytest.raises(ValueError, match="values of X are so large"):
                getattr(model, method)(far)


@pytest.mark.parametrize("method", [*METHODS, "input_gradient"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_predictions_raise_no_floating_point_error(n_classes, method):
    X, y = data(n_classes)
    model = fit(make(hidden_units=50), X, y)
    for far in (X * 1e3, np.repeat(X, 10, axis=0) * 1e3):  # directly, and in blocks
        expected = getattr(model, method)(far)
        with np.errstate(all="raise"):
            assert_array_equal(getattr(model, method)(far), expected)


@pytest.mark.parametrize(("batch_size", "too_high"), [(20, 1.0), (1000, 10.0)])
def test_divergence_is_an_error_or_a_warning_with_its_likely_cause(batch_size, too_high):
    X, y = data()
    model = make(
        "sgd",
        activation="identity",
        learning_rate="constant",
        learning_rate_init=1e3,
        max_iter=1000,
        batch_size=batch_size,
    )
    with np.errstate(all="ignore"):
        patient = clone(model).set_params(n_iter_no_change=np.inf)
        with pytest.raises(ValueError, match="lower learning_rate_init"):
            patient.fit(X, y)
        with pytest.raises(NotFittedError):
            check_is_fitted(patient)
        # the loss no longer falls: not by convergence
        model.set_params(learning_rate_init=too_high)
        with pytest.warns(ConvergenceWarning, match=r"diverged: .*lower learning_rate_init"):
            model.fit(X, y)
        assert (model.converged_, model.stop_reason_) == (False, "diverged")


# --------------------------------------------------------------------- weights and the search


def test_errors_in_weights_name_them():
    X, y = data()
    for weights in (np.zeros(len(y)), np.full(len(y), np.nan), np.ones(3)):
        with pytest.raises(ValueError, match="sample_weight"):
            make().fit(X, y, weights)


def test_labels_and_weights_from_pyarrow():
    pa = pytest.importorskip("pyarrow")
    X, y = data()
    weights = np.arange(1.0, len(y) + 1)
    model = fit(make(), X, pa.array(y), sample_weight=pa.array(weights))
    assert_same_fit(model, fit(make(), X, y, weights))


def test_labels_that_are_no_classes_are_an_error_that_names_y():
    X, y = data(2)
    for labels in (y + 0.5, y * 1e20):
        with pytest.raises(ValueError, match=r"y is no classification target.*Unknown label type"):
            make().fit(X, labels)


def search(**options):
    return TwoLayerMLPClassifierCV(3, **{"alphas": 3, "random_state": 0, **options})


@pytest.mark.parametrize(
    "scoring", [lambda model, X, y: model.score(X, y), "adjusted_rand_score"], ids=["own", "name"]
)
def test_a_scorer_that_takes_no_weights_is_called_without(scoring):
    X, y = data()
    weighted = fit(search(scoring=scoring), X, y, np.ones(len(y)))
    assert_array_equal(weighted.scores_, fit(search(scoring=scoring), X, y).scores_)


def test_a_scorer_that_takes_weights_gets_them():
    X, y = data()
    seen = []

    def scoring(model, X, y, sample_weight=None):
        seen.append(sample_weight.sum())
        return model.score(X, y, sample_weight)

    fit(search(scoring=scoring), X, y, np.full(len(y), 2.0))
    assert set(seen) == {2 * len(y) / 3}


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_search_under_any_joblib_backend(backend):
    X, y = data()
    expected = fit(search(), X, y)
    with joblib.parallel_config(backend, n_jobs=2):
        # a scorer that cannot be pickled: the folds stay in this process
        chosen = fit(search(scoring=lambda m, X, y: m.score(X, y)), X, y)
        other = fit(search(), X, y)
    assert_same_fit(other, expected)
    assert_array_equal(other.scores_, expected.scores_)
    assert chosen.best_score_ > 0.6


def test_search_names_cv_where_it_cannot_split():
    X = np.arange(8.0).reshape(4, 2)
    assert search().fit(X, [0, 1, 0, 1]).scores_.shape[1] == 3  # the default needs no 3 of a class
    with pytest.raises(ValueError, match=r"cv=4 cannot split X, y: .*n_splits=4"):
        search(cv=4).fit(X, [0, 1, 0, 1])


# -------------------------------------------------------------------------- no convergence


@pytest.mark.parametrize("solver", SOLVERS)
def test_max_iter_reached(solver):
    X, y = data()
    model = make(solver, max_iter=3, learning_rate="constant")
    with pytest.warns(ConvergenceWarning, match="max_iter=3.*increase max_iter"):
        model.fit(X, y)
    assert not model.converged_
    assert model.stop_reason_ == "max_iter"
    assert model.n_iter_ == 3
    assert model.loss_ == pytest.approx(min(model.loss_curve_), rel=1e-6)
    assert model.score(X, y) > 0.33


@pytest.mark.parametrize("solver", SOLVERS)
def test_default_options_converge_without_a_word(solver):
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = TwoLayerMLPClassifier(5, solver=solver, random_state=0).fit(X, y)
    assert model.converged_


# ------------------------------------------------------------------------------- interrupt


@pytest.mark.parametrize("batch_size", [20, 1000])
@pytest.mark.parametrize("solver", SOLVERS)
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


# -------------------------------------------------------------------------- pure functions


def flat_state(model):
    return pickle.dumps(vars(model))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("activation", ["identity", "relu", "tanh"])
def test_predictions_write_nothing(activation, container):
    X, y = data()
    model = fit(make(activation=activation), container(X), y)
    Z = container(X)
    before, state = Z.copy(), flat_state(model)
    for method in METHODS:
        getattr(model, method)(Z)
    assert flat_state(model) == state
    assert abs(Z - before).max() == 0


def test_fit_and_predict_take_read_only_and_memory_mapped_data(tmp_path):
    X, y = data()
    weights = np.ones(len(y))
    joblib.dump((X, y, weights), tmp_path / "data")
    mapped = joblib.load(tmp_path / "data", mmap_mode="r")
    for array in (X, y, weights):
        array.flags.writeable = False
    for solver in SOLVERS:
        model = fit(make(solver), X, y, weights)
        assert_same_fit(model, fit(make(solver), *mapped))
        for method in METHODS:
            result = getattr(model, method)(mapped[0])
            assert_array_equal(result, getattr(model, method)(X))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("solver", SOLVERS)
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


def test_predictions_in_many_threads():
    X, y = data(n_samples=2000)
    model = fit(make(hidden_units=50), X, y)
    expected = model.predict_proba(X)
    barrier = threading.Barrier(4)

    def predict(_):
        barrier.wait()
        return [model.predict_proba(X) for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        for results in pool.map(predict, range(4)):
            for result in results:
                assert_array_equal(result, expected)


def test_fits_in_many_threads():
    X, y = data()
    expected = fit(make("adam", batch_size=20), X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with ThreadPoolExecutor(4) as pool:
            models = list(pool.map(lambda _: make("adam", batch_size=20).fit(X, y), range(8)))
    for model in models:
        assert_same_fit(model, expected)


# ------------------------------------------------------------------------------- saturation


@pytest.mark.parametrize("n_classes", [2, 3])
def test_log_probability_is_finite_where_the_logits_are(n_classes):
    X, y = data(n_classes)
    model = fit(make(activation="relu"), X, y)
    far = 1e4 * X
    assert model.predict_proba(far).min() < 1e-300
    log_probability = model.predict_log_proba(far)
    assert np.isfinite(log_probability).all()
    raw = model.decision_function(far)
    if n_classes == 2:
        raw = np.stack([np.zeros_like(raw), raw], axis=1)
    gap = raw - raw.max(axis=1, keepdims=True)
    certain = np.sort(gap, axis=1)[:, -2] < -50
    assert certain.any()
    assert_allclose(log_probability[certain], gap[certain], atol=1e-12)


# ----------------------------------------------------------------------- scales and offsets


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("batch_size", [20, 1000])
def test_scales_and_offsets_do_not_matter(solver, batch_size):
    X, y = data(n_samples=300)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = TwoLayerMLPClassifier(5, solver=solver, batch_size=batch_size, random_state=0)
    scales = np.geomspace(1e-6, 1e6, 6)
    reference = clone(model).fit(X, y)
    for changed in (X * scales, X * scales[::-1], X + 1e8, X * scales + 1e8 * scales):
        other = clone(model).fit(changed, y)
        assert other.score(changed, y) >= reference.score(X, y) - 0.01


def test_partial_fit_with_an_offset_of_1e8():
    X, y = data(n_samples=300)
    model = make("adam", batch_size=20)
    plain, shifted = clone(model), clone(model)
    for _ in range(10):
        plain.partial_fit(X, y, classes=[0, 1, 2])
        shifted.partial_fit(X + 1e8, y, classes=[0, 1, 2])
    assert shifted.score(X + 1e8, y) >= plain.score(X, y) - 0.01


@pytest.mark.parametrize("solver", SOLVERS)
def test_constant_features_are_harmless(solver):
    X, y = data()
    constants = np.tile([0.0, 1.0, 0.1, -1e8], (len(y), 1))
    options = {"max_iter": 200, "learning_rate": "cosine"}
    plain = fit(make(solver, **options), X, y)
    model = fit(make(solver, **options), np.hstack([X, constants]), y)
    assert np.isfinite(model.predict_proba(np.hstack([X, constants]))).all()
    assert model.score(np.hstack([X, constants]), y) >= plain.score(X, y) - 0.05


# ---------------------------------------------------------------------------------- pickle


@pytest.mark.parametrize("solver", SOLVERS)
def test_pickle_holds_the_parameters_and_little_else(solver):
    X, y = data(n_samples=300)
    X = np.hstack([X] * 20)
    model = fit(make(solver, hidden_units=100, early_stopping=True), X, y)
    n_bytes = sum(array.nbytes for array in (*model.coefs_, *model.intercepts_))
    stored = pickle.dumps(model)
    assert len(stored) < 1.1 * n_bytes + 10_000
    restored = pickle.loads(stored)
    assert_array_equal(restored.predict_proba(X), model.predict_proba(X))
    if solver != "lbfgs":  # adam keeps two moments, in single precision
        model.partial_fit(X, y)
        assert len(pickle.dumps(model)) < 2.1 * n_bytes + 15_000


def test_warm_start_and_partial_fit_go_on_after_pickle():
    X, y = data()
    for model in (make("lbfgs", warm_start=True), make("adam", warm_start=True)):
        fit(model, X, y)
        assert_same_fit(fit(pickle.loads(pickle.dumps(model)), X, y), fit(model, X, y))
    restored = pickle.loads(pickle.dumps(model))
    assert_same_fit(restored.partial_fit(X, y), model.partial_fit(X, y))


# ------------------------------------------------------------------------------ odd shapes


@pytest.mark.parametrize("solver", SOLVERS)
def test_two_rows(solver):
    model = fit(make(solver), [[0.0], [1.0]], ["a", "b"])
    assert_array_equal(model.classes_, ["a", "b"])
    assert model.predict([[0.0]]).shape == (1,)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_row_is_predicted_alone_as_among_others(solver):
    X, y = data(n_samples=600)
    model = fit(make(solver), X, y)
    alone = np.concatenate([model.predict_proba(x[None]) for x in X[:20]])
    assert_allclose(alone, model.predict_proba(X)[:20], rtol=1e-12)


@pytest.mark.parametrize("index_type", [np.int32, np.int64])
@pytest.mark.parametrize("solver", SOLVERS)
def test_sparse_indices_of_any_width_and_order(solver, index_type):
    X, y = data()
    X[np.abs(X) < 0.5] = 0.0
    matrix = sparse.csr_matrix(X)
    expected = fit(make(solver, batch_size=20), matrix, y)
    other = matrix.copy()
    other.indices, other.indptr = other.indices.astype(index_type), other.indptr.astype(index_type)
    assert_same_fit(fit(make(solver, batch_size=20), other, y), expected)


def test_early_stopping_with_a_class_of_one_row_keeps_it_to_train_on():
    X, y = data(2)
    y[:] = X[:, 0] > 0
    y[0] = 2
    model = fit(make(early_stopping=True), X, y)
    assert_array_equal(model.classes_, [0, 1, 2])


def test_rows_in_another_order_give_the_same_fit():
    X, y = data()
    order = np.random.RandomState(0).permutation(len(y))
    for solver in SOLVERS:
        model = make(solver, early_stopping=True)
        a, b = fit(clone(model), X, y), fit(clone(model), X[order], y[order])
        assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-7)


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
@pytest.mark.parametrize("standardize", [True, False])
def test_sparse_entries_in_several_parts_count_as_one_number(solver, standardize):
    rng = np.random.RandomState(0)
    whole = sparse.random(60, 8, 0.4, format="csr", random_state=rng)
    y = rng.randint(2, size=60)
    data, indices = np.repeat(whole.data / 2, 2), np.repeat(whole.indices, 2)
    parts = sparse.csr_matrix((data, indices, 2 * whole.indptr), shape=whole.shape)
    settings = {"solver": solver, "standardize": standardize, "batch_size": 20, "random_state": 0}
    models = [TwoLayerMLPClassifier(4, max_iter=5, **settings) for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        P, Q = (
            m.fit(X, y).predict_proba(whole) for m, X in zip(models, (whole, parts), strict=True)
        )
    assert_array_equal(P, Q)
    assert parts.nnz == 2 * whole.nnz  # the input is left as it is


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("rate", [1e-8, 1e-5])
def test_after_steps_that_are_too_short_the_advice_is_longer_ones(solver, rate):
    net = TwoLayerMLPClassifier(
        10, solver=solver, learning_rate_init=rate, max_iter=20, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="raise learning_rate_init"):
        net.fit(*load_breast_cancer(return_X_y=True))
