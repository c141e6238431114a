"""The built site: links resolve, the search index knows the words, code can be copied."""

import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

SITE = Path(os.environ.get("SK_MLP_SITE", Path(__file__).parents[1] / "docs" / "_build"))
pytestmark = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="no built site")


def pages():
    return [page for page in SITE.rglob("*.html") if "_static" not in page.parts]


def test_links_resolve():
    broken = []
    for page in pages():
        for target in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:|//", target):
                continue
            if not (page.parent / unquote(target)).exists():
                broken.append((page.name, target))
    assert not broken


@pytest.mark.parametrize("word", ["save", "class_weight"])
def test_search_index_knows(word):
    assert f'"{word}"' in (SITE / "searchindex.js").read_text(encoding="utf-8")


def test_pages_have_copy_buttons_and_alternative_texts():
    assert "copybutton.js" in (SITE / "guide" / "getting_started.html").read_text(encoding="utf-8")
    for page in pages():
        for image in re.findall(r"<img [^>]*>", page.read_text(encoding="utf-8")):
            # the title beside a thumbnail says what it is
            needed = r'alt="' if "_thumb" in image else r'alt="[^"]+"'
            assert re.search(needed, image), (page.name, image)


def test_formulas_need_no_network():
    text = (SITE / "theory.html").read_text(encoding="utf-8")
    assert "_static/mathjax/MathJax.js" in text
    assert (SITE / "_static" / "mathjax" / "MathJax.js").is_file()


def test_pages_show_no_path_of_the_machine():
    root = str(Path(__file__).parents[1])
    assert not [page.name for page in pages() if root in page.read_text(encoding="utf-8")]
