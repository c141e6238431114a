"""The displays: what they draw is what the network computes."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits, load_iris, make_circles
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sk_mlp
from sk_mlp import (
    HiddenUnitsDisplay,
    LossCurveDisplay,
    ProjectionDisplay,
    TwoLayerMLPClassifier,
)
from sk_mlp._displays.geometry import box_section, class_margins

mpl.use("Agg")
import matplotlib.pyplot as plt
from mpl_toolkits.mplot3d import proj3d

DISPLAYS = [HiddenUnitsDisplay, LossCurveDisplay, ProjectionDisplay]
WITH_DATA = [HiddenUnitsDisplay, ProjectionDisplay]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def circles():
    return make_circles(120, noise=0.1, factor=0.4, random_state=0)


@pytest.fixture(scope="module")
def iris():
    data = load_iris(as_frame=True)
    return data.data, data.target_names[data.target]


def fit(X, y, hidden_units=3, **kw):
    kw = {"alpha": 0.1, "activation": "tanh", "random_state": 0} | kw
    return TwoLayerMLPClassifier(hidden_units, **kw).fit(X, y)


@pytest.fixture(scope="module")
def network(circles):
    return fit(*circles)


@pytest.fixture(scope="module")
def iris_network(iris):
    return fit(*iris, hidden_units=5)


# conventions of scikit-learn's displays


def test_a_bare_import_does_not_import_matplotlib():
    code = "import sys, sk_mlp; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("display", DISPLAYS)
def test_missing_matplotlib_names_the_extra(display, network, circles, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    data = () if display is LossCurveDisplay else circles
    with pytest.raises(ImportError, match=rf"{display.__name__}.plot .*sk_mlp\[plot\]"):
        display.from_estimator(network, *data)


@pytest.mark.parametrize("display", DISPLAYS)
def test_public_name_and_the_axes_given(display, iris, iris_network):
    assert display.__module__ == "sk_mlp"
    assert display.__name__ in sk_mlp.__all__
    _, ax = plt.subplots()
    data = () if display is LossCurveDisplay else iris
    drawn = display.from_estimator(iris_network, *data, ax=ax)
    assert isinstance(drawn, display)
    assert drawn.ax_ is ax
    assert drawn.figure_ is ax.figure
    assert drawn.plot() is drawn
    assert drawn.ax_ is not ax
    assert drawn.figure_ is not ax.figure


@pytest.mark.parametrize("display", DISPLAYS)
def test_wrong_estimators(display, circles):
    data = () if display is LossCurveDisplay else circles
    with pytest.raises(NotFittedError):
        display.from_estimator(TwoLayerMLPClassifier(), *data)
    with pytest.raises(TypeError, match=r"got Pipeline.*pipeline\[-1\]"):
        display.from_estimator(make_pipeline(TwoLayerMLPClassifier()), *data)


@pytest.mark.parametrize("display", WITH_DATA)
def test_last_step_of_a_pipeline(display, iris):
    X, y = iris
    pipeline = make_pipeline(
        StandardScaler().set_output(transform="pandas"), TwoLayerMLPClassifier(3)
    )
    pipeline.fit(X, y)
    drawn = display.from_estimator(pipeline[-1], pipeline[:-1].transform(X), y)
    assert_array_equal(drawn.classes, ["setosa", "versicolor", "virginica"])


@pytest.mark.parametrize("display", WITH_DATA)
def test_wrong_data(display, network, circles):
    X, y = circles
    with pytest.raises(ValueError, match=r"one label per sample.*\(120, 2\)"):
        display.from_estimator(network, X, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        display.from_estimator(network, X, y[1:])
    with pytest.raises(ValueError, match="3 features"):
        display.from_estimator(network, np.ones((4, 3)))


def test_each_class_has_its_samples_and_looks(network, circles):
    X, y = circles
    drawn = HiddenUnitsDisplay.from_estimator(network, X, y, scatter_kw={"s": 7})
    assert [s.get_label() for s in drawn.scatters_] == ["0", "1"]
    for label, scatter in enumerate(drawn.scatters_):
        assert_array_equal(scatter.get_offsets(), X[y == label])
        assert scatter.get_sizes() == 7
    first, second = drawn.scatters_
    assert first.get_paths()[0].vertices.shape != second.get_paths()[0].vertices.shape
    assert np.any(first.get_facecolor() != second.get_facecolor())
    (alike,) = HiddenUnitsDisplay.from_estimator(network, X).scatters_
    assert_array_equal(alike.get_offsets(), X)


# LossCurveDisplay


def test_loss_curves_and_best_iteration(circles):
    X, y = circles
    network = fit(X[:80], y[:80], solver="adam", early_stopping=True, hidden_units=20)
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


def test_other_starts_leave_out_the_one_that_was_finished(circles):
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


# HiddenUnitsDisplay, two features


@pytest.mark.parametrize("scale", [(1.0, 1.0), (1e-3, 1e4)])
def test_hyperplanes_and_their_positive_sides(circles, scale):
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


def test_a_unit_that_contributes_more_is_drawn_thicker(circles):
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


def test_decision_boundary_of_a_linear_network(circles):
    X = circles[0]
    y = X @ [1.0, 2.0] > 0.1
    network = fit(X, y, activation="identity")
    (boundary,) = HiddenUnitsDisplay.from_estimator(network, X, y).boundary_
    (path,) = boundary.get_paths()
    assert len(path.vertices) > 2
    assert_allclose(network.decision_function(path.vertices), 0.0, atol=1e-9)


def test_regions_are_those_of_predict(iris):
    X, y = iris[0].iloc[:, 2:], iris[1]
    drawn = HiddenUnitsDisplay.from_estimator(network := fit(X, y), X, y)
    xx0, xx1, margins = drawn.regions
    grid = pd.DataFrame(np.stack([xx0.ravel(), xx1.ravel()], axis=1), columns=X.columns)
    assert_array_equal(network.classes_[margins.argmax(axis=-1).ravel()], network.predict(grid))
    assert_array_equal((margins > 0).sum(axis=-1), 1)
    assert drawn.ax_.get_xlabel() == "petal length (cm)"
    assert drawn.ax_.get_ylabel() == "petal width (cm)"


def test_multilabel_has_lines_but_no_regions(circles):
    X, _ = circles
    Y = (X > 0).astype(int)
    drawn = HiddenUnitsDisplay.from_estimator(fit(X, Y), X, Y[:, 0])
    assert drawn.boundary_ == []
    assert len(drawn.lines_) == 3
    assert ProjectionDisplay.from_estimator(fit(X, Y, hidden_units=2), X).boundary_ == []


# HiddenUnitsDisplay, maps and images


def squares(collection):
    """Signed areas of the squares; the sign is that of the filling."""
    corners = np.array([path.vertices[:4] for path in collection.get_paths()])
    area = np.prod(corners[:, 2] - corners[:, 0], axis=1)
    hollow = (collection.get_facecolor() == 1.0).all(axis=1)
    return np.where(hollow, -area, area)


def test_maps_show_the_weights(iris, iris_network):
    X, y = iris
    drawn = HiddenUnitsDisplay.from_estimator(iris_network, X, y)
    W1, W2 = iris_network.coefs_
    per_std = W1 * X.to_numpy().std(axis=0)[:, None]
    spread = iris_network.transform(X).std(axis=0)
    for collection, weights in zip(drawn.maps_, (per_std, W2.T * spread), strict=True):
        areas = squares(collection).reshape(weights.shape)
        assert_allclose(areas, 0.92**2 * weights / np.abs(weights).max(), atol=1e-12)
    rows = [[t.get_text() for t in ax.get_yticklabels()] for ax in drawn.axes_]
    assert rows == [list(X.columns), ["setosa", "versicolor", "virginica"]]


def test_maps_do_not_depend_on_the_units_of_the_features(iris):
    X, y = iris
    factor = np.array([1.0, 1e3, 1e-3, 10.0])
    maps = [HiddenUnitsDisplay.from_estimator(fit(x, y), x).input_weights for x in (X, X * factor)]
    assert_allclose(maps[0], maps[1], rtol=1e-3)


def test_only_the_strongest_features():
    X, y = load_digits(n_class=2, return_X_y=True)
    network = fit(X, y)
    drawn = HiddenUnitsDisplay.from_estimator(network, X, max_features=5)
    size = np.abs(drawn.input_weights * drawn.contribution)
    expected = [f"x{i}" for i in np.argsort(-np.linalg.norm(size, axis=1))[:5]]
    assert [t.get_text() for t in drawn.axes_[0].get_yticklabels()] == expected
    # one output: the logit of the second class
    assert [t.get_text() for t in drawn.axes_[1].get_yticklabels()] == ["1"]


def test_feature_names_of_the_user(iris, iris_network):
    X = iris[0]
    names = ["a", "b", "c", "d"]
    drawn = HiddenUnitsDisplay.from_estimator(iris_network, X, feature_names=names)
    assert [t.get_text() for t in drawn.axes_[0].get_yticklabels()] == names
    with pytest.raises(ValueError, match=r"4 feature_names are needed, got shape \(2,\)"):
        HiddenUnitsDisplay.from_estimator(iris_network, X, feature_names=["a", "b"])


def test_images_of_pixels():
    X, y = load_digits(n_class=4, return_X_y=True)
    network = fit(X, y, hidden_units=5)
    drawn = HiddenUnitsDisplay.from_estimator(network, X, image_shape=(8, 8))
    assert len(drawn.images_) == 5
    for j, image in enumerate(drawn.images_):
        weights = network.coefs_[0][:, j] * X.std(axis=0)
        assert_allclose(image.get_array(), weights.reshape(8, 8))
        assert image.norm.vmin == -image.norm.vmax
        title = drawn.axes_[j].get_title()
        assert title == f"{j} \N{RIGHTWARDS ARROW} {network.coefs_[1][j].argmax()}"
    with pytest.raises(ValueError, match=r"image_shape=\(8, 7\) does not hold 64 features"):
        HiddenUnitsDisplay.from_estimator(network, X, image_shape=(8, 7))


@pytest.mark.parametrize("n_features", [2, 64])
def test_sparse_input_draws_the_same(n_features):
    X, y = load_digits(n_class=3, return_X_y=True)
    X = X[:, -n_features:] if n_features == 64 else X[:, [10, 20]]
    network = fit(X, y)
    dense, thin = (
        HiddenUnitsDisplay.from_estimator(network, x, y) for x in (X, sparse.csr_array(X))
    )
    assert_allclose(thin.input_weights, dense.input_weights)
    assert_allclose(thin.output_weights, dense.output_weights)
    assert (thin.X is None) == (n_features == 64)


# ProjectionDisplay


def test_two_units_and_their_line(circles):
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


def test_the_line_of_many_units_separates_as_the_network_does(circles):
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


def test_boundaries_of_three_classes_on_two_units(iris):
    X, y = iris
    network = fit(X, y, hidden_units=2)
    drawn = ProjectionDisplay.from_estimator(network, X, y)
    assert 2 <= len(drawn.boundary_) <= 3
    for contour in drawn.boundary_:
        for path in contour.get_paths():
            raw = np.sort(path.vertices @ network.coefs_[1] + network.intercepts_[1], axis=1)
            lead = np.median(raw[:, -1] - raw[:, -2])
            assert lead < 1e-9


def test_one_unit_has_no_projection(circles):
    with pytest.raises(ValueError, match="at least two hidden units, got 1"):
        ProjectionDisplay.from_estimator(fit(*circles, hidden_units=1), *circles)


# geometry


def test_box_section():
    box = np.array([[0.0, 0.0], [2.0, 1.0]])
    assert_allclose(box_section(np.array([1.0, 0.0]), -0.5, box), [[0.5, 0.0], [0.5, 1.0]])
    assert box_section(np.array([1.0, 0.0]), -3.0, box).shape == (0, 2)
    cube = np.array([[0.0] * 3, [1.0] * 3])
    triangle = box_section(np.ones(3), -0.5, cube)
    assert_allclose(np.sort(triangle, axis=0), [[0, 0, 0], [0, 0, 0], [0.5, 0.5, 0.5]], atol=1e-15)
    hexagon = box_section(np.ones(3), -1.5, cube)
    sides = np.linalg.norm(hexagon - np.roll(hexagon, 1, axis=0), axis=1)
    assert_allclose(sides, [np.sqrt(0.5)] * 6)  # in the order of the outline


def test_class_margins():
    raw = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, 2.5]])
    assert_allclose(class_margins(raw, 3), [[2, -2, -3], [-2.5, -0.5, 0.5]])
    assert_allclose(class_margins(np.array([2.0]), 1), [[-2, 2]])
