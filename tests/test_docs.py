"""Every example in the guide and in the README runs and gives what it says."""

import doctest
import json
import os
import re
import runpy
from pathlib import Path

import pytest

import sk_mlp

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.rst"), *(DOCS / "guide").glob("*.rst")])
# what the extra `test` does not bring, or an older scikit-learn has not
NEEDS = {"gpu": ("torch", "array_api_compat"), "callbacks": ("sklearn.callback",)}


@pytest.mark.usefixtures("plt")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_of_page(page):
    for module in NEEDS.get(page.stem, ()):
        pytest.importorskip(module)
    if page.stem == "gpu" and os.environ.get("SCIPY_ARRAY_API") != "1":
        pytest.skip("array_api/test_process.py runs it in a process where SCIPY_ARRAY_API=1")
    if page.stem == "recipes":
        pytest.skip("test_recipes.py runs it section by section")
    text = page.read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    report = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_on_page_is_an_example(page):
    # Python in a code-block would be shown but never run
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"^ *\.\. code(-block)?:: +(python|pycon|default)", text, re.MULTILINE)


@pytest.mark.usefixtures("plt")
def test_readme(tmp_path, capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "readme.py").write_text(block)
    runpy.run_path(str(tmp_path / "readme.py"))
    printed = capsys.readouterr().out
    number = r"\d+(?:\.\d+)?"
    assert re.sub(number, "#", printed) == re.sub(number, "#", shown)
    # one in the last digit shown, by which platforms may differ
    expected = [float(value) for value in re.findall(number, shown)]
    assert [float(value) for value in re.findall(number, printed)] == pytest.approx(
        expected, rel=0, abs=0.0101
    )


def test_readme_links():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    # absolute, so that they also work on a package index
    assert not re.findall(r"\]\((?!http)", text)
    here = re.escape("https://github.com/sk-mlp/sk_mlp/blob/main/")
    targets = re.findall(rf"\]\({here}([^)#]+)(?:#([^)]+))?\)", text)
    assert targets
    for path, anchor in targets:
        assert (ROOT / path).is_file(), path
        if anchor:  # GitHub makes it from the title of the section
            assert re.search(f"^{anchor}\n-+$", (ROOT / path).read_text().lower(), re.MULTILINE)


def test_release_is_named_everywhere():
    newest = re.search(r"^## \[(.*?)\] - (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    citation = (ROOT / "CITATION.cff").read_text()
    assert newest[1] == sk_mlp.__version__
    assert f"\nversion: {newest[1]}\ndate-released: {newest[2]}\n" in citation
    stable, _ = json.loads((DOCS / "_static" / "switcher.json").read_text())
    assert stable["version"] == newest[1]
