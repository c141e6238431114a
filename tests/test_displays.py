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
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler

import sk_mlp
from sk_mlp import (
    AlphaPathDisplay,
    HiddenUnitsDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    ProjectionDisplay,
    TwoLayerMLPClassifier,
    TwoLayerMLPClassifierCV,
)
from sk_mlp._displays.geometry import SLANT, box_section, class_margins, view_along

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
    with pytest.raises(NotFittedError):
        display.from_estimator(make_pipeline(StandardScaler(), TwoLayerMLPClassifier()), *data)
    with pytest.raises(NotFittedError):
        display.from_estimator(GridSearchCV(TwoLayerMLPClassifier(), {}), *data)
    for other in (LogisticRegression(), make_pipeline(LogisticRegression()).fit(*circles)):
        with pytest.raises(TypeError, match="Pipeline or search that ends in one; got Logistic"):
            display.from_estimator(other, *data)
    search = GridSearchCV(TwoLayerMLPClassifier(2), {"n_init": [1]}, refit=False, cv=2)
    with pytest.raises(ValueError, match="GridSearchCV has with refit=True"):
        display.from_estimator(search.fit(*circles), *data)


@pytest.mark.parametrize("display", [*DISPLAYS, AlphaPathDisplay, NetworkDisplay])
def test_an_estimator_of_a_cluster_names_to_local(display):
    dask = pytest.importorskip("sk_mlp.dask")
    data = (np.ones((3, 2)),) if display in WITH_DATA else ()
    with pytest.raises(TypeError, match=r"DaskTwoLayerMLPClassifier.to_local\(\)"):
        display.from_estimator(dask.DaskTwoLayerMLPClassifier(), *data)


# pipelines and searches


@pytest.fixture(scope="module")
def pipeline(circles):
    steps = make_pipeline(PolynomialFeatures(include_bias=False), StandardScaler())
    return make_pipeline(steps, TwoLayerMLPClassifier(3, alpha=0.1, random_state=0)).fit(*circles)


POLYNOMIALS = ["x0", "x1", "x0^2", "x0 x1", "x1^2"]


def test_a_pipeline_is_drawn_as_its_last_step(pipeline, circles):
    X, y = circles
    behind = pipeline[:-1].transform(X)
    drawn = HiddenUnitsDisplay.from_estimator(pipeline, X, y)
    expected = HiddenUnitsDisplay.from_estimator(pipeline[-1], behind, y)
    assert_array_equal(drawn.input_weights, expected.input_weights)
    assert_array_equal(drawn.output_weights, expected.output_weights)
    assert_array_equal(drawn.feature_names, POLYNOMIALS)
    drawn = ProjectionDisplay.from_estimator(pipeline, X, y)
    assert_array_equal(drawn.projection, pipeline[-1].transform(behind))
    assert LossCurveDisplay.from_estimator(pipeline).loss == pipeline[-1].loss_curve_
    assert_array_equal(NetworkDisplay.from_estimator(pipeline).feature_names, POLYNOMIALS)


def test_a_search_is_drawn_as_its_best_estimator(circles):
    steps = make_pipeline(PolynomialFeatures(include_bias=False), TwoLayerMLPClassifier(2))
    options = {"twolayermlpclassifier__hidden_units": [3]}
    search = GridSearchCV(steps, options, cv=2).fit(*circles)
    drawn = HiddenUnitsDisplay.from_estimator(make_pipeline("passthrough", search), *circles)
    assert drawn.W1.shape == (5, 3)
    assert_array_equal(drawn.feature_names, POLYNOMIALS)


def test_names_if_a_step_gives_none(circles):
    steps = make_pipeline(FunctionTransformer(np.abs), TwoLayerMLPClassifier(3)).fit(*circles)
    drawn = HiddenUnitsDisplay.from_estimator(steps, *circles)
    assert_array_equal(drawn.feature_names, ["x0", "x1"])
    assert_array_equal(drawn.X, np.abs(circles[0]))


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


# names, labels and properties as users have them


ODD = ["_unknown_", "$_per_$", "", "{%}", "_", "a_$", r"\frac", "x" * 200]


def test_every_name_is_in_the_legend_as_it_is():
    rng = np.random.RandomState(0)
    labels = np.repeat(ODD[:-1], 5)
    X = rng.normal(size=(len(labels), 2)) + np.repeat(np.arange(7), 5)[:, None]
    network = fit(X, labels, n_init=1)
    for display in WITH_DATA:
        drawn = display.from_estimator(network, X, labels)
        drawn.figure_.canvas.draw()
        texts = [text.get_text() for text in drawn.ax_.get_legend().get_texts()]
        assert texts[:7] == sorted(ODD[:-1])
        drawn.ax_.legend()  # the user's own
        drawn.figure_.canvas.draw()


def test_odd_feature_names_are_drawn_as_they_are():
    X, y = load_digits(n_class=len(ODD), return_X_y=True)
    X = X[:, 20 : 20 + len(ODD)]
    network = fit(X, np.array(ODD)[y], n_init=1, max_iter=20, tol=0.1)
    maps = HiddenUnitsDisplay.from_estimator(network, X, feature_names=ODD)
    graph = NetworkDisplay.from_estimator(network, X, feature_names=ODD)
    short = [*ODD[:-1], "x" * 24 + "\N{HORIZONTAL ELLIPSIS}" + "x" * 15]
    assert [t.get_text() for t in maps.axes_[0].get_yticklabels()] == short
    assert [t.get_text() for t in graph.labels_[0]] == short
    assert [t.get_text() for t in graph.labels_[2]] == sorted(short)
    for drawn in (maps, graph):
        drawn.figure_.canvas.draw()
    flat = HiddenUnitsDisplay.from_estimator(
        fit(X[:, :2], y, n_init=1, max_iter=20, tol=0.1), X[:, :2], feature_names=["$_a_$", "_"]
    )
    flat.figure_.canvas.draw()
    assert flat.ax_.get_xlabel() == "$_a_$"


@pytest.mark.parametrize("display", WITH_DATA)
@pytest.mark.parametrize("given", ["edgecolor", "edgecolors", "ec"])
def test_aliases_override_the_defaults(display, given, network, circles):
    drawn = display.from_estimator(network, *circles, scatter_kw={given: "red", "lw": 2})
    for scatter in drawn.scatters_:
        assert_array_equal(scatter.get_edgecolor()[0], [1, 0, 0, 1])
        assert_array_equal(scatter.get_linewidth(), [2])


def test_colors_of_the_user(network, circles):
    X, y = circles
    drawn = HiddenUnitsDisplay.from_estimator(network, X, y, scatter_kw={"c": "k", "marker": "x"})
    assert_array_equal(drawn.scatters_[0].get_facecolor()[0], [0, 0, 0, 1])
    drawn = HiddenUnitsDisplay.from_estimator(network, X, y, scatter_kw={"c": X[:, 0]})
    assert_array_equal(drawn.scatters_[1].get_array(), X[y == 1, 0])
    curve = LossCurveDisplay.from_estimator(network, curve_kwargs={"ls": ":", "c": "k", "lw": 3})
    (line,) = curve.lines_
    assert (line.get_linestyle(), line.get_color(), line.get_linewidth()) == (":", "k", 3)


@pytest.mark.parametrize("display", WITH_DATA)
def test_labels_encoded_otherwise(display, circles):
    X, y = circles
    named = np.array(["ant", "bee"])[y]
    with pytest.raises(ValueError, match=r"labels \[0, 1\].*classes_ \['ant', 'bee'\]"):
        display.from_estimator(fit(X, named), X, y)
    with pytest.raises(ValueError, match=r"labels \['0', '1'\].*classes_ \[0, 1\]"):
        display.from_estimator(fit(X, y), X, y.astype(str))
    drawn = display.from_estimator(fit(X, y), X, y.astype(float))
    assert sum(len(scatter.get_offsets()) for scatter in drawn.scatters_) == len(X)


# LossCurveDisplay


def test_loss_curves_and_best_iteration():
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


@pytest.mark.parametrize("seed", range(5))
def test_the_view_shows_both_sides_of_the_plane(seed):
    normal = np.random.RandomState(seed).normal(size=3)
    elevation, azimuth = np.radians(view_along(normal))
    view = [
        np.cos(elevation) * np.cos(azimuth),
        np.cos(elevation) * np.sin(azimuth),
        np.sin(elevation),
    ]
    cosine = abs(view @ normal / np.linalg.norm(normal))
    assert_allclose(cosine, SLANT, atol=1e-9)


# NetworkDisplay


def test_the_graph_shows_the_weights(iris, iris_network):
    X, _ = iris
    drawn = NetworkDisplay.from_estimator(iris_network, X)
    W1, W2 = iris_network.coefs_
    per_std = (
        W1 * X.to_numpy().std(axis=0)[:, None],
        W2 * iris_network.transform(X).std(axis=0)[:, None],
    )
    for edges, weights in zip(drawn.edges_, per_std, strict=True):
        widths = np.reshape(edges.get_linewidth(), weights.shape)
        assert_allclose(widths / widths.max(), np.abs(weights) / np.abs(weights).max())
        red = edges.get_colors()[:, 0].reshape(weights.shape) > 0.5
        assert_array_equal(red, weights > 0)
    names = [[text.get_text() for text in column] for column in drawn.labels_]
    assert names == [list(X.columns), list("01234"), ["setosa", "versicolor", "virginica"]]
    # from the input to the hidden unit that the weight connects
    ends = drawn.edges_[0].get_segments()[1 * 5 + 2]
    assert_allclose(ends[0], drawn.nodes_[0].get_offsets()[1])
    assert_allclose(ends[1], drawn.nodes_[1].get_offsets()[2])
    raw = NetworkDisplay.from_estimator(iris_network)
    assert_array_equal(raw.input_weights, W1)
    assert_array_equal(raw.output_weights, W2)


def test_the_graph_has_the_strongest_inputs_and_units():
    drawn = NetworkDisplay(
        input_weights=np.array([[9.0, 0, 0], [0, 1, 1], [0, 3, 0], [0, 0, 2]]),
        output_weights=np.array([[0.1], [-2.0], [1.0]]),
        feature_names=np.array(list("abcd")),
        output_names=np.array(["yes"]),
    ).plot(max_features=2, max_units=2)
    # by weight times what the unit contributes: .9, 2.2, 6, 2
    assert_array_equal(drawn.features, [1, 2])
    assert_array_equal(drawn.units, [1, 2])
    assert len(drawn.edges_[0].get_segments()) == 4
    assert "2 of 4\ninputs" in [text.get_text() for text in drawn.ax_.texts]


# AlphaPathDisplay


def test_path_of_a_search(iris):
    search = TwoLayerMLPClassifierCV((2, 6), alphas=6, random_state=0).fit(*iris)
    drawn = AlphaPathDisplay.from_estimator(make_pipeline("passthrough", search))
    assert drawn.ax_.get_xscale() == "log"
    for line, band, scores in zip(drawn.lines_, drawn.fill_between_, search.scores_, strict=True):
        tried = ~np.isnan(scores[0])
        assert_array_equal(line.get_xdata(), search.alphas_[tried][::-1])
        assert_allclose(line.get_ydata(), scores.mean(axis=0)[tried][::-1])
        highest = (scores.mean(axis=0) + scores.std(axis=0))[tried].max()
        assert_allclose(band.get_paths()[0].vertices[:, 1].max(), highest)
    assert_array_equal(drawn.choice_.get_xdata(), [search.alpha_])
    assert_allclose(drawn.choice_.get_ydata(), [search.best_score_])


def test_path_without_folds_and_with_an_alpha_of_zero():
    drawn = AlphaPathDisplay(
        alphas=np.array([1.0, 0.1, 0.0]),
        scores=np.array([[[-0.5, -0.4, np.nan]], [[-0.6, -0.3, -0.7]]]),
        hidden_units=[1, 3],
        alpha=0.1,
        best_hidden_units=3,
    ).plot(curve_kwargs={"ls": ":"})
    assert [len(line.get_xdata()) for line in drawn.lines_] == [2, 3]
    assert drawn.lines_[0].get_linestyle() == ":"
    assert drawn.fill_between_ == []
    assert drawn.ax_.get_xscale() == "symlog"
    assert_allclose(drawn.choice_.get_xydata(), [[0.1, -0.3]])


def test_path_of_a_network_that_chose_its_alpha(circles):
    network = fit(*circles)
    with pytest.raises(ValueError, match=r'fitted with alpha=0.1. Use alpha="auto"'):
        AlphaPathDisplay.from_estimator(network)
    network.alpha_, network.alphas_ = 0.1, np.array([1.0, 0.1])
    network.alpha_scores_ = np.array([[-0.4, -0.3], [-0.6, -0.2]])
    drawn = AlphaPathDisplay.from_estimator(network)
    assert_allclose(drawn.lines_[0].get_xydata(), [[0.1, -0.25], [1.0, -0.5]])
    assert drawn.lines_[0].get_label() == "3 hidden units"


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
