"""Configuration of the documentation; see https://www.sphinx-doc.org.

The build needs no network. With the environment variable SK_MLP_INTERSPHINX set, names of
other projects are linked to their documentation, for which their inventories are fetched.
"""

import importlib.util
import os
import re
import shutil
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")

from sk_mlp import __version__

project = "sk_mlp"
author = "The sk_mlp developers"
copyright = author
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "sphinx_design",
    "myst_parser",  # the changelog and the benchmarks are written in Markdown
]
templates_path = ["_templates"]
exclude_patterns = [
    "_build",
    "_templates",
    "examples",  # sphinx-gallery writes its pages to auto_examples
    "guide/sensitivity.rst",  # included by guide/alpha_and_units.rst
]
default_role = "literal"
# The Markdown is also read on GitHub, where its pictures are beside it.
suppress_warnings = ["myst.header", "myst.xref_missing", "image.not_readable"]
html_extra_path = [str(path) for path in Path(__file__).parents[1].glob("benchmarks/*.png")]
smartquotes = False  # "relu" is a value
toc_object_entries_show_parents = "hide"

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings give types and shapes
numpydoc_show_class_members = False  # the template of the class lists them

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "generated",
    "doc_module": ("sk_mlp",),
    "remove_config_comments": True,
    "show_memory": False,
    "min_reported_time": 1,
    "thumbnail_size": (460, 320),
}

plot_formats = ["png"]
plot_html_show_formats = False
plot_html_show_source_link = False

html_theme = "pydata_sphinx_theme"
html_title = f"sk_mlp {release}"
html_favicon = "_static/favicon.svg"
html_show_sourcelink = True
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_context = {
    "github_user": "sk-mlp",
    "github_repo": "sk_mlp",
    "github_version": "main",
    "doc_path": "docs",
}
html_theme_options = {
    "logo": {
        "text": f"sk_mlp {release}",
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo-dark.svg",
        "alt_text": "sk_mlp, home",
    },
    "github_url": "https://github.com/sk-mlp/sk_mlp",
    "use_edit_page_button": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": {
        "guide/*": ["page-toc", "edit-this-page", "sourcelink"],
        "theory": ["page-toc", "edit-this-page", "sourcelink"],
        "contributing": ["page-toc", "edit-this-page", "sourcelink"],
        # made from docstrings, scripts and Markdown files: no source of their own to edit
        "generated/*": ["page-toc"],
        "auto_examples/*": ["page-toc"],
        "changelog": ["page-toc"],
        "benchmarks": ["page-toc"],
        "index": [],
        "api": [],
    },
    "footer_start": ["copyright"],
    "footer_end": [],
}
if os.environ.get("READTHEDOCS"):  # other versions exist only where the site is hosted
    html_baseurl = os.environ.get("READTHEDOCS_CANONICAL_URL", "")
    html_theme_options["navbar_start"] = ["navbar-logo", "version-switcher"]
    html_theme_options["check_switcher"] = False  # it would be fetched for each build
    html_theme_options["switcher"] = {
        "json_url": "https://sk-mlp.readthedocs.io/en/latest/_static/switcher.json",
        "version_match": "latest" if os.environ["READTHEDOCS_VERSION"] == "latest" else release,
    }
html_sidebars = {name: [] for name in ("contributing", "theory", "changelog", "benchmarks")}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# MathJax comes from a package and is copied into the site, so formulas need no network
MATHJAX = Path(importlib.util.find_spec("jupyter_server_mathjax").origin).parent / "static"
mathjax_path = "mathjax/MathJax.js"
mathjax2_config = {
    "config": ["TeX-AMS-MML_HTMLorMML-full.js"],
    "messageStyle": "none",
    "HTML-CSS": {"availableFonts": [], "webFont": "STIX-Web", "linebreaks": {"automatic": True}},
}

if os.environ.get("SK_MLP_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
        "matplotlib": ("https://matplotlib.org/stable", None),
    }


def drop_foreign_references(app, what, name, obj, options, lines):
    """Turn references in docstrings inherited from scikit-learn into plain text.

    Their targets are in scikit-learn's documentation, which only intersphinx knows.
    """
    if "sphinx.ext.intersphinx" in app.config.extensions:
        return
    if getattr(obj, "__module__", "").startswith("sklearn"):
        reference = r":(?:ref|term):`(?:([^`<]+?)\s*<[^`>]+>|([^`]+))`"
        lines[:] = [re.sub(reference, r"\1\2", line) for line in lines]


def copy_mathjax(app, exception):
    """Copy MathJax into the site, without the speech rules that no page uses."""
    if exception is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static" / "mathjax"
        shutil.copytree(MATHJAX, target, dirs_exist_ok=True, ignore=lambda *_: {"a11y"})


def setup(app):
    """Connect the hooks."""
    app.connect("build-finished", copy_mathjax)
    app.connect("autodoc-process-docstring", drop_foreign_references)
