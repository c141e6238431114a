"""Data and networks that the tests of the displays draw."""

import matplotlib as mpl
import pytest
from sklearn.datasets import load_iris, make_circles

from sk_mlp import TwoLayerMLPClassifier

mpl.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def circles():
    return make_circles(120, noise=0.1, factor=0.4, random_state=0)


@pytest.fixture(scope="session")
def iris():
    data = load_iris(as_frame=True)
    return data.data, data.target_names[data.target]


@pytest.fixture(scope="session")
def fit():
    """Fit a small network."""

    def fit(X, y, hidden_units=3, **kw):
        kw = {"alpha": 0.1, "activation": "tanh", "random_state": 0} | kw
        return TwoLayerMLPClassifier(hidden_units, **kw).fit(X, y)

    return fit


@pytest.fixture(scope="session")
def network(fit, circles):
    return fit(*circles)


@pytest.fixture(scope="session")
def iris_network(fit, iris):
    return fit(*iris, hidden_units=5)
