"""Arrays of any library: transfers, and fast paths that give what the plain way gives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sk_mlp._backend import arrays
from sk_mlp._backend.compat import array_namespace

A = np.random.RandomState(0).normal(size=(7, 4))
LAYOUTS = {
    "rows": A,
    "columns": np.asfortranarray(A),
    "strided": np.repeat(A, 2, axis=1)[:, ::2],
    "csr": sparse.csr_matrix(A),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_namespace_of_anything_on_the_host_is_numpy(name):
    assert arrays.namespace_of(LAYOUTS[name]) is np
    assert arrays.on_host(LAYOUTS[name])


@pytest.mark.parametrize("index", [np.array([3, 0, 3]), slice(1, 6, 2)])
@pytest.mark.parametrize("name", LAYOUTS)
def test_take_rows(name, index):
    taken = arrays.take_rows(LAYOUTS[name], index)
    assert_array_equal(taken.toarray() if sparse.issparse(taken) else taken, A[index])


@pytest.mark.parametrize("name", ["rows", "columns", "strided"])
def test_rows_taken_by_number_are_a_copy_and_those_of_a_slice_a_view(name):
    array = LAYOUTS[name]
    assert not np.shares_memory(arrays.take_rows(array, np.arange(7)), array)
    assert np.shares_memory(arrays.take_rows(array, slice(0, 7)), array)


def test_rows_of_an_array_laid_out_by_columns_stay_laid_out_by_columns():
    assert arrays.take_rows(LAYOUTS["columns"], np.array([3, 0])).flags.f_contiguous


@pytest.mark.parametrize("name", ["rows", "columns", "strided"])
def test_reductions(name):
    array, out = LAYOUTS[name], np.full(4, np.nan)
    arrays.set_column_sum(array, out)
    assert_allclose(out, A.sum(axis=0))
    assert_allclose(arrays.row_sum(array), A.sum(axis=1))
    assert_array_equal(arrays.row_max(array), A.max(axis=1, keepdims=True))
    assert_array_equal(arrays.positive_part(array), np.where(A > 0, A, 0.0))


def test_total_is_accumulated_in_the_dtype_asked_for():
    ones = np.ones(2**24 + 2, dtype=np.float32)
    ones[0] = 2**24  # in single precision, 2**24 + 1 == 2**24
    in_turn = arrays.total(ones[:2], np.float32)
    assert (in_turn, arrays.total(ones[:2], np.float64)) == (2**24, 2**24 + 1)


def test_to_numpy_copies_only_what_is_not_float64():
    assert arrays.to_numpy(A) is A
    assert arrays.to_numpy(A.astype(np.float32)).dtype == np.float64


def test_labels_that_only_numpy_has_stay_on_the_host():
    words = np.array(["no", "yes"])
    assert arrays.place_labels(words, A) is words


def test_pytorch_is_its_own_namespace_and_back():
    torch = pytest.importorskip("torch")
    tensor = torch.asarray(A)
    assert not arrays.on_host(tensor)
    assert arrays.namespace_of(tensor) is array_namespace(tensor)
    assert_array_equal(arrays.to_numpy(tensor), A)
    placed = arrays.place(A, tensor, torch.float32)
    assert isinstance(placed, torch.Tensor)
    assert placed.dtype == torch.float32
    assert_array_equal(arrays.to_numpy(arrays.take_rows(tensor, torch.asarray([3, 0]))), A[[3, 0]])
    assert_array_equal(arrays.to_numpy(arrays.take_rows(tensor, slice(1, 3))), A[1:3])
    assert_allclose(arrays.to_numpy(arrays.row_sum(tensor)), A.sum(axis=1))
    assert_array_equal(arrays.to_numpy(arrays.positive_part(tensor)), np.maximum(A, 0.0))
