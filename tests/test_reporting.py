"""What verbose prints, and what a fit warns of."""

import re
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import ConvergenceWarning

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV
from sk_mlp._reporting import is_due
from sk_mlp._training.alpha import AlphaChoice

LINE = re.compile(
    r"(?P<label>\w+( \w+ \d+/\d+| best restart)?)  "
    r"((iteration|epoch) +(?P<iteration>\d+)/(?P<max_iter>\d+)|(paused|ended by \w+) after \d+ \w+)"
    r"  loss (?P<loss>\d+\.\d{5})( of (iteration|epoch) \d+)?"
    r"(  validation loss (?P<validation>\d+\.\d{5}))?  \d+\.\d s"
)


def printed(model, X, y, capsys):
    model.fit(X, y)
    chosen, *lines = capsys.readouterr().out.splitlines()
    assert f"alpha = {model.alpha_:.3g}, chosen from " in chosen
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), lines
    return lines, found


def test_due_iterations():
    due = [i for i in range(1, 1001) if is_due(i)]
    assert due == [
        *(1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70),
        *(100, 150, 200, 300, 500, 700, 1000),
    ]


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
def test_one_line_per_interval(solver, capsys):
    X, y = load_breast_cancer(return_X_y=True)
    model = TwoLayerMLPClassifier(20, solver=solver, n_init=1, verbose=1, random_state=0)
    lines, found = printed(model, X, y, capsys)
    assert 5 <= len(lines) <= 20
    assert {match["label"] for match in found} == {solver}
    for match in found[:-1]:
        assert is_due(int(match["iteration"]))
        assert match["loss"] == f"{model.loss_curve_[int(match['iteration']) - 1]:.5f}"
        assert match["validation"] is None
    assert f"ended by {model.stop_reason_} after {model.n_iter_} " in lines[-1]
    assert found[-1]["loss"] == f"{model.loss_:.5f}"


def test_the_chosen_alpha_is_a_line(capsys):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(4, n_init=1, verbose=1, warm_start=True, random_state=0)
    for _ in range(2):  # a warm start keeps the choice
        line = "lbfgs  alpha = {}, chosen from {} to {}  "
        values = [f"{a:.3g}" for a in (model.fit(X, y).alpha_, model.alphas_[-1], model.alphas_[0])]
        assert capsys.readouterr().out.startswith(line.format(*values))
    model.set_params(alpha=0.5).fit(X, y)
    assert "alpha" not in capsys.readouterr().out


def failed_choice(*args, **kwargs):
    return AlphaChoice(1e5, np.array([1e5, 1.0]), np.full((2, 2), np.nan))


def test_a_choice_of_alpha_without_a_score_is_told(monkeypatch, capsys):
    monkeypatch.setattr("sk_mlp._classifier.choose_alpha", failed_choice)
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(4, n_init=1, verbose=1, random_state=0)
    message = (
        r"learned nothing.*\. Every fit to choose alpha diverged; rescale X, .* or set alpha\."
    )
    with pytest.warns(ConvergenceWarning, match=message):
        model.fit(X, y)
    assert "alpha = 1e+05, as every fit to choose it diverged  " in capsys.readouterr().out


@pytest.mark.parametrize("alpha", [1.0, "auto"])
@pytest.mark.parametrize("max_iter", [None, 20])
def test_steps_that_are_too_short_are_one_warning(alpha, max_iter):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(
        8, solver="adam", alpha=alpha, learning_rate_init=1e-7, max_iter=max_iter, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="raise learning_rate_init") as warned:
        model.fit(X, y)
    assert len(warned) == 1
    assert f"stopped after max_iter={model.n_iter_} epochs without" in str(warned[0].message)
    assert (model.stop_reason_, model.converged_) == ("max_iter", False)


@pytest.mark.parametrize("alpha", [1.0, "auto"])
@pytest.mark.parametrize(
    ("options", "reason"),
    [({"learning_rate": "constant"}, "tol"), ({"early_stopping": True}, "early_stopping")],
)
def test_steps_too_short_to_go_on_are_one_warning(options, reason, alpha):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(
        8, solver="adam", alpha=alpha, learning_rate_init=1e-8, random_state=0, **options
    )
    message = "learned nothing.* still falling; raise learning_rate_init or lower tol"
    with pytest.warns(ConvergenceWarning, match=message) as warned:
        model.fit(X, y)
    assert len(warned) == 1
    assert (model.stop_reason_, model.converged_) == (reason, True)


def test_short_steps_on_noise_are_no_divergence():
    X, y = load_iris(return_X_y=True)
    y = np.random.RandomState(0).permutation(y)
    model = TwoLayerMLPClassifier(10, solver="adam", learning_rate_init=1e-6, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_iter=.*raise learning_rate_init") as warned:
        model.fit(X, y)
    assert len(warned) == 1
    assert model.alpha_ > 100  # the penalty alone exceeds the loss of any start


def test_few_iterations_of_lbfgs_are_one_warning():
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(10, alpha=1.0, tol=1e9, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_iter=1 iterations") as warned:
        model.set_params(max_iter=1).fit(X, y)
    assert len(warned) == 1


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
def test_validation_labels_of_other_rows_are_the_likely_cause(solver):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(8, solver=solver, early_stopping=True, random_state=0)
    with pytest.warns(ConvergenceWarning, match="check that y_val belongs to X_val") as warned:
        model.fit(X, y, X_val=X, y_val=(y + 1) % 3)
    assert len(warned) == 1
    unit = "iteration" if solver == "lbfgs" else "epoch"
    assert f"was lowest at {unit} {model.best_iter_} and rose" in str(warned[0].message)
    assert model.stop_reason_ == "early_stopping"


def test_a_rate_that_is_too_high_is_not_the_fault_of_the_validation_data():
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(
        10, solver="adam", learning_rate_init=1000, early_stopping=True, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="diverged.*lower learning_rate_init"):
        model.fit(X, y)


@pytest.mark.parametrize("search", [False, True])
def test_tiny_features_that_are_not_standardized_are_a_warning(search):
    X, y = load_iris(return_X_y=True)
    cls = TwoLayerMLPClassifierCV if search else TwoLayerMLPClassifier
    model = cls(10, standardize=False, random_state=0)
    with pytest.warns(ConvergenceWarning, match="learned nothing.*use standardize=True") as warned:
        model.fit(1e-8 * X, y)
    assert [warning.filename for warning in warned] == [__file__]


@pytest.mark.parametrize(
    ("options", "weight", "message"),
    [
        ({}, 1e-4, "smallest alpha, 0.01, is large for a mean sample weight of 0.0001; pass"),
        ({"alphas": [1e5, 1e6]}, 1.0, r"smallest alpha, 1e\+05, is large for a mean .* of 1; pass"),
    ],
)
def test_a_search_among_too_large_alphas_is_a_warning(options, weight, message):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifierCV(10, random_state=0, **options)
    with pytest.warns(ConvergenceWarning, match=f"learned nothing.*{message} smaller") as warned:
        model.fit(X, y, np.full(len(y), weight))
    assert [warning.filename for warning in warned] == [__file__]


@pytest.mark.parametrize("cls", [TwoLayerMLPClassifier, TwoLayerMLPClassifierCV])
@pytest.mark.parametrize("seed", [0, 1])
def test_pure_noise_is_no_warning(cls, seed):
    X, y = load_iris(return_X_y=True)
    y = np.random.RandomState(seed).permutation(y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cls(10, random_state=0).fit(X, y)


def test_restarts_take_a_line_each(capsys):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(3, solver="lbfgs", n_init=3, verbose=True, random_state=0)
    lines, found = printed(model, X, y, capsys)
    labels = [match["label"] for match in found]
    assert labels[:3] == [f"lbfgs restart {i}/3" for i in (1, 2, 3)]
    assert {*labels[3:]} == {"lbfgs best restart"}
    assert sum("paused after 10 iterations" in line for line in lines) == 3
    assert sum("ended by" in line for line in lines) == 1  # a pause is no end by max_iter


def test_every_iteration_with_its_validation_loss(capsys):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(8, solver="adam", early_stopping=True, verbose=2, random_state=0)
    _, found = printed(model, X, y, capsys)
    assert [int(match["iteration"]) for match in found[:-1]] == [*range(1, model.n_iter_ + 1)]
    expected = [f"{loss:.5f}" for loss in model.validation_loss_curve_]
    assert [match["validation"] for match in found[:-1]] == expected


def test_a_line_per_pass_of_partial_fit(capsys):
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(8, verbose=1, random_state=0)
    for _ in range(2):
        model.partial_fit(X, y, classes=[0, 1, 2])
    lines = capsys.readouterr().out.splitlines()
    for i, line in enumerate(lines):
        assert line.startswith(f"adam  pass {i + 1}  loss {model.loss_curve_[i]:.5f}  ")
    assert len(lines) == 2


def test_silent_by_default(capsys):
    X, y = load_iris(return_X_y=True)
    TwoLayerMLPClassifier(3, random_state=0).fit(X, y)
    assert capsys.readouterr().out == ""
