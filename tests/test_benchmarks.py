"""The benchmark scripts run, and say what they should."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
pytestmark = pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="not part of the sdist")


def run(*command):
    command = [sys.executable, *map(str, command)]
    done = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_compare_fits_the_same_network_with_the_same_work(tmp_path):
    file = tmp_path / "results.json"
    table = run(
        "compare.py", "--only", "lbfgs-breast_cancer", "--rounds", 1, "--small", "--json", file
    )
    assert "| lbfgs-breast_cancer-float64 " in table
    one, default = json.loads(file.read_text())["results"]
    assert (one["threads"], default["threads"]) == ("one", "default")
    for result in (one, default):
        assert result["iterations"][0] == result["iterations"][1] == 6
        assert result["ratio"] == result["theirs"] / result["ours"]
        # from different random starts, so only of the same size; the start is near 0.7
        ours, theirs = result["losses"]
        assert 0.5 < ours / theirs < 2


def test_compare_lists_every_row_once():
    names = run("compare.py", "--list").split()
    assert len(set(names)) == len(names)
    assert {"starts-circles", "text", "memory-adam-memmap", "slopes"} <= set(names)


def test_the_common_loss_is_the_objective_that_both_minimise():
    code = """
import numpy as np
import _common, _peers
for name, solver in (("breast_cancer", "lbfgs"), ("digits", "adam")):
    problem = _common.problem(name)
    model = _peers.sklearn_model(problem, "lbfgs", 3).fit(problem.X, problem.y)
    print(_common.objective(problem, _common.network_of(model)), model.loss_)
    model = _peers.TwoLayerMLPClassifier(
        problem.hidden_units, solver=solver, alpha=problem.alpha, standardize=False, max_iter=3
    ).fit(problem.X, problem.y)
    print(_common.objective(problem, _common.network_of(model)), model.loss_)
"""
    for line in run("-W", "ignore", "-c", code).splitlines():
        common, own = map(float, line.split())
        assert common == pytest.approx(own, rel=1e-12)


def test_quality_appends_to_its_results_and_does_not_repeat_them(tmp_path):
    file = tmp_path / "results.jsonl"
    command = ["quality.py", "--sets", "iris", "--only", "logistic", "ours", "--json", file]
    run(*command, "--folds", 1)
    first = file.read_text()
    table = run(*command, "--folds", 2)
    both = file.read_text()
    assert both.startswith(first)
    records = [json.loads(line) for line in both.splitlines()]
    assert [(r["fold"], r["model"]) for r in records] == [
        (0, "logistic"),
        (0, "ours"),
        (1, "logistic"),
        (1, "ours"),
    ]
    mean = sum(r["log_loss"] for r in records if r["model"] == "logistic") / 2
    assert f"| iris | {mean:.4f} |" in table
    assert "| against logistic |" in table


def test_every_step_of_the_sensitivity_table_is_a_valid_classifier():
    code = """
from sklearn.datasets import load_iris
from _models import sensitivity_models
from sk_mlp._validation import check_parameters
data = load_iris(return_X_y=True)
for name, make in sensitivity_models().items():
    check_parameters(make(*data))
    print(name)
"""
    names = run("-c", code).splitlines()
    assert "ours" in names
    assert "ours[alpha x 3]" in names
    assert len(set(names)) == len(names)


def test_dask_scaling_finds_what_it_measures():
    pytest.importorskip("distributed")  # a cluster of processes takes too long to start here
    assert "--overhead" in run("dask_scaling.py", "--help")
