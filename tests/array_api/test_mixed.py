"""Arrays of several namespaces or devices in one call or in two: what is brought together or refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context

from array_api.spaces import (
    FULL_BATCH,
    METHODS,
    MINIBATCH,
    Space,
    classifier,
    few_iterations,
    needs_array_api,
    problem,
)
from sk_mlp._backend.compat import to_host

pytestmark = [needs_array_api, few_iterations]


def test_targets_and_weights_of_another_namespace(space):
    X, y = problem(dtype=np.float32)
    weights = np.linspace(0.5, 1.5, len(y)).astype(np.float32)
    there = Space("torch" if "strict" in space.name else "strict:device1")
    expected = classifier(**MINIBATCH[0]).fit(space(X), space(y), space(weights))
    for other in (there, np.asarray, np.ndarray.tolist):
        model = classifier(**MINIBATCH[0]).fit(space(X), other(y), other(weights))
        for ours, theirs in zip(model.coefs_, expected.coefs_, strict=True):
            assert_array_equal(to_host(ours), to_host(theirs))
        assert space.holds(model.predict(space(X)), y.dtype)


def test_validation_data_of_another_namespace(space):
    X, y = problem(dtype=np.float32)
    options = {"X_val": X[60:], "y_val": y[60:]}
    reference = classifier(**MINIBATCH[0]).fit(X[:60], y[:60], **options)
    for here in (space, np.asarray):
        options = {"X_val": here(X[60:]), "y_val": here(y[60:])}
        model = classifier(**MINIBATCH[0]).fit(space(X[:60]), space(y[:60]), **options)
        curve = model.validation_loss_curve_
        assert_allclose(curve, reference.validation_loss_curve_, rtol=1e-5)


def test_labels_that_only_numpy_has(space):
    X, y = problem(dtype=np.float32)
    labels = np.array(["ant", "bee", "cat"])[y]
    expected = classifier(**FULL_BATCH[0]).fit(space(X), space(y)).predict(space(X))
    model = classifier(**FULL_BATCH[0]).fit(space(X), labels)
    predicted = model.predict(space(X))
    assert_array_equal(predicted, np.array(["ant", "bee", "cat"])[to_host(expected)])
    assert model.score(space(X), labels) == np.mean(predicted == labels)


def test_read_only_arrays_beside_a_tensor(torch_space):
    X, y = problem(dtype=np.float32)
    weights = np.linspace(0.5, 1.5, len(y)).astype(np.float32)
    weights.flags.writeable = y.flags.writeable = False
    model = classifier(**FULL_BATCH[0]).fit(torch_space(X), y, weights)
    model.classes_ = np.array(["ant", "bee", "cat"])
    model.predict(torch_space(X))


def test_other_namespace_than_in_fit(space):
    X, y = problem(dtype=np.float32)
    here, numpy = classifier(**FULL_BATCH[0]), classifier(**FULL_BATCH[0])
    here.fit(space(X), space(y))
    numpy.fit(X, y)
    message = r"TwoLayerMLPClassifier\.{}\(\) must use the same namespace"
    for method in (*METHODS, "predict", "input_gradient"):
        with pytest.raises(ValueError, match=message.format(method)):
            getattr(here, method)(X)
        with pytest.raises(ValueError, match=message.format(method)):
            getattr(numpy, method)(space(X))
    with (
        config_context(array_api_dispatch=False),
        pytest.raises(ValueError, match=r"predict needs such arrays and sklearn\.config_"),
    ):
        here.predict(X)


def test_other_device_than_in_fit():
    X, y = problem()
    here, there = Space("strict"), Space("strict:device1")
    with config_context(array_api_dispatch=True):
        model = classifier(**FULL_BATCH[0]).fit(here(X), here(y))
        with pytest.raises(ValueError, match="Devices used during fit"):
            model.predict(there(X))


def test_sparse_data_stay_with_numpy(space):
    X, y = problem()
    with pytest.raises(ValueError, match="Only the NumPy namespace"):
        classifier(**FULL_BATCH[0]).fit(space(X.astype(np.float32)), space(y)).predict(
            sparse.csr_matrix(X)
        )
    model = classifier(**FULL_BATCH[0]).fit(sparse.csr_matrix(X), space(y))
    assert isinstance(model.coefs_[0], np.ndarray)
