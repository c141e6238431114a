"""HiddenUnitsDisplay draws what the network computes."""

import numpy as np
from numpy.testing import assert_allclose
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
