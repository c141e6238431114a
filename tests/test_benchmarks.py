"""The benchmark scripts run, and say what they should."""

import ast
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


def record_of(output):
    return json.loads(next(line for line in output.splitlines() if line.startswith("{")))


def test_speed_fits_the_same_network_with_the_same_work():
    output = run(
        "speed.py",
        "--only",
        "lbfgs-breast_cancer-float64",
        "--small",
        "--threads",
        1,
        "--rounds",
        1,
    )
    record = record_of(output)
    ours, theirs = record["sides"]["ours"], record["sides"]["MLPClassifier"]
    assert ours["n_iter"] == theirs["n_iter"] == 6
    # from different random starts, so only of the same size; the start is near 0.7
    assert 0.5 < ours["loss"] / theirs["loss"] < 2
    ratio = f"{theirs['cpu'] / ours['cpu']:.2f}"
    row = next(line for line in output.splitlines() if "| MLPClassifier |" in line)
    assert [cell.strip() for cell in row.split("|")][6] == ratio


def test_speed_compares_with_another_checkout():
    command = ("speed.py", "--only", "adam-circles-float32", "--small", "--rounds", 1)
    record = record_of(run(*command, "--base", BENCHMARKS.parent))
    assert list(record["sides"]) == ["ours", "before"]
    assert record["sides"]["ours"]["loss"] == record["sides"]["before"]["loss"]


def test_speed_lists_every_row_once():
    names = run("speed.py", "--list", "--data", ".").split()
    assert len(set(names)) == len(names)
    assert {"default-iris", "search-adult", "dask-200000x100", "slope-classes"} <= set(names)


def test_the_common_loss_is_the_objective_that_both_minimise():
    code = """
from _peers import FITS, objective, ours, problem
for name, solver in (("breast_cancer", "lbfgs"), ("digits", "adam")):
    p = problem(name, "float64", True)
    for model in (FITS["MLPClassifier"](p, "lbfgs", 3), ours(p, solver, 3)):
        print(objective(p, model), model.loss_)
"""
    lines = run("-W", "ignore", "-c", code).splitlines()
    assert len(lines) == 4
    for line in lines:
        common, own = map(float, line.split())
        assert common == pytest.approx(own, rel=1e-12)


def test_quality_appends_to_its_records_and_does_not_repeat_them(tmp_path):
    file = tmp_path / "records.jsonl"
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
    assert "| ours / logistic |" in table


def test_raw_tables_hold_the_same_numbers_in_either_container():
    pytest.importorskip("pandas")
    code = """
import numpy as np
import pandas as pd
from quality import prepare
X = pd.DataFrame({"x": [1.0, np.nan, 300.0], "c": pd.Categorical(["a", "b", "a"])})
dense, sparse = (prepare(X, X, how)[0] for how in ("dense", "sparse"))
assert type(dense) is np.ndarray and sparse.format == "csr"
print(np.array_equal(dense, sparse.toarray()), dense[2, 0], prepare(X, X, "")[0][:, 0].sum())
"""
    same, largest, total = run("-c", code).split()
    assert (same, float(largest)) == ("True", 300.0)
    assert float(total) == pytest.approx(0.0, abs=1e-12)


def test_tables_compare_with_what_they_say():
    code = """
from report import against_table, changed_table, small_table, summarise
def record(model, loss, fold=0):
    return {"set": "a", "fold": fold, "model": model, "log_loss": loss, "accuracy": 0.5,
            "cpu": loss, "warned": False, "others": 0.0}
losses = {"auto": 0.3, "0.1": 0.9, "1": 0.2, "10": 0.8}
small = [record(f"ours(hidden_units=3, alpha={alpha})", loss) for alpha, loss in losses.items()]
print(small_table(summarise([record("prior", 0.25), *small])))
changed = ["ours@sparse", "ours(tol=1)", "ours(solver=adam)", "ours(solver=adam, tol=1)"]
print(changed_table(summarise([record(m, 2.0 ** i) for i, m in enumerate(["ours", *changed])])))
# the second fold of one of them is not compared with the first of the other
print(against_table(summarise([record("mlp", 0.4), record("mlp", 9.0, 1), record("ours", 0.1)])))
"""
    output = run("-c", code)
    assert "| hidden_units=3 | 1 | 1.500 | 1.50 (a) | a |" in output
    assert "| sparse | ours | 1 | 2.000 | 2.00 (a) | 0 | 2.00 |" in output
    assert "| tol=1 | ours | 1 | 4.000 | 4.00 (a) | 0 | 4.00 |" in output
    assert "| solver=adam | ours | 1 | 8.000 | 8.00 (a) | 0 | 8.00 |" in output
    assert "| tol=1 | ours(solver=adam) | 1 | 2.000 | 2.00 (a) | 0 | 2.00 |" in output
    assert "| ours / mlp | 1 | 0.250 | 0.25 (a) | 1 | +0.00 | 0.25 | 0 |" in output


def test_every_name_is_a_valid_classifier():
    code = """
from sklearn.datasets import load_iris
from quality import LISTS, model_of
from sk_mlp._validation import check_parameters
X, y = load_iris(return_X_y=True)
for name in [name for names in LISTS.values() for name in names if name.startswith("ours(")]:
    check_parameters(model_of(name, X, y))
    print(name)
print(model_of("ours(alpha=x3, solver=adam, standardize=False)", X, y).get_params())
print(model_of("ours", X, y).fit(X, y).alpha_ * 3)
"""
    *names, params, alpha = run("-c", code).splitlines()
    assert "ours(hidden_units=16, activation=relu, alpha=auto)" in names
    assert "ours(solver=adam, batch_size=32)" in names
    assert len(set(names)) == len(names)
    params = ast.literal_eval(params)
    assert params["alpha"] == float(alpha)
    assert (params["solver"], params["standardize"]) == ("adam", False)


def test_the_tables_of_the_readme_are_those_of_the_results():
    code = """
from pathlib import Path
from report import fill
text = Path("README.md").read_text()
print(text == fill(text), text.count("<!-- end -->"))
"""
    same, tables = run("-c", code).split()
    assert same == "True"
    assert int(tables) == 12
