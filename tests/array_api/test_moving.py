"""Networks that move to another namespace or device, or are stored and loaded."""

import io
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.utils import _array_api

from array_api.spaces import (
    FULL_BATCH,
    assert_same_network,
    classifier,
    few_iterations,
    namespace_and_device,
    needs_array_api,
    problem,
)
from sk_mlp._backend.compat import to_host

pytestmark = [needs_array_api, few_iterations]


@pytest.mark.parametrize("labels", [np.arange(3), np.array(["ant", "bee", "cat"])])
def test_move_to_another_device_and_go_on(space, labels):
    X, y = problem(dtype=np.float32)
    y = labels[y]
    to_y = space if y.dtype.kind == "i" else np.asarray
    home = classifier(solver="adam", batch_size=30).partial_fit(X, y, classes=labels)
    before = pickle.dumps(home)
    away = _array_api.move_estimator_to(home, *namespace_and_device(space, X))
    assert space.holds(away.coefs_[0], np.float32)
    assert_allclose(to_host(away.transform(space(X))), home.transform(X), rtol=0, atol=1e-5)
    assert_array_equal(to_host(away.predict(space(X))), home.predict(X))
    away.partial_fit(space(X), to_y(y))
    assert pickle.dumps(home) == before  # it was a copy that moved
    back = _array_api.move_estimator_to(away, np, "cpu")
    home.partial_fit(X, y)
    assert_same_network(back, home, 1e-5)
    assert_array_equal(back.predict(X), home.predict(X))


def test_an_unfitted_estimator_may_be_moved(torch_space):
    moved = _array_api.move_estimator_to(classifier(5), torch_space.xp, "cpu")
    assert moved.get_params() == classifier(5).get_params()


def test_pickle(space):
    X, y = problem(dtype=np.float32)
    model = classifier(**FULL_BATCH[0]).fit(space(X), space(y))
    stored = pickle.dumps(model)
    with config_context(array_api_dispatch=False):
        loaded = pickle.loads(stored)
    assert space.holds(loaded.coefs_[0], np.float32)
    assert_array_equal(to_host(loaded.predict(space(X))), to_host(model.predict(space(X))))
    # not more than the parameters: no buffer is stored twice
    numpy = _array_api.move_estimator_to(model, np, "cpu")
    assert len(stored) < len(pickle.dumps(numpy)) + 2000


def test_a_pickled_device_array_holds_its_own_memory(torch_space):
    X, y = problem(dtype=np.float32)
    model = classifier(300, solver="adam", batch_size=60, max_iter=1)
    model.fit(torch_space(X), torch_space(y))
    assert len(pickle.dumps(model)) < 4 * 300 * (6 + 1 + 3) + 5000


def test_load_on_a_chosen_device(torch_space):
    torch = torch_space.xp
    X, y = problem(dtype=np.float32)
    model = classifier(**FULL_BATCH[0]).fit(torch_space(X), torch_space(y))
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded = torch.load(file, map_location="cpu", weights_only=False)
    assert torch.equal(loaded.predict_proba(torch_space(X)), model.predict_proba(torch_space(X)))
