"""The table of activations: values, derivatives, symmetry, range."""

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import erf, expit

from sk_mlp._network.activations import ACTIVATIONS

KNOWN_VALUES = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "silu": lambda z: z * expit(z),
}


@pytest.fixture
def Z():
    """Pre-activations on both sides of zero, none at the kink of relu."""
    return (np.linspace(-8.0, 8.0, 80) + 1e-3).reshape(16, 5)


@pytest.mark.parametrize("name", KNOWN_VALUES)
def test_values(name, Z):
    assert_allclose(ACTIVATIONS[name].function(Z), KNOWN_VALUES[name](Z), atol=2e-15)


def test_gelu_is_the_tanh_form(Z):
    exact = 0.5 * Z * (1 + erf(Z / np.sqrt(2)))
    # Hendrycks & Gimpel (2016): the tanh form differs from the exact one by less than 5e-4
    assert_allclose(ACTIVATIONS["gelu"].function(Z), exact, rtol=0, atol=5e-4)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_by_five_points(name, Z):
    activation = ACTIVATIONS[name]

    def g(step):
        return activation.function(Z + step)

    eps = 1e-4
    numerical = (g(-2 * eps) - 8 * g(-eps) + 8 * g(eps) - g(2 * eps)) / (12 * eps)
    derivative = activation.derivative(Z, activation.function(Z))
    assert_allclose(derivative, numerical, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_odd_says_whether_the_sign_of_a_unit_is_arbitrary(name, Z):
    function = ACTIVATIONS[name].function
    assert ACTIVATIONS[name].odd == np.allclose(function(-Z), -function(Z))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_keeps_dtype_and_input(name, dtype, Z):
    Z = Z.astype(dtype)
    before = Z.copy()
    H = ACTIVATIONS[name].function(Z)
    assert H.dtype == dtype
    assert ACTIVATIONS[name].derivative(Z, H).dtype == dtype
    assert_array_equal(Z, before)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_saturates_without_overflow(name):
    Z = np.array([[-1e4, 1e4]], dtype=np.float32)
    H = ACTIVATIONS[name].function(Z)
    derivative = ACTIVATIONS[name].derivative(Z, H)
    assert np.isfinite(H).all()
    assert np.isfinite(derivative).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_same_numbers_in_another_namespace(name, Z):
    xp = array_api_strict
    activation = ACTIVATIONS[name]
    H = activation.function(Z)
    foreign = xp.asarray(Z)
    assert_allclose(np.asarray(activation.function(foreign)), H, rtol=1e-15)
    assert_allclose(
        np.asarray(activation.derivative(foreign, xp.asarray(H))),
        activation.derivative(Z, H),
        rtol=1e-15,
    )
