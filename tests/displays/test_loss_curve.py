"""LossCurveDisplay draws the curves of the fit."""

import numpy as np
from numpy.testing import assert_array_equal
from sklearn.datasets import make_circles

from sk_mlp import LossCurveDisplay


def test_loss_curves_and_best_iteration(fit):
    X, y = make_circles(300, noise=0.1, factor=0.4, random_state=0)
    network = fit(X, y, solver="adam", early_stopping=True, hidden_units=20)
    drawn = LossCurveDisplay.from_estimator(network)
    training, validation = drawn.lines_
    iterations = np.arange(1, network.n_iter_ + 1)
    for line, curve in (
        (training, network.loss_curve_),
        (validation, network.validation_loss_curve_),
    ):
        assert_array_equal(line.get_xdata(), iterations)
        assert_array_equal(line.get_ydata(), curve)
    i = network.best_iter_ - 1
    assert_array_equal(drawn.best_.get_xdata(), [network.best_iter_] * 2)
    assert_array_equal(
        drawn.best_.get_ydata(), [network.loss_curve_[i], network.validation_loss_curve_[i]]
    )
    assert drawn.best_.get_ydata()[1] == min(network.validation_loss_curve_)


def test_other_starts_leave_out_the_one_that_was_finished(fit, circles):
    network = fit(*circles, n_init=4)
    drawn = LossCurveDisplay.from_estimator(network)
    levels = [line.get_ydata()[0] for line in drawn.other_starts_]
    assert sorted([*levels, network.loss_]) == sorted(network.n_init_losses_)
    labels = [text.get_text() for text in drawn.ax_.get_legend().get_texts()]
    assert labels.count("other starts") == 1


def test_two_networks_on_one_axes(network, iris_network):
    drawn = LossCurveDisplay.from_estimator(network, name="a", curve_kwargs={"color": "red"})
    LossCurveDisplay.from_estimator(iris_network, name="b", ax=drawn.ax_)
    assert drawn.lines_[0].get_color() == "red"
    labels = [text.get_text() for text in drawn.ax_.get_legend().get_texts()]
    assert {"a: training (with penalty)", "b: training (with penalty)"} <= set(labels)


def test_no_mark_if_the_start_was_best():
    assert LossCurveDisplay(loss=[2.0, 3.0], best_iter=0).plot().best_ is None
