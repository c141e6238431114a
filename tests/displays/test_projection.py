"""ProjectionDisplay shows the hidden layer and what separates the classes there."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from mpl_toolkits.mplot3d import proj3d
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA

from sk_mlp import ProjectionDisplay, TwoLayerMLPClassifier
from sk_mlp._displays.geometry import box_section


def test_two_units_and_their_line(fit, circles):
    network = fit(*circles, hidden_units=2)
    drawn = ProjectionDisplay.from_estimator(network, *circles)
    assert_array_equal(drawn.projection, network.transform(circles[0]))
    (line,) = drawn.boundary_
    ends = line.get_xydata()
    assert ends.shape == (2, 2)
    assert_allclose(ends @ network.coefs_[1] + network.intercepts_[1], 0.0, atol=1e-12)


def test_three_units_and_their_plane(network, circles):
    drawn = ProjectionDisplay.from_estimator(network, *circles)
    assert drawn.ax_.name == "3d"
    assert_array_equal(drawn.projection, network.transform(circles[0]))
    (plane,) = drawn.boundary_
    W2, b2 = network.coefs_[1], network.intercepts_[1]
    ax = drawn.ax_
    box = np.transpose([ax.get_xlim(), ax.get_ylim(), ax.get_zlim()])
    corners = box_section(W2[:, 0], b2[0], box)
    assert len(corners) >= 3
    assert_allclose(corners @ W2 + b2, 0.0, atol=1e-12)
    drawn.figure_.canvas.draw()
    seen = np.stack(proj3d.proj_transform(*corners.T, ax.get_proj())[:2], axis=1)
    assert_allclose(plane.get_paths()[0].vertices[: len(corners)], seen, atol=1e-9)
    with pytest.raises(ValueError, match=r'needs a three-dimensional .projection="3d". ax'):
        drawn.plot(ax=plt.subplots()[1])


@pytest.mark.parametrize("seed", range(10))
def test_the_view_shows_both_sides_of_the_plane(seed):
    normal = np.random.RandomState(seed).normal(size=3)
    sides = np.array([4.0, 4.0, 3.0])  # as drawn
    drawn = ProjectionDisplay(
        projection=np.stack([-sides, sides]),
        y=None,
        classes=np.array([0, 1]),
        axis_labels=["a", "b", "c"],
        coefs=normal[:, None],
        intercept=np.zeros(1),
    ).plot()
    elevation, azimuth = np.radians([drawn.ax_.elev, drawn.ax_.azim])
    view = [
        np.cos(elevation) * np.cos(azimuth),
        np.cos(elevation) * np.sin(azimuth),
        np.sin(elevation),
    ]
    # at 0 the plane would be a line, at 1 it would hide what is behind it
    assert_allclose(abs(view @ normal / np.linalg.norm(normal)), 0.2)


def test_the_line_of_many_units_separates_as_the_network_does(fit, circles):
    X, y = circles
    network = fit(X, y, hidden_units=20)
    drawn = ProjectionDisplay.from_estimator(network, X, y)
    assert drawn.projection.shape == (120, 2)
    raw = drawn.projection @ drawn.coefs + drawn.intercept
    assert_allclose(raw[:, 0], network.decision_function(X), rtol=1e-9)
    (line,) = drawn.boundary_
    ends = line.get_xydata()
    assert_allclose(ends @ drawn.coefs + drawn.intercept, 0.0, atol=1e-9)
    # along the line lies the largest variance that is left
    H = network.transform(X)
    across = network.coefs_[1] / np.linalg.norm(network.coefs_[1])
    rest = PCA(1).fit(H - H @ across @ across.T).explained_variance_[0]
    assert_allclose(drawn.projection[:, 1].var(ddof=1), rest)
    share = drawn.projection.var(axis=0) / H.var(axis=0).sum()
    assert f"({share[0]:.0%} of variance)" in drawn.ax_.get_xlabel()
    assert f"({share[1]:.0%} of variance)" in drawn.ax_.get_ylabel()


def test_many_units_and_classes_by_principal_components(iris, iris_network):
    drawn = ProjectionDisplay.from_estimator(iris_network, *iris)
    pca = PCA(2).fit(H := iris_network.transform(iris[0]))
    centred = drawn.projection - drawn.projection.mean(axis=0)
    assert_allclose(np.abs(centred), np.abs(pca.transform(H)), atol=1e-9)
    for share, label in zip(
        pca.explained_variance_ratio_,
        (drawn.ax_.get_xlabel(), drawn.ax_.get_ylabel()),
        strict=True,
    ):
        assert f"({share:.0%} of variance)" in label
    assert drawn.boundary_ == []


def test_boundaries_of_three_classes_on_two_units(fit, iris):
    X, y = iris
    network = fit(X, y, hidden_units=2)
    drawn = ProjectionDisplay.from_estimator(network, X, y)
    assert 2 <= len(drawn.boundary_) <= 3
    for contour in drawn.boundary_:
        for path in contour.get_paths():
            raw = np.sort(path.vertices @ network.coefs_[1] + network.intercepts_[1], axis=1)
            lead = np.median(raw[:, -1] - raw[:, -2])
            assert lead < 1e-9


def test_one_unit_has_no_projection(fit, circles):
    with pytest.raises(ValueError, match="at least two hidden units, got 1"):
        ProjectionDisplay.from_estimator(fit(*circles, hidden_units=1), *circles)


def test_one_sample_and_constant_units_can_be_projected():
    X, y = load_iris(return_X_y=True)
    network = TwoLayerMLPClassifier(5, alpha=1.0, random_state=0).fit(X, y)
    assert ProjectionDisplay.from_estimator(network, X[:1]).projection.shape == (1, 2)
    network.coefs_[0] = 0.0 * network.coefs_[0]  # nor do units that are constant have a variance
    display = ProjectionDisplay.from_estimator(network, X)
    assert all("(0% of variance)" in label for label in display.axis_labels)
