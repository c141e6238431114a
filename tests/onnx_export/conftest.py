"""The runtimes that compute a graph."""

import pytest


@pytest.fixture(params=["reference", "runtime"])
def run(request):
    """Return a function of a graph and its inputs that returns its outputs by name."""
    from onnx_export import models

    if request.param == "runtime":
        pytest.importorskip("onnxruntime")
    return getattr(models, request.param)
