"""What a bug report should tell."""

import importlib.metadata
import platform

import numpy as np

import sk_mlp
from sk_mlp import _versions


def test_shows_the_versions_that_are_imported(capsys, monkeypatch):
    missing = "no-such-package"
    monkeypatch.setattr(_versions, "PACKAGES", (*_versions.PACKAGES, missing))
    sk_mlp.show_versions()
    shown = dict(
        (part.strip() for part in line.split(":", 1))
        for line in capsys.readouterr().out.splitlines()
        if line
    )
    assert shown["python"].startswith(platform.python_version())
    assert shown["numpy"] == np.__version__
    assert shown["sk_mlp"] == importlib.metadata.version("sk_mlp")
    assert shown[missing] == "None"
