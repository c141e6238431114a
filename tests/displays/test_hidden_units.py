"""HiddenUnitsDisplay draws what the network computes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits

from sk_mlp import HiddenUnitsDisplay, ProjectionDisplay


def test_decision_boundary_of_a_linear_network(fit, circles):
    X = circles[0]
    y = X @ [1.0, 2.0] > 0.1
    network = fit(X, y, activation="identity")
    (boundary,) = HiddenUnitsDisplay.from_estimator(network, X, y).boundary_
    (path,) = boundary.get_paths()
    assert len(path.vertices) > 2
    assert_allclose(network.decision_function(path.vertices), 0.0, atol=1e-9)


def test_multilabel_has_lines_but_no_regions(fit, circles):
    X, _ = circles
    Y = (X > 0).astype(int)
    drawn = HiddenUnitsDisplay.from_estimator(fit(X, Y), X, Y[:, 0])
    assert drawn.boundary_ == []
    assert len(drawn.lines_) == 3
    assert ProjectionDisplay.from_estimator(fit(X, Y, hidden_units=2), X).boundary_ == []


def test_maps_do_not_depend_on_the_units_of_the_features(fit, iris):
    X, y = iris
    factor = np.array([1.0, 1e3, 1e-3, 10.0])
    maps = [HiddenUnitsDisplay.from_estimator(fit(x, y), x).input_weights for x in (X, X * factor)]
    assert_allclose(maps[0], maps[1], rtol=1e-3)


def test_only_the_strongest_features(fit):
    X, y = load_digits(n_class=2, return_X_y=True)
    network = fit(X, y)
    drawn = HiddenUnitsDisplay.from_estimator(network, X, max_features=5)
    size = np.abs(drawn.input_weights * drawn.contribution)
    expected = [f"x{i}" for i in np.argsort(-np.linalg.norm(size, axis=1))[:5]]
    assert [t.get_text() for t in drawn.axes_[0].get_yticklabels()] == expected
    # one output: the logit of the second class
    assert [t.get_text() for t in drawn.axes_[1].get_yticklabels()] == ["1"]


@pytest.mark.parametrize("scale", [(1.0, 1.0), (1e-3, 1e4)])
def test_hyperplanes_and_their_positive_sides(fit, circles, scale):
    X, y = circles[0] * scale + 5.0 * np.array(scale), circles[1]
    network = fit(X, y, activation="relu", hidden_units=6)
    drawn = HiddenUnitsDisplay.from_estimator(network, X, y)
    W1, b1 = network.coefs_[0], network.intercepts_[0]
    low, high = np.transpose([drawn.ax_.get_xlim(), drawn.ax_.get_ylim()])
    arrows = iter(drawn.arrows_)
    for j, line in enumerate(drawn.lines_):
        ends = line.get_xydata()
        if not len(ends):
            continue
        size = np.abs(ends) @ np.abs(W1[:, j]) + abs(b1[j])
        assert_array_equal(np.abs(ends @ W1[:, j] + b1[j]) <= 1e-12 * size, True)
        assert (
            np.isclose(ends, low).any(axis=1).sum() + np.isclose(ends, high).any(axis=1).sum() == 2
        )
        arrow = next(arrows)
        step = np.array([arrow.U[0], arrow.V[0]])
        assert_allclose(np.linalg.norm(step), 1.0)
        tip = arrow.get_offsets()[0] + 0.1 * step * (high - low)
        assert tip @ W1[:, j] + b1[j] > 0
        # at right angles in a square picture
        assert_allclose(step @ ((ends[1] - ends[0]) / (high - low)), 0.0, atol=1e-12)
    assert next(arrows, None) is None
    assert drawn.ax_.get_box_aspect() == 1


def test_a_unit_that_contributes_more_is_drawn_thicker(fit, circles):
    network = fit(*circles, hidden_units=30, alpha=1.0)
    drawn = HiddenUnitsDisplay.from_estimator(network, *circles)
    H = network.transform(circles[0])
    assert_allclose(drawn.contribution, H.std(axis=0) * np.abs(network.coefs_[1][:, 0]))
    widths = [line.get_linewidth() for line in drawn.lines_]
    assert_array_equal(np.argsort(widths), np.argsort(drawn.contribution))


def test_hyperplane_outside_the_picture():
    drawn = HiddenUnitsDisplay(
        W1=np.array([[1.0, 1.0], [0.0, 0.0]]),
        b1=np.array([-0.5, -9.0]),
        W2=np.ones((2, 1)),
        feature_std=np.ones(2),
        unit_std=np.ones(2),
        feature_names=np.array(["a", "b"]),
        classes=np.array([0, 1]),
        X=np.array([[0.0, 0.0], [1.0, 1.0]]),
    ).plot()
    assert_allclose(drawn.lines_[0].get_xydata(), [[0.5, -0.08], [0.5, 1.08]])
    assert drawn.lines_[1].get_xydata().size == 0
    assert len(drawn.arrows_) == 1
    assert [text.get_text() for text in drawn.ax_.texts] == ["0"]
