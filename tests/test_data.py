"""Validated data: what is refused, in words that name the argument, and which rows count."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.datasets import load_iris

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._data.data import validate, validate_held_out

X, Y = load_iris(return_X_y=True)
INDICATORS = np.column_stack([Y == 0, Y == 1])
NAN = np.where(X > 7.0, np.nan, X)
ONES = np.ones(len(Y))


@pytest.mark.parametrize(
    ("X_val", "y_val", "weights", "message"),
    [
        (X[:, :3], Y, None, "X_val cannot be used: X has 3 features, .* expecting 4"),
        (NAN, Y, None, "X_val cannot be used: Input X contains NaN"),
        (X[0], Y, None, "X_val cannot be used: Expected 2D array"),
        (X, Y + 1, None, r"y_val cannot be used: y has labels \[3\] that are not in classes"),
        (
            X,
            Y[:-1],
            None,
            r"X_val and y_val cannot be used: .* inconsistent numbers .* \[150, 149\]",
        ),
        (X, np.where(Y == 1, np.nan, Y), None, "y_val cannot be used: Input y_val contains NaN"),
        (X, INDICATORS, None, "y_val cannot be used: y must be labels"),
        (X, Y, ONES[:-1], r"sample_weight_val cannot be used: .* expected \(150,\)"),
        (X, Y, -ONES, "sample_weight_val cannot be used: Negative values"),
        (X, Y, 0 * ONES, "sample_weight_val cannot be used: .*zero"),
        (X, Y, NAN[:, 0], "sample_weight_val cannot be used: .* NaN"),
        (None, Y, None, "X_val and y_val must be given together; X_val is None"),
        (X, None, ONES, "X_val and y_val must be given together; y_val is None"),
    ],
)
def test_an_error_names_the_one_argument_of_validation_data(X_val, y_val, weights, message):
    with pytest.raises(ValueError, match=message):
        TwoLayerMLPClassifier().fit(X, Y, X_val=X_val, y_val=y_val, sample_weight_val=weights)


def test_classes_without_weight_are_an_error_of_the_labels():
    model = TwoLayerMLPClassifier(class_weight={0: 0.0, 1: 1.0, 2: 1.0})
    with pytest.raises(ValueError, match="y_val cannot be used: class_weight is zero"):
        model.fit(X, Y, X_val=X[:50], y_val=Y[:50])


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, np.asfortranarray])
def test_validation_data_are_as_training_data(container):
    model = TwoLayerMLPClassifier(class_weight={0: 1.0, 1: 2.0, 2: 1.0})
    weights = np.arange(150.0)
    training = validate(model, X, Y, weights)
    held_out = validate_held_out(model, container(X), Y, weights, training)
    for name in ("X", "weights"):
        assert_array_equal(getattr(held_out, name), getattr(training.weighted(), name))
    assert_array_equal(held_out.target.encoded, training.weighted().target.encoded)


def test_rows_that_have_a_weight():
    data = validate(TwoLayerMLPClassifier(), X, Y, None)
    assert data.weighted() is data
    weights = (np.arange(150) % 3).astype(float)
    some = validate(TwoLayerMLPClassifier(), X, Y, weights)
    assert some.X.shape[0] == 150
    assert_array_equal(some.weighted().X, X[weights > 0])
    assert_array_equal(some.weighted().weights, weights[weights > 0])
