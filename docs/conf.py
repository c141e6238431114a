"""Configuration of the documentation; see https://www.sphinx-doc.org.

The build needs no network. With the environment variable SK_MLP_INTERSPHINX set, names of
other projects are linked to their documentation, for which their inventories are fetched.
"""

import os
import re

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
]
templates_path = ["_templates"]
exclude_patterns = [
    "_build",
    "_templates",
    "examples",  # sphinx-gallery writes its pages to auto_examples
    "guide/sensitivity.rst",  # included by guide/alpha_and_units.rst
]
default_role = "literal"
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
}

plot_formats = ["png"]
plot_html_show_formats = False
plot_html_show_source_link = False

html_theme = "pydata_sphinx_theme"
html_title = "sk_mlp"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"contributing": [], "theory": []}

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


def setup(app):
    """Connect the hooks."""
    app.connect("autodoc-process-docstring", drop_foreign_references)
