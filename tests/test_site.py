"""The built site: links, search, copy buttons and formulas; in a browser too, if there is one."""

import functools
import os
import re
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

SITE = Path(os.environ.get("SK_MLP_SITE", Path(__file__).parents[1] / "docs" / "_build"))
pytestmark = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="no built site")

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
PHONE_WIDTH = 390

# Opens the pages one after another in a frame as wide as a phone, and lists those that are wider.
WIDTHS = """<!doctype html><pre id="wide"></pre><script>
(async () => {
  const frame = document.createElement("iframe");
  frame.style = "width: %dpx; height: 800px";
  document.body.append(frame);
  for (const page of %s) {
    await new Promise((done) => { frame.onload = done; frame.src = page; });
    const width = frame.contentDocument.documentElement.scrollWidth;
    if (width > %d) document.getElementById("wide").append(`${page} ${width}\\n`);
  }
  document.getElementById("wide").append("all seen");
})();
</script>"""


def pages():
    return [page for page in SITE.rglob("*.html") if "_static" not in page.parts]


def text_of(page):
    return page.read_text(encoding="utf-8")


def test_links_resolve():
    broken = []
    texts = {page.resolve(): text_of(page) for page in pages()}
    for page, text in texts.items():
        for target in re.findall(r'(?:href|src)="([^"?]+)', text):
            if re.match(r"[a-z]+:|//", target):
                continue
            path, _, anchor = unquote(target).partition("#")
            file = (page.parent / path).resolve() if path else page
            known = f'id="{anchor}"' in texts.get(file, "") if anchor and file in texts else True
            if not (file.exists() and known):
                broken.append((page.name, target))
    assert not broken


def test_images_have_alternative_texts():
    for page in pages():
        for image in re.findall(r"<img [^>]*>", text_of(page)):
            # the title beside a thumbnail says what it is
            needed = r'alt="' if "_thumb" in image else r'alt="[^"]+"'
            assert re.search(needed, image), (page.name, image)


def test_pages_show_no_markup():
    for page in pages():
        text = re.sub(r"<(script|style)\b.*?</\1>", "", text_of(page), flags=re.DOTALL)
        if page.parent.name == "generated":  # the formulas of a docstring
            for block in re.findall(r"<pre>.*?</pre>", text, re.DOTALL):
                assert "`" not in re.sub(r"<[^>]+>", "", block), page.name
        text = re.sub(r"<(pre|code)\b.*?</\1>", "", text, flags=re.DOTALL)
        assert "``" not in re.sub(r"<[^>]+>", "", text), page.name


def test_formulas_need_no_network():
    assert "_static/mathjax/MathJax.js" in text_of(SITE / "theory.html")
    assert (SITE / "_static" / "mathjax" / "MathJax.js").is_file()


def test_pages_show_no_path_of_the_machine():
    root = str(Path(__file__).parents[1])
    assert not [page.name for page in pages() if root in text_of(page)]


def test_home_page_shows_the_figures_of_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (figures,) = re.findall(r"<!-- figures: begin.*?-->(.*)<!-- figures: end", readme, re.DOTALL)
    numbers = re.findall(r"\d+\.\d+", figures)
    home = text_of(SITE / "index.html")
    assert numbers
    assert not [number for number in numbers if number not in home]


@pytest.fixture(scope="module")
def visit():
    """Return the document of a page of the site after its scripts have run."""
    if BROWSER is None:
        pytest.skip("no Chromium")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            if self.path != "/widths":
                return super().do_GET()
            names = ["/" + page.relative_to(SITE).as_posix() for page in pages()]
            body = (WIDTHS % (PHONE_WIDTH, names, PHONE_WIDTH)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def dom(path, profile, budget=10_000):
        flags = (
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
            "--disable-background-networking --disable-component-update --disable-sync"
        )
        url = f"http://127.0.0.1:{server.server_port}/{path}"
        command = [BROWSER, *flags.split(), f"--user-data-dir={profile}"]
        command += [f"--virtual-time-budget={budget}", "--dump-dom", url]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return run.stdout

    yield dom
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("save model", "guide/persistence.html"),
        ("class_weight", "guide/weights.html"),
        ("missing values", "auto_examples/plot_14_life_of_a_model.html"),
    ],
)
def test_search_finds(visit, tmp_path, words, page):
    found = re.findall(r'<a href="([^"]+?\.html)', visit(f"search.html?q={quote(words)}", tmp_path))
    assert any(link.endswith(page) for link in found)


def test_code_can_be_copied(visit, tmp_path):
    document = visit("guide/getting_started.html", tmp_path)
    blocks = len(re.findall(r'<div class="highlight"', document))
    assert blocks > 5
    assert len(re.findall(r'<button class="copybtn', document)) == blocks


def test_formulas_are_typeset(visit, tmp_path):
    assert "MathJax_Display" in visit("theory.html", tmp_path)


def test_pages_fit_a_phone(visit, tmp_path):
    document = visit("widths", tmp_path, budget=60_000)
    (wide,) = re.findall(r'<pre id="wide">(.*?)</pre>', document, re.DOTALL)
    assert wide == "all seen"
