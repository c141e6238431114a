"""Geometry of linear functions: known answers."""

import numpy as np
from numpy.testing import assert_allclose

from sk_mlp._displays.geometry import box_section, class_regions


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


def test_class_regions():
    box = np.array([[0.0, -1.0], [2.0, 1.0]])
    raw = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, 2.5]])
    xx0, xx1, margins = class_regions(lambda Z: raw[(Z[:, 0] > 1.0).astype(int)], box)
    assert_allclose([xx0[0, [0, -1]], xx1[[0, -1], 0]], box.T)
    assert_allclose(margins[0, 0], [2, -2, -3])
    assert_allclose(margins[0, -1], [-2.5, -0.5, 0.5])
    *_, margins = class_regions(lambda Z: Z[:, 0], box)
    assert_allclose(margins[5, -1], [-2, 2])
