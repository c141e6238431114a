"""TwoLayerMLPClassifierCV: what it chooses, and by what."""

import re

import joblib
import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from problems import assert_same_fit
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV
from sk_mlp import _classifier_cv as search_module
from sk_mlp._training.settings import TUNED_EPOCHS


def noisy(n_samples=300, **options):
    return make_classification(
        n_samples, n_features=8, n_informative=3, flip_y=0.2, random_state=0, **options
    )


def make(hidden_units=6, **options):
    options = {"alphas": (30.0, 3.0, 0.3), "cv": 3, "random_state": 0, **options}
    return TwoLayerMLPClassifierCV(hidden_units, **options)


# ----------------------------------------------------------------------------- the choice


def test_noise_gets_a_larger_alpha_than_clean_data():
    clean = TwoLayerMLPClassifierCV(20, random_state=0).fit(*load_iris(return_X_y=True))
    X, y = make_classification(300, n_features=30, n_informative=3, flip_y=0.3, random_state=0)
    noise = TwoLayerMLPClassifierCV(20, random_state=0).fit(X, y)
    assert noise.alpha_ > 5 * clean.alpha_


def test_a_tuned_network_beats_the_untuned_one_on_noise():
    X, y = noisy(600)
    tuned = TwoLayerMLPClassifierCV(30, random_state=0).fit(X[:300], y[:300])
    plain = TwoLayerMLPClassifier(30, random_state=0).fit(X[:300], y[:300])
    losses = [log_loss(y[300:], model.predict_proba(X[300:])) for model in (tuned, plain)]
    assert losses[0] < losses[1]


# ------------------------------------------------------------------------------- the path


def test_shapes_and_order():
    X, y = noisy()
    model = make((3, 6), alphas=[0.3, 30.0, 3.0]).fit(X, y)
    assert_array_equal(model.alphas_, [30.0, 3.0, 0.3])
    assert model.scores_.shape == (2, 3, 3)
    i, j = (3, 6).index(model.hidden_units_), model.alphas_.tolist().index(model.alpha_)
    assert model.best_score_ == model.scores_[i, :, j].mean()
    assert model.coefs_[0].shape == (8, model.hidden_units_)
    assert make(alphas=5).fit(X, y).alphas_ == pytest.approx([100, 10, 1, 0.1, 0.01])


def test_a_path_goes_from_the_middle_both_ways_as_long_as_it_pays():
    X, y = noisy()
    # down to the first that is no better, then up to the first that is worse by more than 2 %
    course = {3: -0.500, 4: -0.490, 5: -0.491, 2: -0.499, 1: -0.480, 0: -0.490}
    given = iter(course.values())
    model = make(alphas=8, cv=[(np.arange(200), np.arange(200, 300))])
    model.set_params(scoring=lambda network, X, y: next(given)).fit(X, y)
    expected = np.full(8, np.nan)
    expected[list(course)] = list(course.values())
    assert_array_equal(model.scores_[0, 0], expected)
    assert model.alpha_ == model.alphas_[1]


def test_both_ways_end_early_where_the_loss_has_its_minimum_in_between():
    X, y = noisy()
    alphas = np.geomspace(1e4, 1e-4, 17)
    means = make(20, alphas=alphas).fit(X, y).scores_.mean(axis=1)[0]
    scored = np.flatnonzero(~np.isnan(means))
    assert_array_equal(scored, np.arange(scored[0], scored[-1] + 1))
    assert scored[0] < (len(alphas) - 1) // 2 < scored[-1]
    assert 2 < len(scored) < 12
    assert means[scored[0]] < np.nanmax(means) > means[scored[-1]]


def test_held_out_log_loss_is_that_of_scikit_learn():
    X, y = load_iris(return_X_y=True)
    ours = make().fit(X, y)
    theirs = make(scoring=get_scorer("neg_log_loss")).fit(X, y)
    assert_allclose(ours.scores_, theirs.scores_, rtol=1e-4)
    assert ours.alpha_ == theirs.alpha_


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_path_leaves_the_collapsed_network(activation):
    X, y = load_breast_cancer(return_X_y=True)
    model = make(alphas=(1e6, 1e5, 1.0), activation=activation).fit(X, y)
    prior = log_loss(y, np.tile(np.bincount(y) / len(y), (len(y), 1)))
    scores = -model.scores_.mean(axis=1)[0]
    assert_allclose(scores[:2], prior, rtol=0.02)
    assert model.alpha_ == 1.0
    assert scores[2] < prior / 4


def test_any_score():
    X, y = noisy()
    for scoring in ("roc_auc", None, lambda model, X, y: float(model.score(X, y))):
        model = make(scoring=scoring).fit(X, y)
        assert ((model.scores_ > 0.5) & (model.scores_ <= 1)).all()


@pytest.mark.parametrize("value", [np.nan, -np.inf, np.inf])
def test_a_score_that_is_never_finite_is_an_error(value):
    with pytest.raises(ValueError, match="no finite score"):
        make(scoring=lambda model, X, y: value).fit(*noisy())


def test_a_score_that_is_not_finite_does_not_end_the_path():
    given = iter([-np.inf, 0.6, 0.7])  # in the middle, then down, then up
    model = make(alphas=[10.0, 1.0, 0.1], cv=[(np.arange(200), np.arange(200, 300))])
    model.set_params(scoring=lambda network, X, y: next(given)).fit(*noisy())
    assert_array_equal(model.scores_[0, 0], [0.7, -np.inf, 0.6])
    assert model.alpha_ == 10.0


def test_an_alpha_at_which_the_fit_diverges_has_no_score():
    model = make(solver="sgd", alphas=[1e8, 1.0, 0.1]).fit(*noisy())
    assert np.isnan(model.scores_[0, :, 0]).all()
    assert model.alpha_ < 2


def test_data_too_large_for_the_search_are_an_error_without_warnings():
    X, y = noisy()
    with pytest.raises(ValueError, match="no finite score"):
        make(standardize=False).fit(X * 1e40, y)


def test_an_interrupt_between_two_alphas_gives_the_threads_back(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    X, y = noisy()
    with threadpool_limits(2, user_api="blas"):
        before = [pool["num_threads"] for pool in threadpool_info()]
        monkeypatch.setattr("sk_mlp._reporting.Reporter.print", interrupt)
        with pytest.raises(KeyboardInterrupt) as caught:
            make(verbose=1).fit(X, y)
        assert [pool["num_threads"] for pool in threadpool_info()] == before
    assert caught.value is not None  # its traceback holds the frames of the fit until here


# -------------------------------------------------------------------------- splits, weights


def test_the_default_split_depends_on_size_and_on_the_rarest_class():
    X, y = noisy(3_001)
    two = make(alphas=[1.0], cv=None)
    assert two.fit(X, y).scores_.shape[1] == 2
    assert clone(two).fit(X[1:], y[1:]).scores_.shape[1] == 3
    rare = np.arange(len(y)) < 147  # 49 held out, not 50
    assert clone(two).fit(X, rare).scores_.shape[1] == 3


def test_equal_rows_stay_together_in_the_default_splits(monkeypatch):
    X, y = noisy(120)
    X, y = np.repeat(X, 5, axis=0), np.repeat(y, 5)
    seen = []
    make_fold = search_module.make_fold

    def spy(data, split, *rest):
        seen.append([{tuple(row) for row in data.X[rows]} for rows in split])
        return make_fold(data, split, *rest)

    monkeypatch.setattr(search_module, "make_fold", spy)
    make(cv=None).fit(X, y)
    assert len(seen) == 3
    for train, test in seen:
        assert not train & test
        assert len(train | test) == 120


def test_a_few_thousand_rows_are_enough_to_choose(monkeypatch):
    monkeypatch.setattr(search_module, "SEARCH_ROWS", 200)
    X, y = noisy(900)
    looked_at = []
    make_fold = search_module.make_fold

    def spy(data, split, *rest):
        looked_at.append(sum(map(len, split)))
        return make_fold(data, split, *rest)

    monkeypatch.setattr(search_module, "make_fold", spy)
    weights = np.random.RandomState(0).uniform(size=len(y))
    network = make(cv=None).fit(X, y, weights)
    assert looked_at == [200, 200, 200]
    same = TwoLayerMLPClassifier(
        6, alpha=network.alpha_, solver="lbfgs", tol=network.tol, random_state=0
    )
    assert network.loss_ <= 1.05 * same.fit(X, y, weights).loss_  # all rows are fitted
    looked_at.clear()
    make(cv=3).fit(X, y)
    make(cv=None, refit=False).fit(X, y)  # the network is that of a split
    assert looked_at == [900] * 6


def test_auto_tries_more_units_where_there_are_many_rows(monkeypatch):
    monkeypatch.setattr(search_module, "UNITS", (3, 5))
    monkeypatch.setattr(search_module, "MORE_UNITS_ROWS", 300)
    X, y = noisy(301)
    assert make("auto", alphas=[3.0, 0.3]).fit(X, y).scores_.shape[0] == 2
    # noisy data do not need them
    assert make("auto", alphas=[300.0, 30.0]).fit(X, y).scores_.shape[0] == 1
    weights = np.full(len(y), 100.0)
    assert make("auto", alphas=[300.0, 30.0]).fit(X, y, weights).scores_.shape[0] == 2
    assert make("auto").fit(X[1:], y[1:]).hidden_units_ == 3
    with pytest.raises(
        ValueError, match=r"'hidden_units' .* must be .*'auto'.* Got 'many' instead"
    ):
        make("many").fit(X, y)


def test_groups_reach_the_splitter():
    X, y = noisy()
    groups = np.arange(len(y)) % 5
    assert make(cv=GroupKFold(5)).fit(X, y, groups=groups).scores_.shape[1] == 5
    with pytest.raises(ValueError, match="groups"):
        make(cv=GroupKFold(5)).fit(X, y)
    with pytest.warns(UserWarning, match=r"groups are ignored .* pass cv=GroupKFold"):
        make(cv=None).fit(X, y, groups=groups)


def test_weights_count_as_repetitions_in_fits_and_scores():
    X, y = noisy(120)
    weights = np.random.RandomState(0).randint(0, 4, len(y))
    groups = np.arange(len(y)) % 3
    weighted = make(cv=list(LeaveOneGroupOut().split(X, y, groups)))
    weighted.fit(X, y, sample_weight=weights)
    X, y, groups = (np.repeat(a, weights, axis=0) for a in (X, y, groups))
    repeated = make(cv=list(LeaveOneGroupOut().split(X, y, groups))).fit(X, y)
    assert_allclose(weighted.scores_, repeated.scores_, rtol=1e-3)  # single precision
    assert weighted.alpha_ == repeated.alpha_
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ([], r"cv=\[\] gives no split"),
        ([(np.arange(100), np.arange(0))], "no row to score on"),
        ([(np.arange(10, 100), np.arange(10))], "sample_weight is zero for all rows to score on"),
        ([(np.arange(10), np.arange(10, 100))], "sample_weight is zero for all rows to train on"),
    ],
)
def test_a_split_without_rows_or_weight_is_an_error(cv, message):
    X, y = noisy()
    weights = np.ones(len(y))
    weights[:10] = 0.0
    with pytest.raises(ValueError, match=message):
        make(cv=cv).fit(X, y, sample_weight=weights)


def test_weights_count_in_any_score():
    X, y = noisy()
    weights = np.where(y == 1, 1.0, 1e-6)
    model = make(scoring="accuracy", alphas=[1.0]).fit(X, y, sample_weight=weights)
    assert model.best_score_ > 0.99  # all that counts is one class


def test_routing_in_a_pipeline():
    X, y = noisy()
    weights = np.where(y == 1, 2.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        search = make().set_fit_request(sample_weight=True, groups=False)
        routed = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), search)
        routed.fit(X, y, sample_weight=weights)
    plain = make_pipeline(StandardScaler(), make())
    plain.fit(X, y, twolayermlpclassifiercv__sample_weight=weights)
    assert_array_equal(routed.predict_proba(X), plain.predict_proba(X))


# ------------------------------------------------------------------------------- the fit


def test_folds_in_threads_give_the_same():
    X, y = noisy()
    one, two = make().fit(X, y), make(n_jobs=2).fit(X, y)
    assert_array_equal(one.scores_, two.scores_)
    assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_the_final_network_is_trained_on_all_data_or_on_the_best_fold():
    X, y = noisy()
    cv = StratifiedKFold(3)
    for refit in (True, False):
        model = make(refit=refit, cv=cv).fit(X, y)
        j = model.alphas_.tolist().index(model.alpha_)
        rows = np.arange(len(y))
        if not refit:
            rows = list(cv.split(X, y))[int(model.scores_[0, :, j].argmax())][0]
        direct = TwoLayerMLPClassifier(
            6,
            solver="lbfgs",
            alpha=model.alpha_,
            tol=model.tol,
            random_state=np.random.RandomState(0).randint(2**31 - 1),
        ).fit(X[rows], y[rows])
        assert_array_equal(model.predict_proba(X), direct.predict_proba(X))
        assert model.converged_
        assert model.loss_curve_ == direct.loss_curve_


def test_the_final_fit_warns_of_max_iter_where_the_user_called():
    X, y = noisy()
    with pytest.warns(ConvergenceWarning, match="lbfgs stopped after max_iter=3") as warned:
        make(max_iter=3).fit(X, y)
    assert [warning.filename for warning in warned] == [__file__]


def test_an_alpha_that_leaves_nothing_is_a_warning():
    X, y = noisy()
    model = make(alphas=[1e8])
    with pytest.warns(ConvergenceWarning, match="pass smaller alphas"):
        model.fit(X, y)
    assert_allclose(
        model.predict_proba(X), np.tile([np.mean(y == 0), np.mean(y)], (len(y), 1)), atol=1e-6
    )


def test_without_refit_the_best_fold_needs_all_classes():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"refit=False needs every class in split 0.*\[2\]"):
        make(cv=[(np.arange(100), np.arange(50, 150))], refit=False).fit(X, y)


def test_many_rows_are_fitted_in_batches_in_the_end_for_more_epochs():
    X, y = noisy(10_001)
    model = make(alphas=[1.0], cv=None).fit(X, y)
    assert model.stop_reason_ == "schedule"
    assert model.n_iter_ == TUNED_EPOCHS
    assert clone(model).fit(X[1:], y[1:]).stop_reason_ in ("tol", "stationary")


def test_sparse_text_like_data_are_fitted_afresh_at_each_alpha():
    X, y = noisy(400)
    wide = sparse.hstack(
        [sparse.csr_matrix(X), sparse.random(400, 800, 0.02, random_state=0)], format="csr"
    )
    model = make(20).fit(wide, y)
    assert model.stop_reason_ == "schedule"
    assert model.score(wide, y) > 0.7


def test_multilabel():
    X, y = noisy()
    Y = np.column_stack([y, 1 - y, X[:, 0] > 0]).astype(int)
    for scoring in ("neg_log_loss", "f1_macro"):
        model = make(scoring=scoring).fit(X, Y)
        assert model.predict(X).shape == Y.shape
        assert (model.predict(X) == Y).mean() > 0.7


def test_it_can_be_scored_itself():
    assert cross_val_score(make(), *noisy(), cv=2).mean() > 0.6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_units": ()}, r"hidden_units.*Got \(\)"),
        ({"hidden_units": (3, 0)}, r"hidden_units.*Got \(3, 0\)"),
        ({"alphas": -1.0}, "alphas.*Got -1.0"),
        ({"alphas": []}, r"alphas.*Got \[\]"),
        ({"alphas": 0}, None),
        ({"solver": "newton"}, "solver.*Got 'newton'"),
    ],
)
def test_bad_parameters_are_named_and_leave_a_fitted_estimator_alone(options, message):
    X, y = noisy()
    model = make().fit(X, y)
    before = model.predict_proba(X)
    model.set_params(**options)
    if message is None:  # zero is a penalty, not a number of penalties
        assert model.fit(X, y).alpha_ == 0
        return
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert_array_equal(model.predict_proba(X), before)


def test_rows_of_weight_zero_are_as_if_removed():
    X, y = noisy()
    weight = np.where(np.arange(len(y)) % 3, 0.0, 2.0)
    first = make(cv=None).fit(X, y, weight)
    second = make(cv=None).fit(X[::3], y[::3], weight[::3])
    assert_array_equal(first.scores_, second.scores_)
    assert_array_equal(first.coefs_[0], second.coefs_[0])


@pytest.mark.parametrize("scoring", [["accuracy"], {"a": "accuracy"}, ("accuracy",)])
def test_several_scores_are_an_error(scoring):
    with pytest.raises(TypeError, match=r"'scoring' .* a callable or None\. Got .*accuracy"):
        make(scoring=scoring).fit(*noisy())


def test_an_error_of_a_score_names_it():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="scoring='f1' cannot be used: Target is multiclass"):
        make(scoring="f1").fit(X, y)


def test_masks_are_splits():
    X, y = noisy()
    mask = np.arange(len(y)) % 3 == 0
    by_mask = make(3, cv=[(~mask, mask)]).fit(X, y)
    by_index = make(3, cv=[(np.flatnonzero(~mask), np.flatnonzero(mask))]).fit(X, y)
    assert_array_equal(by_mask.scores_, by_index.scores_)
    assert_array_equal(clone(by_mask).set_params(refit=False).fit(X, y).scores_, by_mask.scores_)


def test_cv_and_rows_that_cannot_be_split_are_named():
    with pytest.raises(ValueError, match="cv=1 cannot split"):
        make(cv=1).fit(*noisy())
    for cv in ([5], [(1, 2)], [(range(5), [10**6])]):
        with pytest.raises(ValueError, match=re.escape(f"cv={cv!r}")):
            make(cv=cv).fit(*noisy())
    with pytest.raises(ValueError, match="X has 3 rows that are all equal"):
        make(cv=None).fit(np.ones((3, 2)), [0, 1, 1])


# ------------------------------------------------------------------- scorers and backends


@pytest.mark.parametrize(
    "scoring", [lambda model, X, y: model.score(X, y), "adjusted_rand_score"], ids=["own", "name"]
)
def test_a_scorer_that_takes_no_weights_is_called_without(scoring):
    X, y = noisy()
    model = make(3, scoring=scoring)
    plain = clone(model).fit(X, y)
    assert_array_equal(model.fit(X, y, np.ones(len(y))).scores_, plain.scores_)


def test_a_scorer_that_takes_weights_gets_them():
    X, y = noisy()
    seen = []

    def scoring(model, X, y, sample_weight=None):
        seen.append(sample_weight.sum())
        return model.score(X, y, sample_weight)

    make(3, scoring=scoring).fit(X, y, np.full(len(y), 2.0))
    assert set(seen) == {2 * len(y) / 3}


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_search_under_any_joblib_backend(backend):
    X, y = noisy()
    expected, by_accuracy = make(3).fit(X, y), make(3, scoring="accuracy").fit(X, y)
    with joblib.parallel_config(backend, n_jobs=2):
        # a scorer that cannot be pickled: the folds stay in this process
        unpicklable = make(3, scoring=lambda model, X, y: model.score(X, y)).fit(X, y)
        other = make(3).fit(X, y)
    assert_same_fit(other, expected)
    assert_array_equal(other.scores_, expected.scores_)
    assert_array_equal(unpicklable.scores_, by_accuracy.scores_)


def test_cv_is_named_where_it_cannot_split():
    X, y = np.arange(8.0).reshape(4, 2), [0, 1, 0, 1]
    assert make(cv=None).fit(X, y).scores_.shape[1] == 3  # the default needs no 3 of a class
    with pytest.raises(ValueError, match=r"cv=4 cannot split X, y: .*n_splits=4"):
        make(cv=4).fit(X, y)


@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy"])
def test_rows_without_weight_do_not_count_in_given_splits(scoring):
    X, y = make_classification(120, 6, random_state=0)
    splits = [(np.arange(80), np.arange(80, 120)), (np.arange(40, 120), np.arange(40))]
    more = np.arange(120, 200)
    with_more = [(np.r_[train, more], np.r_[test, more[:7]]) for train, test in splits]
    search = TwoLayerMLPClassifierCV(4, alphas=3, scoring=scoring, random_state=0)
    one = clone(search).set_params(cv=splits).fit(X, y, np.ones(120))
    X, y = np.r_[X, X[:80]], np.r_[y, 1 - y[:80]]
    two = clone(search).set_params(cv=with_more).fit(X, y, np.r_[np.ones(120), np.zeros(80)])
    assert_allclose(two.scores_, one.scores_, rtol=1e-6)
    assert two.alpha_ == one.alpha_
