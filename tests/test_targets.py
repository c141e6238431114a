"""Labels, weights per row and the validation split."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.utils.class_weight import compute_sample_weight

from sk_mlp._data.targets import class_codes, encode, row_weights


@pytest.mark.parametrize(
    "labels",
    [
        ["no", "yes"],
        np.array(["a", "b", "c"], dtype=object),
        [False, True],
        [-1, 1],
        [0.0, 1.0, 2.0],
        np.array([3, 7, 9], dtype=np.int8),
    ],
    ids=lambda labels: str(np.asarray(labels).dtype) + str(len(labels)),
)
def test_labels_of_any_type(labels):
    codes = np.array([0, 1, len(labels) - 1, 1, 0])
    y = np.asarray(labels)[codes]
    target = encode(y)
    assert_array_equal(target.classes, labels)
    assert_array_equal(class_codes(target), codes)
    assert target.n_outputs == (1 if len(labels) == 2 else 3)
    assert target.output == ("logistic" if len(labels) == 2 else "softmax")


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, list])
def test_multilabel(container):
    Y = [[1, 0, 1], [0, 0, 1], [1, 1, 0]]
    target = encode(container(Y) if container is not list else np.array(Y))
    assert target.multilabel
    assert target.n_outputs == 3
    assert target.output == "logistic"
    assert_array_equal(target.encoded, Y)
    assert_array_equal(target.classes, [0, 1, 2])


def test_given_classes_set_the_codes():
    target = encode(np.array(["c", "a"]), np.array(["a", "b", "c"]))
    assert_array_equal(target.encoded, [2, 0])
    assert_array_equal(target.classes, ["a", "b", "c"])


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        (["a", "a"], None, "one class 'a'"),
        ([0.5, 1.5], None, "Unknown label type"),
        (np.array(["a", 1], dtype=object), None, "labels of one type, got int, str"),
        (["d", "a"], np.array(["a", "b"]), r"labels \['d'\] that are not in classes"),
        (np.array([[1, 0], [0, 1]]), np.arange(3), "y has 2 labels, classes has 3"),
        (np.array([[1, 2], [0, 1]]), None, "1d or a multilabel indicator"),
    ],
)
def test_what_is_no_classification_target(y, classes, message):
    with pytest.raises(ValueError, match=message):
        encode(np.asarray(y), classes)


def test_row_weights_multiply():
    target = encode(np.array(["a", "b", "b", "c"]))
    sample_weight = np.array([1.0, 2.0, 3.0, 4.0])
    weights = row_weights({"a": 5.0, "c": 0.5}, target, sample_weight)
    assert_array_equal(weights, [5.0, 2.0, 3.0, 2.0])
    assert row_weights(None, target, None) is None
    assert row_weights(None, target, sample_weight) is sample_weight


def test_balanced_classes_weigh_the_same():
    y = np.array([0, 0, 0, 1, 2, 2])
    weights = row_weights("balanced", encode(y), None)
    assert_allclose(weights, compute_sample_weight("balanced", y))
    assert_allclose(np.bincount(y, weights), 2.0)


def test_balanced_counts_weighted_rows_as_repetitions():
    y, sample_weight = np.array([0, 0, 1, 1]), np.array([3.0, 1.0, 1.0, 1.0])
    weights = row_weights("balanced", encode(y), sample_weight)
    totals = np.bincount(y, weights)
    assert_allclose(totals[0], totals[1])


def test_multilabel_class_weight():
    Y = np.array([[1, 0], [1, 1], [0, 1], [1, 0]])
    weights = row_weights("balanced", encode(Y), np.full(4, 2.0))
    assert_allclose(weights, 2.0 * compute_sample_weight("balanced", Y))


@pytest.mark.parametrize(
    ("class_weight", "sample_weight", "message"),
    [
        (None, [1.0, 0.0, 0.0], "sample_weight is zero for every sample of the class 'b'"),
        ({"a": 0.0}, None, "class_weight is zero for the class 'a'"),
        ({"a": -1.0}, None, "class_weight must be finite and not negative, got {'a': -1.0}"),
        ({"a": np.inf}, None, "class_weight must be finite"),
    ],
)
def test_a_class_without_weight_is_an_error(class_weight, sample_weight, message):
    target = encode(np.array(["a", "b", "b"]))
    if sample_weight is not None:
        sample_weight = np.array(sample_weight)
    with pytest.raises(ValueError, match=message):
        row_weights(class_weight, target, sample_weight)
