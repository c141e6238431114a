"""Draw the lines at which hidden units change."""

from typing import Any

import numpy as np

from sk_mlp._displays.geometry import box_section

MAX_NUMBERED = 12  # more numbers than this hide the picture
ARROW = 0.07  # length, in widths of the picture
ROOM = 0.15  # around an arrow, in widths of the picture, that is enough


def draw_hyperplanes(
    ax: Any, W1: np.ndarray, b1: np.ndarray, strength: np.ndarray, box: np.ndarray
) -> tuple[list[Any], list[Any]]:
    """Draw the line ``x @ W1[:, j] + b1[j] = 0`` of each unit and an arrow to its positive side.

    The axes are square and show the rectangle `box`: lowest and highest coordinates, shape (2, 2).
    `W1` has shape (2, hidden_units), and `b1` and `strength` (hidden_units,). Strength, from 0 to
    1, is the thickness and darkness. Returns a Line2D for each unit, without points if it lies
    outside the box, and a Quiver for each line inside.
    """
    from matplotlib.patheffects import withStroke

    size = box[1] - box[0]
    lines, arrows, tips = [], [], np.empty((0, 2))
    for j, (w, b, s) in enumerate(zip(W1.T, b1, strength, strict=True)):
        ends = box_section(w, b, box)
        look = {"color": "black", "alpha": 0.1 + 0.9 * s}
        lines += ax.plot(*ends.T, linestyle="--", linewidth=0.4 + 1.4 * s, zorder=4, **look)
        if not len(ends):
            continue
        # at right angles on the screen, whatever the features measure: the gradient in units
        # of the width and height of the picture
        direction = w * size / np.linalg.norm(w * size)
        step = 1.5 * ARROW * direction * size
        tails = ends[0] + np.linspace(0.1, 0.9, 33)[:, None] * (ends[1] - ends[0])
        room = np.minimum(
            _room(tails, np.delete(W1, j, axis=1), np.delete(b1, j), size),
            np.linalg.norm((tails + step - tips[:, None]) / size, axis=2).min(axis=0, initial=ROOM),
        )
        # where there is room, the closer to the middle the better
        tail = tails[np.argmax(room - 0.1 * np.abs(np.linspace(-0.4, 0.4, 33)))]
        style = {"angles": "uv", "units": "width", "width": 0.006, "scale": 1 / ARROW}
        arrows.append(ax.quiver(*tail, *direction, zorder=4, **style, **look))
        tips = np.append(tips, [tail + step], axis=0)
        if len(strength) <= MAX_NUMBERED:
            number = ax.text(*tips[-1], str(j), ha="center", va="center", weight="bold", zorder=5)
            number.set_path_effects([withStroke(linewidth=3, foreground="white")])
    return lines, arrows


def _room(points: np.ndarray, W1: np.ndarray, b1: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the distance of points from the nearest line, at most ROOM, in widths."""
    lengths = np.maximum(np.linalg.norm(W1 * size[:, None], axis=0), np.finfo(float).tiny)
    return np.asarray((np.abs(points @ W1 + b1) / lengths).min(axis=1, initial=ROOM))
