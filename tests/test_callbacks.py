"""Callbacks of scikit-learn: the tasks they are told of, and what they may do."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV

callback_api = pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")

SOLVERS = ["lbfgs", "adam", "sgd"]
UNIT = {"lbfgs": "iteration", "adam": "epoch", "sgd": "epoch"}


class Recorder:
    """Note every hook; stop or raise where asked."""

    def __init__(self, answer=lambda context: False):
        self.events, self.answer = [], answer

    def setup(self, estimator, context):
        self.events.append(("setup", context, None))

    def teardown(self, estimator, context):
        self.events.append(("teardown", context, None))

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context, None))

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.events.append(("end", context, (X, y, metadata, fitted_estimator)))
        return self.answer(context)

    def names(self, kind):
        return [context.task_name for what, context, _ in self.events if what == kind]

    def fitted(self, task_name):
        """Fitted estimators given at the end of the tasks of a name."""
        return [
            seen[3]
            for what, context, seen in self.events
            if what == "end" and context.task_name == task_name
        ]


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_iteration_is_a_task_and_none_is_left_open(solver):
    X, y = load_iris(return_X_y=True)
    recorder = Recorder()
    model = TwoLayerMLPClassifier(8, solver=solver, alpha=1.0, n_init=1, random_state=0)
    model.set_callbacks(recorder).fit(X, y)

    kinds = [what for what, _, _ in recorder.events]
    # setup, begin fit, (begin, end) of each iteration, end fit, teardown
    assert kinds == ["setup", "begin", *["begin", "end"] * model.n_iter_, "end", "teardown"]
    assert recorder.names("begin") == ["fit", *[UNIT[solver]] * model.n_iter_]
    ids = [context.task_id for what, context, _ in recorder.events if what == "end"]
    assert ids == [*range(model.n_iter_), 0]
    assert not [name for name in vars(model) if "callback_fit" in name or "teardown" in name]


def test_alphas_and_restarts_are_tasks_before_the_iterations():
    X, y = load_iris(return_X_y=True)
    recorder = Recorder()
    model = TwoLayerMLPClassifier(3, solver="lbfgs", n_init=3, random_state=0)
    model.set_callbacks(recorder).fit(X, y)

    # the best of three restarts goes on; its first 10 iterations were those of a restart
    n_alphas, n_iterations = len(model.alphas_), model.n_iter_ - 10
    leaves = ["alpha"] * n_alphas + ["restart"] * 3 + ["iteration"] * n_iterations
    assert recorder.names("begin") == ["fit", *leaves]
    assert recorder.names("end") == [*leaves, "fit"]
    ends = [context for what, context, _ in recorder.events if what == "end"]
    assert {context.parent.task_name for context in ends[:-1]} == {"fit"}
    # the loss at the end of each restart is the one the fit reports
    losses = [estimator.loss_ for estimator in recorder.fitted("restart")]
    reported = np.array(model.n_init_losses_)
    reported[np.argmin(losses)] = np.min(losses)  # that one went on
    assert_array_equal(losses, reported)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("batch_size", [30, 1000])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("target", ["binary", "multiclass", "multilabel"])
def test_fitted_estimator_is_a_fit_that_ended_with_that_iteration(solver, batch_size, target):
    X, y = load_iris(return_X_y=True)
    if target == "binary":
        y = y == 2
    elif target == "multilabel":
        y = np.column_stack([y == 0, y >= 1, X[:, 0] > 6]).astype(int)
    options = {
        "hidden_units": 5,
        "solver": solver,
        "learning_rate": "constant",  # other schedules depend on max_iter
        "learning_rate_init": 0.01,
        "batch_size": batch_size,
        "n_init": 1,
        "random_state": 0,
    }
    recorder = Recorder()
    TwoLayerMLPClassifier(max_iter=6, **options).set_callbacks(recorder).fit(X, y)
    seen = recorder.fitted(UNIT[solver])
    assert len(seen) == 6
    for i, estimator in enumerate(seen):
        fresh = TwoLayerMLPClassifier(max_iter=i + 1, **options).fit(X, y)
        assert fresh.best_iter_ == fresh.n_iter_ == estimator.n_iter_ == i + 1
        # equal but for the order of the hidden units, hence of the sums
        assert_allclose(estimator.predict_proba(X), fresh.predict_proba(X), rtol=1e-12)
        assert_array_equal(estimator.predict(X), fresh.predict(X))
        assert estimator.loss_ == fresh.loss_curve_[-1]


@pytest.mark.parametrize("solver", SOLVERS)
def test_listening_changes_nothing(solver):
    X, y = load_breast_cancer(return_X_y=True)
    options = {"hidden_units": 4, "solver": solver, "random_state": 0}
    heard = TwoLayerMLPClassifier(**options).set_callbacks(Recorder()).fit(X, y)
    unheard = TwoLayerMLPClassifier(**options).fit(X, y)
    for a, b in zip(
        heard.coefs_ + heard.intercepts_, unheard.coefs_ + unheard.intercepts_, strict=True
    ):
        assert_array_equal(a, b)
    assert heard.loss_curve_ == unheard.loss_curve_


def test_nothing_of_the_callbacks_runs_without_a_callback(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a context was made")

    monkeypatch.setattr(callback_api.CallbackSupportMixin, "_init_callback_context", refuse)
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(4, solver="adam", random_state=0).fit(X, y)
    model.partial_fit(X, y)
    with pytest.raises(AssertionError, match="a context was made"):
        model.set_callbacks(Recorder()).fit(X, y)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_callback_may_stop_the_fit(solver):
    X, y = load_iris(return_X_y=True)
    stopper = Recorder(lambda context: context.task_name == UNIT[solver] and context.task_id == 2)
    model = TwoLayerMLPClassifier(8, solver=solver, alpha=1.0, n_init=1, random_state=0)
    model.set_callbacks(stopper).fit(X, y)  # without a ConvergenceWarning: it was asked for
    assert model.stop_reason_ == "callback"
    assert model.n_iter_ == 3
    assert not model.converged_
    assert stopper.names("end") == [*[UNIT[solver]] * 3, "fit"]


def test_a_callback_may_stop_the_restarts():
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(3, solver="lbfgs", alpha=1.0, n_init=4, random_state=0)
    second = Recorder(lambda context: context.task_name == "restart" and context.task_id == 1)
    model.set_callbacks(second).fit(X, y)
    assert second.names("end") == ["restart", "restart", "fit"]
    assert model.stop_reason_ == "callback"
    assert len(model.n_init_losses_) == 2
    assert model.loss_ == min(model.n_init_losses_)


def test_a_callback_may_stop_the_choice_of_alpha():
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(8, random_state=0)
    model.set_callbacks(Recorder(lambda context: context.task_name == "alpha")).fit(X, y)
    assert len(model.alphas_) == 1
    assert model.alpha_ == model.alphas_[0]
    assert model.converged_


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_interrupt_tears_down_and_leaves_the_estimator_as_it_was(solver):
    def interrupt(context):
        if context.task_id == 1:
            raise KeyboardInterrupt
        return False

    X, y = load_iris(return_X_y=True)
    recorder = Recorder(interrupt)
    model = TwoLayerMLPClassifier(4, solver=solver, n_init=1, random_state=0)
    before = set(vars(model.set_callbacks(recorder)))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert recorder.events[-1][0] == "teardown"
    assert set(vars(model)) == before
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


def test_the_convergence_warning_points_at_the_caller():
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(4, solver="lbfgs", n_init=1, max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_iter=2") as caught:
        model.fit(X, y)
    assert caught[0].filename == __file__


def test_callbacks_get_the_data_as_they_were_given():
    X, y = load_iris(return_X_y=True, as_frame=True)
    weights = np.ones(len(y))
    weights[:10] = 0
    recorder = Recorder()
    model = TwoLayerMLPClassifier(4, random_state=0).set_callbacks(recorder)
    model.fit(X, y, sample_weight=weights)
    for what, _, seen in recorder.events:
        if what == "end":
            assert seen[0] is X
            assert seen[1] is y
            assert list(seen[2]) == ["sample_weight"]
            assert seen[2]["sample_weight"] is weights


@pytest.mark.parametrize("solver", SOLVERS)
def test_scoring_monitor_follows_the_training_loss(solver):
    X, y = load_breast_cancer(return_X_y=True)
    monitor = callback_api.ScoringMonitor(scoring=["neg_log_loss", "accuracy"])
    model = TwoLayerMLPClassifier(
        20, solver=solver, alpha=0.0, learning_rate="constant", batch_size=len(y), random_state=0
    )
    model.set_params(n_init=1, max_iter=20).set_callbacks(monitor)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == UNIT[solver]]
    scores = [-row["neg_log_loss"] for row in rows]
    assert_allclose(scores, model.loss_curve_, rtol=1e-12)


def test_partial_fit_is_a_run_of_its_own():
    X, y = load_iris(return_X_y=True)
    monitor, recorder = callback_api.ScoringMonitor(scoring="neg_log_loss"), Recorder()
    model = TwoLayerMLPClassifier(8, random_state=0).set_callbacks(monitor, recorder)
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1, 2])
    assert [what for what, _, _ in recorder.events] == ["setup", "begin", "end", "teardown"] * 3
    logs = monitor.get_logs(select="all")
    assert [log.data[0]["task_name"] for log in logs] == ["partial_fit"] * 3
    scores = [log.data[0]["neg_log_loss"] for log in logs]
    assert scores[0] < scores[1] < scores[2]


def test_in_a_pipeline_in_a_parallel_search():
    pytest.importorskip("rich")
    X, y = load_breast_cancer(return_X_y=True)
    monitor = callback_api.ScoringMonitor(scoring="accuracy")
    model = TwoLayerMLPClassifier(4, solver="lbfgs", n_init=2, tol=1e-2, random_state=0)
    pipeline = make_pipeline(StandardScaler(), model.set_callbacks(monitor))
    search = GridSearchCV(pipeline, {"twolayermlpclassifier__alpha": [1.0, 10.0]}, cv=2, n_jobs=2)
    search.set_callbacks(callback_api.ProgressBar(max_propagation_depth=None)).fit(X, y)
    rows = monitor.get_logs().data
    names = {row["task_name"] for row in rows}
    assert {"iteration", "restart", "fit"} <= names
    fits = {row["task_id_path"] for row in rows if row["task_name"] == "fit"}
    assert len(fits) == 2 * 2 + 1  # candidates x folds, and the refit


def make_cv():
    return TwoLayerMLPClassifierCV((2, 4), alphas=[10.0, 1.0], cv=2, solver="lbfgs", random_state=0)


def test_the_search_over_alpha_tells_of_its_paths_and_of_its_final_fit():
    X, y = load_iris(return_X_y=True)
    recorder, monitor = Recorder(), callback_api.ScoringMonitor(scoring="accuracy")
    model = make_cv().set_callbacks(recorder, monitor).fit(X, y)
    plain = make_cv().fit(X, y)
    assert_array_equal(model.coefs_[0], plain.coefs_[0])

    begun = recorder.names("begin")
    path = ["path", "alpha", "alpha"]
    assert begun[:8] == ["fit", *path, *path, "fit"]  # the second is that of the network
    assert begun.count("restart") == 16 + 8 + 4 + 2
    assert sorted(begun) == sorted(recorder.names("end"))
    # every setup has its teardown: for the search and for the network
    kinds = [what for what, _, _ in recorder.events]
    assert kinds.count("setup") == kinds.count("teardown") == 2
    rows = monitor.get_logs().data
    assert rows[0]["accuracy"] == model.score(X, y)
    # the best start has converged before it is alone
    assert {row["task_name"] for row in rows} == {"fit", "restart"}


def test_a_callback_may_stop_a_path_or_the_search():
    X, y = load_iris(return_X_y=True)
    model = make_cv().set_callbacks(Recorder(lambda context: context.task_name == "alpha"))
    model.fit(X, y)
    assert model.alpha_ == 10.0
    assert np.isnan(model.scores_[:, :, 1]).all()
    assert not np.isnan(model.scores_[:, :, 0]).any()

    model.set_callbacks(Recorder(lambda context: context.task_name == "path")).fit(X, y)
    assert model.scores_.shape == (1, 2, 2)
    assert model.hidden_units_ == 2


def test_progress_bars_of_a_search(capsys):
    pytest.importorskip("rich")
    X, y = load_iris(return_X_y=True)
    make_cv().set_callbacks(callback_api.ProgressBar(max_propagation_depth=None)).fit(X, y)
    lines = [line for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert len(lines) == 1 + 2 + 1  # the search, its paths, the final fit
    assert all("100%" in line for line in lines)


def rows_of_bars(estimator, capsys):
    pytest.importorskip("rich")
    estimator.fit(*load_iris(return_X_y=True))
    return [line for line in capsys.readouterr().out.splitlines() if "%" in line]


@pytest.mark.parametrize("alpha", ["auto", 1.0])
@pytest.mark.parametrize("hidden_units", [3, 100])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_fit_is_one_row_that_ends_complete(solver, hidden_units, alpha, capsys):
    model = TwoLayerMLPClassifier(hidden_units, solver=solver, alpha=alpha, random_state=0)
    (row,) = rows_of_bars(model.set_callbacks(callback_api.ProgressBar()), capsys)
    assert row.startswith("TwoLayerMLPClassifier - fit")
    assert "100%" in row


@pytest.mark.parametrize(("depth", "n_rows"), [(0, 2), (1, 2 + 5), (2, 2 + 5 * 3), (None, 17)])
def test_rows_of_a_search_by_depth(depth, n_rows, capsys):
    network = TwoLayerMLPClassifier(3, n_init=4, random_state=0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), network),
        {"twolayermlpclassifier__alpha": [1.0, 10.0]},
        cv=2,
    )
    search.set_callbacks(callback_api.ProgressBar(max_propagation_depth=depth))
    # scikit-learn's two for the search; then one for each pipeline; then one for each step of it
    rows = rows_of_bars(search, capsys)
    assert len(rows) == n_rows
    assert all("100%" in row for row in rows)


def test_a_bar_alone_is_told_of_steps_and_seldom(monkeypatch):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(3, alpha=1.0, n_init=4, random_state=0)
    bar = Recorder()
    bar.max_propagation_depth = 1  # what makes scikit-learn pass it on
    model.set_callbacks(bar)

    def seconds(step):
        bar.events.clear()
        ticks = itertools.count(0.0, step)
        monkeypatch.setattr("sk_mlp._callbacks.perf_counter", lambda: next(ticks))
        model.fit(X, y)
        return bar.names("end")

    assert seconds(0.0) == ["fit"]  # over before the first step is due
    # of 4 + 2 restarts and 1000 iterations, 20 of the best start's were those of restarts
    n_done = 4 + 2 + model.n_iter_ - 20
    assert n_done > 40
    assert seconds(1.0) == ["step"] * (100 * n_done // 1006) + ["fit"]


def test_without_the_callback_api():
    """Below scikit-learn 1.9 there is no `set_callbacks`, and no error."""
    code = (
        # scikit-learn itself has what it needs of the module before it is hidden
        "import sys, sklearn.linear_model, sklearn.model_selection, sklearn.pipeline\n"
        "sys.modules['sklearn.callback'] = None\n"
        "from sk_mlp import TwoLayerMLPClassifier\n"
        "model = TwoLayerMLPClassifier(2, random_state=0).fit([[0.0], [1.0]], [0, 1])\n"
        "assert not hasattr(model, 'set_callbacks')\n"
        "assert model.partial_fit([[0.0], [1.0]], [0, 1]) is model\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
