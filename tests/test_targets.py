"""Labels, weights per row and the validation split."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.utils.class_weight import compute_sample_weight

from sk_mlp._data.targets import class_weights, encode, scaled, stream_classes


def row_weights(class_weight, target, sample_weight):
    return class_weights(class_weight, target, sample_weight).rows(target, sample_weight)


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
    assert_array_equal(target.codes, codes)
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
    assert_array_equal(target.codes, [0, 0, 0])


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
        (np.array([0, 1], dtype=object), None, r"y has dtype object; use y.astype\(int\)"),
        (np.array([True, False], dtype=object), None, r"object; use y.astype\(bool\)"),
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
    assert_array_equal(row_weights([None, {1: 3.0}], encode(Y), None), [1, 3, 3, 1])


def test_multilabel_balance_counts_weighted_rows_as_repetitions():
    Y, k = np.array([[1, 0], [1, 1], [0, 1], [1, 0], [0, 0]]), np.array([1, 3, 2, 1, 2])
    weighted = class_weights("balanced", encode(Y), k.astype(float))
    repeated = class_weights("balanced", encode(np.repeat(Y, k, axis=0)), None)
    assert_allclose(weighted.factors, repeated.factors)


@pytest.mark.parametrize(
    ("class_weight", "sample_weight", "message"),
    [
        (None, [0.0, 0.0, 0.0], "^sample_weight is zero for every row"),
        (None, [1e308, 1e308, 0.0], "^sample_weight overflows"),
        ({"a": 1e-200, "b": 1e-200}, [1e-200] * 3, "sample_weight times class_weight is zero for"),
        ({"a": 0.0, "b": 0.0}, None, "^class_weight is zero for every row"),
        ({"a": -1.0}, None, "class_weight must be finite and not negative, got {'a': -1.0}"),
        ({"a": np.inf}, None, "class_weight must be finite"),
        ({"a": "b"}, None, "class_weight must be finite and not negative, got {'a': 'b'}"),
        ({"a": None}, None, "class_weight must be finite and not negative, got {'a': None}"),
    ],
)
def test_weights_that_cannot_be_used(class_weight, sample_weight, message):
    target = encode(np.array(["a", "b", "b"]))
    if sample_weight is not None:
        sample_weight = np.array(sample_weight)
    with pytest.raises(ValueError, match=message):
        row_weights(class_weight, target, sample_weight)


@pytest.mark.parametrize("value", [-1.0, np.inf, np.nan])
def test_multilabel_class_weights_are_checked(value):
    target = encode(np.array([[1, 0], [1, 1], [0, 1]]))
    with pytest.raises(ValueError, match="class_weight must be finite and not negative"):
        row_weights([{0: 1.0, 1: value}, {0: 1.0, 1: 1.0}], target, None)
    with pytest.raises(ValueError, match="class_weight has 1 entries for 2 labels"):
        row_weights([{0: 1.0, 1: 1.0}], target, None)


def test_a_class_may_have_no_weight():
    target = encode(np.array(["a", "b", "b"]))
    assert_array_equal(row_weights(None, target, np.array([1.0, 0, 0])), [1, 0, 0])
    assert_array_equal(row_weights({"a": 0.0}, target, None), [0, 1, 1])
    assert_array_equal(row_weights("balanced", target, np.array([4.0, 0, 0])), [4, 0, 0])


def test_class_weights_of_training_apply_to_other_rows():
    target = encode(np.array([0, 0, 0, 1]), np.arange(3))  # no row of class 2
    weights = class_weights("balanced", target, None)
    assert_allclose(weights.factors, [2 / 3, 2, 1])
    others = encode(np.array([1, 0]), np.arange(3))
    assert_allclose(weights.rows(others, np.array([1.0, 3.0])), [2, 2])


@pytest.mark.parametrize("weight", [1e-320, 1e-50, 1.0, 1e39, 1e300])
def test_scaled_weights_fit_single_precision(weight):
    weights, scale = scaled(weight * np.array([1.0, 0.5, 0.0]))
    assert_array_equal(weights * scale, weight * np.array([1.0, 0.5, 0.0]))
    if weight > 1e-300:
        assert 1 <= weights.max() < 2


@pytest.mark.parametrize("classes", [[7], [], [7, 7]])
def test_a_stream_of_one_class(classes):
    with pytest.raises(ValueError, match="classes must have all labels that can occur, two"):
        stream_classes([7], classes)


def test_classes_of_a_stream():
    assert_array_equal(stream_classes(["a"], ["b", "a", "b"]), ["a", "b"])
    with pytest.raises(ValueError, match="without NaN"):
        stream_classes([0.0], [0.0, np.nan])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        stream_classes(["a", "b"], None)
    assert stream_classes(np.eye(2, dtype=int), None) is None


def test_known_classes_of_a_stream_stay():
    known = np.array([0, 1, 2])
    assert stream_classes([1], None, known) is known
    assert stream_classes([1], [2, 1, 0], known) is known
    with pytest.raises(ValueError, match=r"not the same as on the last call .* \[0, 1, 2\]"):
        stream_classes([1], [0, 1], known)


@pytest.mark.parametrize("coding", [(-1, 1), (1, 2)])
def test_indicators_are_zero_and_one(coding):
    with pytest.raises(ValueError, match="Indicators of labels must be 0 or 1"):
        encode(np.array(coding)[np.array([[0, 1], [1, 1]])])


def test_the_kind_of_other_data():
    with pytest.raises(ValueError, match=r"y must be indicators .* got shape \(3,\)"):
        encode(np.array([0, 1, 2]), np.arange(3), multilabel=True)
    with pytest.raises(ValueError, match=r"y must be labels .* got shape \(2, 2\)"):
        encode(np.array([[0, 1], [1, 1]]), np.arange(2), multilabel=False)


def test_labels_and_classes_of_two_types():
    with pytest.raises(ValueError, match="labels of type str, classes of type int"):
        encode(np.array(["0", "1"]), np.arange(2))
