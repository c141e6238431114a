"""Fixtures that several files use."""

import pytest

# it has no doctest, and a folder's conftest may have been imported by the same name
collect_ignore = ["conftest.py"]


@pytest.fixture(params=["lbfgs", "adam", "sgd"])
def solver(request):
    """Run the test with each solver."""
    return request.param


@pytest.fixture
def plt():
    """Return pyplot, which draws in memory; close its figures at the end."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")
