"""What every display does: the axes given, matplotlib only when it draws."""

import subprocess
import sys

import matplotlib.pyplot as plt
import pytest

import sk_mlp
from sk_mlp import HiddenUnitsDisplay, LossCurveDisplay, NetworkDisplay, ProjectionDisplay

DISPLAYS = [HiddenUnitsDisplay, LossCurveDisplay, NetworkDisplay, ProjectionDisplay]
WITH_LABELS = [HiddenUnitsDisplay, ProjectionDisplay]


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
