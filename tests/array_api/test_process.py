"""The other files of this folder, and the guide page, in a process where SCIPY_ARRAY_API=1.

SciPy reads the variable when it is imported, so without it those files are skipped.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from array_api.spaces import COMPLETE, ON, REASON

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# beside other work on the machine, several threads take ten times as long on so small problems
ONE_THREAD = {"OMP_NUM_THREADS": "1", **os.environ}


@pytest.mark.skipif(ON or not COMPLETE, reason="this process has it, or it would skip all")
def test_with_array_api_on():
    pytest.importorskip("array_api_strict")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", HERE]
    if (ROOT / "docs").is_dir():  # not part of the sdist
        command += [f"{ROOT / 'tests' / 'test_docs.py'}::test_examples_of_page[gpu]"]
    done = subprocess.run(
        command,
        env={**ONE_THREAD, "SCIPY_ARRAY_API": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert REASON not in done.stdout  # pytest lists why it skips


@pytest.mark.skipif(ON, reason="needs no such process")
def test_the_benchmark_runs_on_any_device(tmp_path):
    pytest.importorskip("torch")
    script, results = ROOT / "benchmarks" / "gpu.py", tmp_path / "results.json"
    if not script.is_file():
        pytest.skip("not part of the sdist")
    command = [sys.executable, script, "--device", "cpu", "--small", "--rounds", "1"]
    command += ["--json", results]
    done = subprocess.run(command, env=ONE_THREAD, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(results.read_text())["results"]
    assert [row["name"] for row in rows] == ["objective", "epoch", "fit"]
    for row in rows:
        assert row["ratio"] == row["ours"] / row["reference"]
        assert f"| {row['name']} | {row['ours']:.4f} |" in done.stdout
