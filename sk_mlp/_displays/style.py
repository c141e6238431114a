"""The look of the displays: safe for the colour-blind and for a print in grey."""

from typing import Any

import numpy as np

# Okabe & Ito (2008), "Color universal design", with grey for black, which is kept for boundaries.
COLORS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999",
)  # fmt: skip
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "<", "*")  # 9, so that 72 classes look different
GREY = "0.45"
LONGEST_NAME = 40  # characters; longer ones leave no room for the picture
LEGEND_ROWS = 12  # of more entries, a legend has columns
POSITIVE, NEGATIVE = "#D55E00", "#0072B2"
# Blue, grey at zero, yellow, and brighter all the way: the sign survives a print in grey.
WEIGHTS_CMAP = "cividis"


def shown(name: Any) -> str:
    """Text of a name in a picture: the middle of a very long one is left out."""
    text = str(name)
    if len(text) <= LONGEST_NAME:
        return text
    return f"{text[: LONGEST_NAME - 16]}\N{HORIZONTAL ELLIPSIS}{text[-15:]}"


def legend_label(name: Any) -> str:
    r"""Label of an artist that matplotlib neither leaves out of a legend nor takes for a formula.

    It leaves out labels that are empty or begin with an underscore: a space in front keeps them.
    `add_legend` shows the name itself.
    """
    text = shown(name).replace("$", r"\$")
    return text if text and text[0] != "_" else f" {text}"


def merged(defaults: dict[str, Any], given: dict[str, Any] | None, artist: Any) -> dict[str, Any]:
    """Let the user's properties of an artist, under whatever alias, override the defaults."""
    from matplotlib.cbook import normalize_kwargs

    return {**defaults, **normalize_kwargs(given or {}, artist)}


def scatter_classes(
    ax: Any,
    points: np.ndarray,
    y: np.ndarray | None,
    classes: np.ndarray,
    scatter_kw: dict[str, Any] | None,
) -> list[Any]:
    """Draw the samples of each class with a colour and a marker of their own.

    Parameters
    ----------
    ax : matplotlib Axes
    points : ndarray of shape (n_samples, n_axes)
    y : ndarray of shape (n_samples,) or None
        Labels; None draws all samples alike.
    classes : ndarray of shape (n_classes,)
        Fixes the order of the colours.
    scatter_kw : dict or None
        Properties of all samples; `c` and `s` may have a value for each.

    Returns
    -------
    list of PathCollection
        One for each class that is there.
    """
    if y is None:
        look = {"color": GREY, "marker": "o", "label": "samples"}
        return [_scatter(ax, points, look, scatter_kw)]
    artists = []
    for k, label in enumerate(classes):
        rows = y == label
        if rows.any():
            look = {
                "color": COLORS[k % len(COLORS)],
                "marker": MARKERS[k % len(MARKERS)],
                "label": legend_label(label),
            }
            given = {
                name: np.asarray(value)[rows]
                if name in ("c", "s") and np.shape(value)[:1] == y.shape
                else value
                for name, value in (scatter_kw or {}).items()
            }
            artists.append(_scatter(ax, points[rows], look, given))
    return artists


def _scatter(
    ax: Any, points: np.ndarray, look: dict[str, Any], given: dict[str, Any] | None
) -> Any:
    from matplotlib.collections import PathCollection
    from matplotlib.markers import MarkerStyle

    style = {"s": 22, "linewidth": 0.3, "edgecolor": "0.15", "zorder": 3, **look}
    if ax.name == "3d":
        style["depthshade"] = False
    style = merged(style, given, PathCollection)
    if style.get("c") is not None:
        style.pop("color")  # matplotlib takes one of the two
    if "edgecolor" not in merged({}, given, PathCollection) and not (
        MarkerStyle(style["marker"]).is_filled()
    ):
        # crosses and the like are all edge
        style.pop("edgecolor")
        style["linewidth"] = max(style["linewidth"], 1.0)
    return ax.scatter(*points.T, **style)


def fill_regions(
    ax: Any, xx0: np.ndarray, xx1: np.ndarray, margins: np.ndarray, *, outline: bool
) -> list[Any]:
    """Tint the region of each class and, if asked, draw the boundaries between them.

    Parameters
    ----------
    ax : matplotlib Axes
    xx0, xx1 : ndarray of shape (resolution, resolution)
        Coordinates of a grid.
    margins : ndarray of shape (resolution, resolution, n_classes)
        Lead of each class, in logits; a region ends where it crosses zero.
    outline : bool

    Returns
    -------
    list of ContourSet
        The boundaries.
    """
    outlines = []
    n_classes = margins.shape[-1]
    for k in range(n_classes):
        margin = margins[..., k]
        if margin.max() <= 0:
            continue
        levels = [0.0, margin.max() + 1.0]
        ax.contourf(
            xx0, xx1, margin, levels=levels, colors=[COLORS[k % len(COLORS)]], alpha=0.2, zorder=0
        )
        # of two classes one outline is enough
        if outline and margin.min() < 0 and (k > 0 or n_classes > 2):
            lines = ax.contour(
                xx0, xx1, margin, levels=[0.0], colors="black", linewidths=2.0, zorder=2
            )
            outlines.append(lines)
    return outlines


def add_legend(ax: Any, extra: list[Any] | None = None, **kwargs: Any) -> None:
    """Add a legend of the labelled artists of `ax` and of `extra` handles."""
    handles = [*ax.get_legend_handles_labels()[0], *(extra or [])]
    compact = {"fontsize": "small", "handlelength": 1.6, "borderpad": 0.3, "labelspacing": 0.3}
    columns = {"ncols": -(-len(handles) // LEGEND_ROWS), "columnspacing": 1.0}
    legend = ax.legend(handles=handles, framealpha=0.85, **compact, **columns, **kwargs)
    legend.set_zorder(6)
    for text in legend.get_texts():
        name = text.get_text().replace(r"\$", "$")
        text.set_text(name[1:] if name == " " or name.startswith(" _") else name)
        text.set_parse_math(False)
