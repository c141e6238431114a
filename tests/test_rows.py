"""Blocks and ranges of rows."""

import numpy as np
import pytest

from sk_mlp._backend.rows import (
    MIN_BLOCK_ROWS,
    MIN_FORWARD_ROWS,
    forward_rows,
    gradient_rows,
    row_blocks,
    row_ranges,
)


def test_row_blocks_cover_the_range_in_order():
    blocks = list(row_blocks(3, 20, 6))
    assert blocks == [slice(3, 9), slice(9, 15), slice(15, 20)]
    assert list(row_blocks(0, 0, 6)) == []


def test_blocks_have_a_least_size_and_grow_for_small_networks():
    X = np.empty((10_000, 3))
    for rows, least in ((gradient_rows, MIN_BLOCK_ROWS), (forward_rows, MIN_FORWARD_ROWS)):
        assert rows(X, 100_000) == least
        assert rows(X, 1) > rows(X, 100) >= least


@pytest.mark.parametrize(("n_rows", "n_parts"), [(10, 3), (7, 7), (1000, 4)])
def test_ranges_are_of_about_equal_length(n_rows, n_parts):
    ranges = row_ranges(n_rows, n_parts)
    assert len(ranges) == n_parts
    assert [i for part in ranges for i in part] == list(range(n_rows))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1
