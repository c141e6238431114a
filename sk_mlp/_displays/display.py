"""What the displays share: axes, colours, markers, labels, samples, regions and legends.

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

    def _add_legend(self, *extra: Any) -> None:
        """Add a legend of the labelled artists of the axes and of `extra` handles."""
        handles = [*self.ax_.get_legend_handles_labels()[0], *extra]
        compact = {"fontsize": "small", "handlelength": 1.6, "borderpad": 0.3, "labelspacing": 0.3}
        columns = {"ncols": -(-len(handles) // LEGEND_ROWS), "columnspacing": 1.0}
        legend = self.ax_.legend(handles=handles, framealpha=0.85, **compact, **columns)
        legend.set_zorder(6)
        for text in legend.get_texts():
            name = text.get_text().replace(r"\$", "$")
            text.set_text(name[1:] if name == " " or name.startswith(" _") else name)
            text.set_parse_math(False)

    def _draw_curve(self, x: Any, y: Any, look: dict[str, Any], given: Properties) -> Any:
        """Draw and return a Line2D with this look and the user's properties."""
        from matplotlib.lines import Line2D

        return self.ax_.plot(x, y, **merged(look, given, Line2D))[0]

    def _draw_stars(self, x: Any, y: Any, label: str, **look: Any) -> Any:
        """Mark what was chosen with white stars, and return the Line2D."""
        star = {"marker": "*", "markerfacecolor": "white", "markeredgecolor": "black"}
        return self.ax_.plot(x, y, linestyle="none", label=label, **star, **look)[0]

    def _draw_samples(
        self,
        points: np.ndarray,
        y: np.ndarray | None,
        classes: np.ndarray,
        scatter_kw: Properties,
    ) -> list[Any]:
        """Draw the samples of each class with a colour and a marker of their own.

        `points` has shape (n_samples, n_axes), `y` (n_samples,); without labels all samples look
        alike. `classes`, shape (n_classes,), fixes the order of the colours. In `scatter_kw`, `c`
        and `s` may have a value for each sample. Returns a PathCollection for each class present.
        """
        given = scatter_kw or {}
        if y is None:
            look = {"color": GREY, "marker": "o", "label": "samples"}
            return [_scatter(self.ax_, points, look, given)]
        artists = []
        for k, label in enumerate(classes):
            rows = y == label
            if rows.any():
                own: dict[str, Any] = {
                    name: np.asarray(given[name])[rows]
                    for name in ("c", "s")
                    if name in given and np.shape(given[name])[:1] == y.shape
                }
                look = {**class_look(k), "label": legend_label(label)}
                artists.append(_scatter(self.ax_, points[rows], look, {**given, **own}))
        return artists

    def _fill_regions(
        self, xx0: np.ndarray, xx1: np.ndarray, margins: np.ndarray, *, outline: bool
    ) -> list[Any]:
        """Tint the region of each class; with `outline` draw and return the boundaries.

        `xx0` and `xx1` are the coordinates of a grid, shape (n, n) each. `margins` is the lead of
        each class, in logits, shape (n, n, n_classes): a region ends where it crosses zero.
        """
        outlines = []
        n_classes = margins.shape[-1]
        for k, margin in enumerate(np.moveaxis(margins, -1, 0)):
            if margin.max() <= 0:
                continue
            levels = [0.0, margin.max() + 1.0]
            color = class_look(k)["color"]
            self.ax_.contourf(xx0, xx1, margin, levels=levels, colors=[color], alpha=0.2, zorder=0)
            # of two classes one outline is enough
            if outline and margin.min() < 0 and (k > 0 or n_classes > 2):
                look = {f"{name}s": value for name, value in BOUNDARY.items()}
                outlines.append(self.ax_.contour(xx0, xx1, margin, levels=[0.0], zorder=2, **look))
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
    A legend of `Display` shows the name itself.
    """
    text = shown(name).replace("$", r"\$")
    return text if text and text[0] != "_" else f" {text}"


def line_handle(label: str, **look: Any) -> Any:
    """Return a line for a legend only."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **look)


def class_look(k: int) -> dict[str, Any]:
    """Return the colour and the marker of class (or curve) number k."""
    return {"color": COLORS[k % len(COLORS)], "marker": MARKERS[k % len(MARKERS)]}


def merged(look: dict[str, Any], given: Properties, artist: Any) -> dict[str, Any]:
    """Let the user's properties of a kind of artist, under any alias, override the look."""
    from matplotlib.cbook import normalize_kwargs

    return {**look, **normalize_kwargs(given or {}, artist)}


def _scatter(ax: Any, points: np.ndarray, look: dict[str, Any], given: dict[str, Any]) -> Any:
    from matplotlib.collections import PathCollection
    from matplotlib.markers import MarkerStyle

    given = merged({}, given, PathCollection)
    style = {"s": 22, "linewidth": 0.3, "edgecolor": "0.15", "zorder": 3, **look}
    if ax.name == "3d":
        style["depthshade"] = False
    style |= given
    if style.get("c") is not None:
        style.pop("color")  # matplotlib takes one of the two
    if "edgecolor" not in given and not MarkerStyle(style["marker"]).is_filled():
        # crosses and the like are all edge
        style.pop("edgecolor")
        style["linewidth"] = max(style["linewidth"], 1.0)
    return ax.scatter(*points.T, **style)
