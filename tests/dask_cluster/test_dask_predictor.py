"""What comes out of a fit: lazy predictions, and the network of one machine."""

import dask.array as da
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from dask_cluster.problems import SHORT, cut, cut_rows
from sk_mlp import TwoLayerMLPClassifier
from sk_mlp.dask import DaskTwoLayerMLPClassifier

# the fits are short on purpose
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform"]
)
def test_predictions_are_lazy_and_those_of_the_local_estimator(client, problem, method):
    X, y, _ = problem
    network = DaskTwoLayerMLPClassifier(**SHORT).fit(cut(X, 200), cut_rows(y, 200))
    local = network.to_local()
    assert type(local) is TwoLayerMLPClassifier
    lazy, expected = getattr(network, method)(cut(X, 90, 2)), getattr(local, method)(X)
    assert isinstance(lazy, da.Array)
    assert lazy.dtype == expected.dtype
    assert lazy.shape == expected.shape
    assert lazy.chunks[0] == (90,) * 6 + (60,)
    assert_allclose(lazy.compute(), expected, rtol=1e-10)
    assert_array_equal(getattr(network, method)(X), expected)  # data in memory


def test_local_estimator_continues_a_stream(client, problem):
    X, y, _ = problem
    network = DaskTwoLayerMLPClassifier(**SHORT).fit(cut(X, 200), cut_rows(y, 200))
    local = network.to_local().set_params(solver="adam")
    assert local.partial_fit(X[:50], y[:50]).loss_ < 1.2 * network.loss_
