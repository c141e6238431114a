"""Geometry of linear functions: what the displays compute, as functions of arrays."""

import itertools

import numpy as np

ELEVATION = 20.0  # of the view on three axes, in degrees
# Cosine of the angle between this view and the normal of the plane: at 0 the plane is a line, at
# 1 it hides what is behind it.
SLANT = 0.2


def class_margins(raw: np.ndarray) -> np.ndarray:
    """Return by how many logits each class leads the best of the others.

    Takes raw predictions of shape (..., n_outputs) and returns shape (..., n_classes), positive
    for the class that is predicted. A single output is the logit of the second of two classes.
    """
    if raw.shape[-1] == 1:
        return np.concatenate([-raw, raw], axis=-1)
    second, first = np.moveaxis(np.sort(raw, axis=-1)[..., -2:], -1, 0)[..., None]
    margins: np.ndarray = raw - np.where(raw == first, second, first)
    return margins


def limits(points: np.ndarray, margin: float = 0.08) -> np.ndarray:
    """Return the lowest and highest coordinates with a margin, shape (2, n_axes)."""
    low, high = points.min(axis=0), points.max(axis=0)
    pad = margin * np.where(high > low, high - low, 1.0)
    return np.stack([low - pad, high + pad])


def grid(box: np.ndarray, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of a grid over a rectangle, each (resolution, resolution)."""
    low, high = box
    xx0, xx1 = np.meshgrid(*np.linspace(low, high, resolution).T)
    return xx0, xx1


def box_section(w: np.ndarray, b: float, box: np.ndarray) -> np.ndarray:
    """Return the points where the hyperplane ``w @ x + b = 0`` meets the edges of a box.

    `w` has shape (n_axes,) and `box`, the lowest and highest coordinates, (2, n_axes). The points,
    shape (n_points, n_axes), are the two ends of a line in a rectangle, or the corners of a plane
    in a cuboid in the order of its outline; there are none if the hyperplane misses the box.
    """
    n_axes = len(w)
    sides = np.array(list(itertools.product((0, 1), repeat=n_axes)))
    corners = box[sides, np.arange(n_axes)]
    values = corners @ w + b
    points = [
        corners[i] + values[i] / (values[i] - values[j]) * (corners[j] - corners[i])
        for i, j in itertools.combinations(range(len(corners)), 2)
        if np.abs(sides[i] - sides[j]).sum() == 1 and (values[i] < 0) != (values[j] < 0)
    ]
    if len(points) < 3:
        return np.reshape(points, (-1, n_axes))
    centred = np.array(points) - np.mean(points, axis=0)
    centred /= box[1] - box[0]
    across = np.linalg.svd(centred, full_matrices=False)[2][:2]
    return np.array(points)[np.argsort(np.arctan2(*(centred @ across.T).T))]


def view_along(normal: np.ndarray) -> tuple[float, float]:
    """Find a view from slightly above that shows a plane and what lies on both sides of it.

    Takes the normal of the plane, shape (3,), in units of the sides of the box as drawn, and
    returns elevation and azimuth in degrees.
    """
    elevation = np.radians(ELEVATION)
    normal = normal / (np.linalg.norm(normal) or 1.0)
    if normal[2] < 0:  # both sides are alike
        normal = -normal
    across = np.hypot(normal[0], normal[1]) * np.cos(elevation)
    cosine = np.clip((SLANT - normal[2] * np.sin(elevation)) / max(across, 1e-9), -1, 1)
    azimuth = np.arctan2(normal[1], normal[0]) - np.arccos(cosine)
    return float(np.degrees(elevation)), float(np.degrees(azimuth))


def projection_plane(
    H: np.ndarray, output_weights: np.ndarray | None
) -> tuple[np.ndarray, list[str]]:
    """Find two orthonormal axes, shape (2, hidden_units), and name them.

    They are principal components of `H`, shape (n_samples, hidden_units). Given the weights of a
    single output, shape (hidden_units, 1), their direction is the first axis.
    """
    centred = H - H.mean(axis=0)
    if output_weights is None:
        return principal_components(centred, 2), [rf"component {i} of $\varphi(x)$" for i in (0, 1)]
    across = output_weights[:, 0] / (np.linalg.norm(output_weights) or 1.0)
    rest = centred - np.outer(centred @ across, across)
    names = [r"$\varphi(x)$ across the boundary", "along it, main component"]
    return np.stack([across, principal_components(rest, 1)[0]]), names


def principal_components(centred: np.ndarray, n_components: int) -> np.ndarray:
    """Return the directions of largest variance, shape (n_components, n_columns).

    The largest entry of each is positive.
    """
    _, vectors = np.linalg.eigh(centred.T @ centred)
    components = vectors[:, ::-1][:, :n_components].T
    largest = np.take_along_axis(components, np.abs(components).argmax(axis=1)[:, None], axis=1)
    return np.asarray(components * np.sign(largest))
