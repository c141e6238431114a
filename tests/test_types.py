"""What a type checker knows of the package."""

import os
import subprocess
import sys
import typing
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

import sk_mlp
from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV
from sk_mlp._types import Activation, FittedNetwork, LearningRate, Solver
from sk_mlp._validation import CONSTRAINTS

SCRIPT = """
import numpy as np
from sk_mlp import LossCurveDisplay, TwoLayerMLPClassifier, TwoLayerMLPClassifierCV

X = np.zeros((10, 2))
network = TwoLayerMLPClassifier(20, activation="tanh", alpha=1.0).fit(X, [0, 1] * 5)
loss: float = network.loss_
curve: list[float] = network.loss_curve_
shape: tuple[int, ...] = network.coefs_[0].shape
reason: str = network.stop_reason_
search = TwoLayerMLPClassifierCV((10, 30), solver="lbfgs").fit(X, [0, 1] * 5)
best: float = search.best_score_
display: LossCurveDisplay = LossCurveDisplay.from_estimator(network)
TwoLayerMLPClassifier(activation="sigmoid")
TwoLayerMLPClassifier(alpha="best")
TwoLayerMLPClassifierCV(solver="newton")
network.loss_.append(0.0)
"""


@pytest.mark.parametrize(
    ("choices", "name"),
    [(Activation, "activation"), (Solver, "solver"), (LearningRate, "learning_rate")],
)
def test_choices_are_those_that_are_checked(choices, name):
    (choice,) = CONSTRAINTS[name]
    assert set(typing.get_args(choices)) == set(choice.options)


def test_every_attribute_of_a_fit_is_annotated():
    X, y = load_iris(return_X_y=True, as_frame=True)
    options = {"early_stopping": True, "random_state": 0}
    network = TwoLayerMLPClassifier(4, **options).fit(X, y)
    annotated = set(typing.get_type_hints(FittedNetwork))
    assert {name for name in vars(network) if name.endswith("_")} == annotated
    search = TwoLayerMLPClassifierCV(4, alphas=[1.0], cv=2, random_state=0).fit(X, y)
    own = {"hidden_units_", "best_score_", "scores_"}
    assert {name for name in vars(search) if name.endswith("_")} <= annotated | own
    for name, hint in typing.get_type_hints(FittedNetwork).items():
        if hint in (int, float, str, bool, np.ndarray):
            assert isinstance(getattr(network, name), hint), name


def test_mypy_strict_on_a_script_of_a_user(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "script.py").write_text(SCRIPT)
    root = Path(sk_mlp.__file__).parent.parent
    # of a checkout; mypy finds what is installed by itself, and refuses to be told of it
    found_by = {} if root.name == "site-packages" else {"MYPYPATH": str(root)}
    outcome = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", ".cache", "script.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, **found_by},
    )
    lines = SCRIPT.splitlines()
    wrong = [
        lines[int(line.split(":")[1]) - 1]
        for line in outcome.stdout.splitlines()
        if line.startswith("script.py:") and ": error:" in line
    ]
    assert wrong == lines[-4:], outcome.stdout + outcome.stderr
