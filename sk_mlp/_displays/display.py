"""What the displays share: axes, colours, names, samples, regions and legends.

The look is safe for the colour-blind and for a print in grey.
"""

from typing import Any

import numpy as np

# Okabe & Ito (2008), "Color universal design", with grey for black, which is kept for boundaries.
COLORS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999",
)  # fmt: skip
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "<", "*")  # 9, so that 72 classes look different
GREY = "0.45"
BOUNDARY: dict[str, Any] = {"color": "black", "linewidth": 2.0}
CHOICE = {"marker": "*", "mfc": "white", "mec": "black", "linestyle": "none"}
POSITIVE, NEGATIVE = "#D55E00", "#0072B2"  # weights
NAMES: dict[str, Any] = {"fontsize": "small", "parse_math": False}  # a dollar sign is no formula
LONGEST_NAME = 40  # characters; longer ones leave no room for the picture
LEGEND_ROWS = 12  # a legend with more entries has columns

Properties = dict[str, Any] | None  # of an artist, as the user gives them


class Display:
    """A picture in scikit-learn's conventions: data in `__init__`, drawn by `plot`."""

    ax_: Any
    figure_: Any

    def _set_axes(self, ax: Any, **figure: Any) -> Any:
        """Set and return the axes to draw in; None makes a new figure with these properties."""
        try:
            import matplotlib.pyplot as plt  # optional, and slow to import
        except ImportError as error:
            raise ImportError(
                f"{type(self).__name__}.plot needs matplotlib; install it with: "
                "pip install 'sk_mlp[plot]'"
            ) from error
        if ax is None:
            _, ax = plt.subplots(layout="constrained", **figure)
        self.ax_, self.figure_ = ax, ax.figure
        return ax

    def _add_legend(self) -> None:
        """Add a legend with the names as they are, see `legend_label`."""
        n_entries = len(self.ax_.get_legend_handles_labels()[0])
        columns = {"ncols": -(-n_entries // LEGEND_ROWS), "columnspacing": 1.0}
        compact = {"fontsize": "small", "handlelength": 1.6, "borderpad": 0.3, "labelspacing": 0.3}
        legend = self.ax_.legend(framealpha=0.85, **compact, **columns)
        for text in legend.get_texts():
            text.set_text(text.get_text().replace(r"\$", "$").removeprefix(" "))
            text.set_parse_math(False)

    def _draw_curve(self, x: Any, y: Any, look: dict[str, Any], given: Properties) -> Any:
        """Draw and return a Line2D; the user's properties override the look."""
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D

        return self.ax_.plot(x, y, **{**look, **normalize_kwargs(given or {}, Line2D)})[0]

    def _draw_samples(
        self, points: np.ndarray, y: np.ndarray | None, classes: np.ndarray, given: Properties
    ) -> list[Any]:
        """Draw the samples of each class with a colour and a marker of their own.

        `points` has shape (n_samples, n_axes). `classes`, shape (n_classes,), fixes the order of
        the colours. In the user's properties, `c` and `s` may have a value for each sample.
        Returns a PathCollection for each class present.
        """
        if y is None:
            everything = np.ones(len(points), dtype=bool)
            look = {"color": GREY, "marker": "o", "label": "samples"}
            return [self._scatter(points, everything, look, given)]
        return [
            self._scatter(points, y == name, {**class_look(k), "label": legend_label(name)}, given)
            for k, name in enumerate(classes)
            if np.any(y == name)
        ]

    def _scatter(
        self, points: np.ndarray, rows: np.ndarray, look: dict[str, Any], given: Properties
    ) -> Any:
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.collections import PathCollection
        from matplotlib.markers import MarkerStyle

        style = {**look, "s": 22, "linewidth": 0.3, "edgecolor": "0.15", "zorder": 3}
        if not MarkerStyle((given or {}).get("marker", "o")).is_filled():
            # crosses and the like are all edge
            style |= {"linewidth": 1.0, "edgecolor": None}
        if self.ax_.name == "3d":
            style["depthshade"] = False
        style |= normalize_kwargs(given or {}, PathCollection)
        for name in ("c", "s"):
            if np.shape(style.get(name, ()))[:1] == rows.shape:
                style[name] = np.asarray(style[name])[rows]
        if style.get("c") is not None:
            style.pop("color")  # matplotlib takes one of the two
        return self.ax_.scatter(*points[rows].T, **style)

    def _fill_regions(
        self, xx0: np.ndarray, xx1: np.ndarray, margins: np.ndarray, *, outline: str = ""
    ) -> list[Any]:
        """Tint the region of each class; draw and return their boundaries if these have a name.

        Takes what `class_regions` returns. A region ends where its margin crosses zero.
        """
        outlines = []
        for k, margin in enumerate(np.moveaxis(margins, -1, 0)):
            color = class_look(k)["color"]
            levels = [0.0, np.inf]
            self.ax_.contourf(xx0, xx1, margin, levels=levels, colors=[color], alpha=0.2, zorder=0)
            # of two classes one outline is enough
            if outline and margin.min() < 0 < margin.max() and (k > 0 or margins.shape[-1] > 2):
                look = {f"{name}s": value for name, value in BOUNDARY.items()}
                outlines.append(self.ax_.contour(xx0, xx1, margin, levels=[0.0], zorder=2, **look))
        if outlines:
            self.ax_.plot([], [], label=outline, **BOUNDARY)
        return outlines


def shown(name: Any) -> str:
    """Return the text of a name in a picture, without the middle of a very long one."""
    text = str(name)
    if len(text) <= LONGEST_NAME:
        return text
    return f"{text[: LONGEST_NAME - 16]}\N{HORIZONTAL ELLIPSIS}{text[-15:]}"


def legend_label(name: Any) -> str:
    r"""Return a label that matplotlib keeps in a legend and does not take for a formula.

    It leaves out labels that are empty or begin with an underscore: a space in front keeps them.
    """
    text = shown(name).replace("$", r"\$")
    return text if text and text[0] != "_" else f" {text}"


def class_look(k: int) -> dict[str, Any]:
    """Return the colour and the marker of class (or curve) number k."""
    return {"color": COLORS[k % len(COLORS)], "marker": MARKERS[k % len(MARKERS)]}
