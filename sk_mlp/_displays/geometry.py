"""Geometry of linear functions and of regions, as functions of arrays."""

import itertools
from collections.abc import Callable

import numpy as np

RESOLUTION = 300  # of a side: 12 ms for 100 hidden units, and a region is drawn to .3 % of the side


def limits(points: np.ndarray) -> np.ndarray:
    """Return the lowest and highest coordinates with a margin, shape (2, n_axes)."""
    low, high = points.min(axis=0), points.max(axis=0)
    pad = 0.08 * np.where(high > low, high - low, 1.0)
    return np.stack([low - pad, high + pad])


def class_regions(
    raw_prediction: Callable[[np.ndarray], np.ndarray], box: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute by how many logits each class leads the best of the others over a rectangle.

    `raw_prediction` takes points, shape (n_points, 2), and `box` is the lowest and highest
    coordinates, shape (2, 2). Returns the coordinates of a grid, shape (n, n) each, and the
    margins there, shape (n, n, n_classes), positive for the class that is predicted.
    """
    low, high = box
    xx0, xx1 = np.meshgrid(*np.linspace(low, high, RESOLUTION).T)
    raw = raw_prediction(np.stack([xx0.ravel(), xx1.ravel()], axis=1)).reshape(*xx0.shape, -1)
    if raw.shape[-1] == 1:  # the logit of the second of two classes
        return xx0, xx1, np.concatenate([-raw, raw], axis=-1)
    second, first = np.moveaxis(np.sort(raw, axis=-1)[..., -2:], -1, 0)[..., None]
    return xx0, xx1, raw - np.where(raw == first, second, first)


def box_section(w: np.ndarray, b: float, box: np.ndarray) -> np.ndarray:
    """Return the points where the hyperplane ``w @ x + b = 0`` meets the edges of a box.

    `w` has shape (n_axes,) and `box`, the lowest and highest coordinates, (2, n_axes). The points,
    shape (n_points, n_axes), are the two ends of a line in a rectangle, or the corners of a plane
    in a cuboid in the order of its outline; there are none if the hyperplane misses the box.
    """
    corners = np.array(list(itertools.product(*box.T)))
    values = corners @ w + b
    points = [
        corners[i] + values[i] / (values[i] - values[j]) * (corners[j] - corners[i])
        for i, j in itertools.combinations(range(len(corners)), 2)
        if np.sum(corners[i] != corners[j]) == 1 and (values[i] < 0) != (values[j] < 0)
    ]
    section = np.reshape(points, (-1, len(w)))
    if len(section) < 3:
        return section
    # the outline keeps its order along the axis closest to the normal
    seen = np.delete(section - section.mean(axis=0), np.abs(w * (box[1] - box[0])).argmax(), axis=1)
    return section[np.argsort(np.arctan2(*seen.T))]
