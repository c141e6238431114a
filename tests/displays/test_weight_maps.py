"""Maps and images show the weights."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits

from sk_mlp import HiddenUnitsDisplay


def squares(collection):
    """Signed areas of the squares; the sign is that of the filling."""
    corners = np.array([path.vertices[:4] for path in collection.get_paths()])
    area = np.prod(corners[:, 2] - corners[:, 0], axis=1)
    hollow = (collection.get_facecolor() == 1.0).all(axis=1)
    return np.where(hollow, -area, area)


def test_maps_show_the_weights(iris, iris_network):
    X, y = iris
    drawn = HiddenUnitsDisplay.from_estimator(iris_network, X, y)
    W1, W2 = iris_network.coefs_
    per_std = W1 * X.to_numpy().std(axis=0)[:, None]
    spread = iris_network.transform(X).std(axis=0)
    for collection, weights in zip(drawn.maps_, (per_std, W2.T * spread), strict=True):
        areas = squares(collection).reshape(weights.shape)
        assert_allclose(areas, 0.92**2 * weights / np.abs(weights).max(), atol=1e-12)
    rows = [[t.get_text() for t in ax.get_yticklabels()] for ax in drawn.axes_]
    assert rows == [list(X.columns), ["setosa", "versicolor", "virginica"]]


def test_images_of_pixels(fit):
    X, y = load_digits(n_class=4, return_X_y=True)
    network = fit(X, y, hidden_units=5)
    drawn = HiddenUnitsDisplay.from_estimator(network, X, image_shape=(8, 8))
    assert len(drawn.images_) == 5
    for j, image in enumerate(drawn.images_):
        weights = network.coefs_[0][:, j] * X.std(axis=0)
        assert_allclose(image.get_array(), weights.reshape(8, 8))
        assert image.norm.vmin == -image.norm.vmax
        title = drawn.axes_[j].get_title()
        assert title == f"{j} \N{RIGHTWARDS ARROW} {network.coefs_[1][j].argmax()}"
    with pytest.raises(ValueError, match=r"image_shape=\(8, 7\) does not hold 64 features"):
        HiddenUnitsDisplay.from_estimator(network, X, image_shape=(8, 7))
