"""A pass over the next rows: what it takes from those before, and what it leaves alone."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._data.data import Data
from sk_mlp._data.targets import encode
from sk_mlp._solvers import NotFiniteError
from sk_mlp._training import stream as stream_module
from sk_mlp._training.stream import next_pass
from sk_mlp._training.training import quietly

OPTIONS = TwoLayerMLPClassifier(3, solver="adam", random_state=0).get_params()


def rows(n_rows=50, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, 2)) + seed
    return Data(X, encode(np.arange(n_rows) % 2), None)


@pytest.fixture
def passes(monkeypatch):
    """Objective and progress at the start of each pass."""
    seen = []
    one_epoch = stream_module._one_epoch

    def spy(objective, settings, progress, rng):
        seen.append((objective, progress))
        return one_epoch(objective, settings, progress, rng)

    monkeypatch.setattr(stream_module, "_one_epoch", spy)
    return seen


def test_the_penalty_is_shared_out_among_the_rows_seen_so_far(passes):
    params, _, stream = next_pass(rows(50), OPTIONS, 6.0, None, {})
    params, _, stream = next_pass(rows(150), OPTIONS, 6.0, params, stream)
    next_pass(rows(200), OPTIONS, 6.0, params, stream)
    assert [objective.alpha for objective, _ in passes] == [6.0, 4.5, 3.0]


def test_a_pass_goes_on_with_the_statistics_the_function_and_the_state(passes):
    first, second = rows(50), rows(50, seed=1)
    params, _, stream = next_pass(first, OPTIONS, 1.0, None, {})
    next_pass(second, OPTIONS, 1.0, params, stream)
    (_, begun), (objective, progress) = passes
    assert (begun.t, begun.state) == (0, {})
    X = np.concatenate([first.X, second.X])
    assert_allclose(objective.standardization.mean, X.mean(axis=0))
    assert_allclose(objective.standardization.scale, X.std(axis=0))
    layout = objective.network.layout
    user = objective.standardization.to_user_units(layout, progress.params)
    assert_allclose(user, params, rtol=1e-9, atol=1e-12)
    assert progress.t == stream["t"] == 1
    assert_array_equal(progress.state["m"], stream["state"]["m"])


def test_a_pass_writes_nothing_but_its_result():
    data = rows()
    params, _, stream = next_pass(data, OPTIONS, 1.0, None, {})
    before = pickle.dumps((params, stream, data))
    again = [next_pass(data, OPTIONS, 1.0, params, stream) for _ in range(2)]
    assert pickle.dumps((params, stream, data)) == before
    assert_array_equal(again[0][0], again[1][0])
    assert again[0][2]["t"] == 2


def test_a_step_that_is_too_long_is_an_error():
    options = OPTIONS | {"solver": "sgd", "learning_rate_init": 1e300}
    with pytest.raises(NotFiniteError, match="learning_rate_init"):
        quietly(next_pass)(rows(), options, 1.0, None, {})
