"""What the displays share: the axes given, matplotlib only when it draws, names and looks."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits

import sk_mlp
from sk_mlp import HiddenUnitsDisplay, LossCurveDisplay, NetworkDisplay, ProjectionDisplay

DISPLAYS = [HiddenUnitsDisplay, LossCurveDisplay, NetworkDisplay, ProjectionDisplay]
WITH_LABELS = [HiddenUnitsDisplay, ProjectionDisplay]
ODD = ["_unknown_", "$_per_$", "", "{%}", "_", "a_$", r"\frac", "x" * 200]


def test_a_bare_import_does_not_import_matplotlib():
    code = "import sys, sk_mlp; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("display", DISPLAYS)
def test_missing_matplotlib_names_the_extra(display, network, circles, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    data = circles if display in WITH_LABELS else ()
    with pytest.raises(ImportError, match=rf"{display.__name__}.plot .*sk_mlp\[plot\]"):
        display.from_estimator(network, *data)


@pytest.mark.parametrize("display", DISPLAYS)
def test_public_name_and_the_axes_given(display, iris, iris_network):
    assert display.__module__ == "sk_mlp"
    assert display.__name__ in sk_mlp.__all__
    _, ax = plt.subplots()
    data = iris if display in WITH_LABELS else ()
    drawn = display.from_estimator(iris_network, *data, ax=ax)
    assert isinstance(drawn, display)
    assert drawn.ax_ is ax
    assert drawn.figure_ is ax.figure
    assert drawn.plot() is drawn
    assert drawn.ax_ is not ax
    assert drawn.figure_ is not ax.figure


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


def test_every_name_is_in_the_legend_as_it_is(fit):
    rng = np.random.RandomState(0)
    labels = np.repeat(ODD[:-1], 5)
    X = rng.normal(size=(len(labels), 2)) + np.repeat(np.arange(7), 5)[:, None]
    network = fit(X, labels, n_init=1)
    for display in WITH_LABELS:
        drawn = display.from_estimator(network, X, labels)
        drawn.figure_.canvas.draw()
        texts = [text.get_text() for text in drawn.ax_.get_legend().get_texts()]
        assert texts[:7] == sorted(ODD[:-1])
        drawn.ax_.legend()  # the user's own
        drawn.figure_.canvas.draw()


def test_odd_feature_names_are_drawn_as_they_are(fit):
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


@pytest.mark.parametrize("display", WITH_LABELS)
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
