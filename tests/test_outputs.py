"""Cross-entropy and probabilities from raw predictions."""

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special
from sklearn.metrics import log_loss

from sk_mlp._network.outputs import OUTPUTS, log_sigmoid, log_softmax, sigmoid, softmax


@pytest.fixture
def S():
    return np.random.RandomState(0).normal(scale=4.0, size=(30, 3))


@pytest.fixture
def Y():
    return np.eye(3)[np.random.RandomState(1).randint(3, size=30)]


def test_links_agree_with_scipy(S):
    assert_allclose(sigmoid(S), special.expit(S), rtol=1e-14)
    assert_allclose(log_sigmoid(S), special.log_expit(S), rtol=1e-14)
    assert_allclose(softmax(S), special.softmax(S, axis=1), rtol=1e-13)
    assert_allclose(log_softmax(S), special.log_softmax(S, axis=1), rtol=1e-13)


def test_no_probability_is_clipped():
    tails = np.array([[-700.0, -40.0, 700.0]])
    assert_allclose(sigmoid(tails), [[np.exp(-700.0), np.exp(-40.0), 1.0]], rtol=1e-14)
    assert_allclose(log_sigmoid(np.array([[-1e4, 1e4]])), [[-1e4, 0.0]])
    assert_allclose(log_softmax(np.array([[0.0, 1e4]])), [[-1e4, 0.0]])
    assert_allclose(softmax(np.array([[0.0, 700.0]])), [[np.exp(-700.0), 1.0]], rtol=1e-13)


def test_softmax_loss_is_the_log_loss(S, Y):
    loss, residual = OUTPUTS["softmax"].loss_residual(S, Y)
    assert_allclose(loss.mean(), log_loss(Y.argmax(axis=1), softmax(S)), rtol=1e-13)
    assert_allclose(residual, softmax(S) - Y, atol=1e-15)


def test_logistic_loss_is_the_log_loss_summed_over_outputs(S, Y):
    loss, residual = OUTPUTS["logistic"].loss_residual(S, Y)
    P = special.expit(S)
    by_hand = -(Y * np.log(P) + (1 - Y) * np.log1p(-P)).sum(axis=1)
    assert loss.shape == (30,)
    assert_allclose(loss, by_hand, rtol=1e-11)
    assert_allclose(residual, P - Y, atol=1e-15)


@pytest.mark.parametrize("output", OUTPUTS)
def test_residual_is_the_derivative_of_the_loss(output, S, Y):
    _, residual = OUTPUTS[output].loss_residual(S, Y)
    eps = 1e-4
    for k in range(S.shape[1]):
        step = eps * np.eye(3)[k]
        a, b, c, d = (OUTPUTS[output].loss_residual(S + m * step, Y)[0] for m in (-2, -1, 1, 2))
        assert_allclose(residual[:, k], (a - 8 * b + 8 * c - d) / (12 * eps), atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("output", OUTPUTS)
def test_wrong_with_certainty_is_a_large_finite_loss(output, dtype):
    S = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype=dtype)
    Y = np.array([[0, 1], [0, 1]], dtype=dtype)
    loss, residual = OUTPUTS[output].loss_residual(S, Y)
    assert loss.dtype == residual.dtype == dtype
    assert_allclose(loss, [2e4, 0.0])
    assert np.isfinite(residual).all()
    assert OUTPUTS[output].log_probability(S).dtype == dtype


@pytest.mark.parametrize("output", OUTPUTS)
def test_same_numbers_in_another_namespace(output, S, Y):
    xp = array_api_strict
    loss, residual = OUTPUTS[output].loss_residual(S, Y)
    foreign_loss, foreign = OUTPUTS[output].loss_residual(xp.asarray(S), xp.asarray(Y))
    assert_allclose(np.asarray(foreign_loss), loss, rtol=1e-14)
    assert_allclose(np.asarray(foreign), residual, rtol=1e-14, atol=1e-16)
