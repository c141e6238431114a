"""NetworkDisplay draws a line for each weight."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sk_mlp import NetworkDisplay


def test_the_graph_shows_the_weights(iris, iris_network):
    X, _ = iris
    drawn = NetworkDisplay.from_estimator(iris_network, X)
    W1, W2 = iris_network.coefs_
    per_std = (
        W1 * X.to_numpy().std(axis=0)[:, None],
        W2 * iris_network.transform(X).std(axis=0)[:, None],
    )
    for edges, weights in zip(drawn.edges_, per_std, strict=True):
        widths = np.reshape(edges.get_linewidth(), weights.shape)
        assert_allclose(widths / widths.max(), np.abs(weights) / np.abs(weights).max())
        red = edges.get_colors()[:, 0].reshape(weights.shape) > 0.5
        assert_array_equal(red, weights > 0)
    names = [[text.get_text() for text in column] for column in drawn.labels_]
    assert names == [list(X.columns), list("01234"), ["setosa", "versicolor", "virginica"]]
    # from the input to the hidden unit that the weight connects
    ends = drawn.edges_[0].get_segments()[1 * 5 + 2]
    assert_allclose(ends[0], drawn.nodes_[0].get_offsets()[1])
    assert_allclose(ends[1], drawn.nodes_[1].get_offsets()[2])
    raw = NetworkDisplay.from_estimator(iris_network)
    assert_array_equal(raw.input_weights, W1)
    assert_array_equal(raw.output_weights, W2)


def test_the_graph_has_the_strongest_inputs_and_units():
    drawn = NetworkDisplay(
        input_weights=np.array([[9.0, 0, 0], [0, 1, 1], [0, 3, 0], [0, 0, 2]]),
        output_weights=np.array([[0.1], [-2.0], [1.0]]),
        feature_names=np.array(list("abcd")),
        output_names=np.array(["yes"]),
    ).plot(max_features=2, max_units=2)
    # by weight times what the unit contributes: .9, 2.2, 6, 2
    assert_array_equal(drawn.features, [1, 2])
    assert_array_equal(drawn.units, [1, 2])
    assert len(drawn.edges_[0].get_segments()) == 4
    assert "2 of 4\ninputs" in [text.get_text() for text in drawn.ax_.texts]
