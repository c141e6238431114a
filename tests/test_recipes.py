"""Every section of the page of recipes runs by itself, where its library is installed."""

import doctest
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "guide" / "recipes.rst"
SECTIONS = {
    title: body
    for title, body in re.findall(
        r"^(\S[^\n]*)\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    if ">>>" in body
}


def test_the_page_is_cut_into_its_sections():
    page = PAGE.read_text(encoding="utf-8")
    assert len(SECTIONS) == 9
    assert sum(body.count(">>>") for body in SECTIONS.values()) == page.count(">>>")


# other libraries may warn of what they please; the networks may not
@pytest.mark.filterwarnings("default", "error::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("title", SECTIONS)
def test_recipe(title, tmp_path, monkeypatch):
    body = SECTIONS[title]
    for module in re.findall(r"^>>> (?:import|from) ([\w.]+)", body, re.MULTILINE):
        pytest.importorskip(module.partition(".")[0])
    if "set_callbacks" in body:
        pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")
    monkeypatch.chdir(tmp_path)
    examples = doctest.DocTestParser().get_doctest(body, {}, title, str(PAGE), 0)
    report = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples, out=report.append)
    assert not report, "".join(report)
