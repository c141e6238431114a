"""The look of the displays: safe for the colour-blind and for a print in grey."""

from typing import Any

import numpy as np

# Okabe & Ito (2008), "Color universal design", with grey for black, which is kept for boundaries.
COLORS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999",
)  # fmt: skip
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "<", "*")  # 9, so that 72 classes look different
GREY = "0.45"
POSITIVE, NEGATIVE = "#D55E00", "#0072B2"
# Blue, grey at zero, yellow, and brighter all the way: the sign survives a print in grey.
WEIGHTS_CMAP = "cividis"


def pyplot(display: str) -> Any:
    """Import matplotlib.pyplot, or say how to get it."""
    try:
        import matplotlib.pyplot as plt  # optional, and slow to import
    except ImportError as error:
        raise ImportError(
            f"{display}.plot needs matplotlib; install it with: pip install 'sk_mlp[plot]'"
        ) from error
    return plt


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

    Returns
    -------
    list of PathCollection
        One for each class that is there.
    """
    style = {"s": 22, "linewidths": 0.3, "edgecolors": "0.15", "zorder": 3, **(scatter_kw or {})}
    if ax.name == "3d":
        style["depthshade"] = False
    if y is None:
        return [
            ax.scatter(*points.T, **{"color": GREY, "marker": "o", "label": "samples", **style})
        ]
    artists = []
    for k, label in enumerate(classes):
        rows = y == label
        if rows.any():
            look = {"color": COLORS[k % len(COLORS)], "marker": MARKERS[k % len(MARKERS)]}
            artists.append(ax.scatter(*points[rows].T, **{**look, "label": str(label), **style}))
    return artists


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


def add_legend(ax: Any, extra: list[Any]) -> None:
    """Add a legend of the labelled artists of `ax` and of `extra` handles."""
    handles = [*ax.get_legend_handles_labels()[0], *extra]
    compact = {"fontsize": "small", "handlelength": 1.6, "borderpad": 0.3, "labelspacing": 0.3}
    ax.legend(handles=handles, framealpha=0.85, **compact).set_zorder(6)
