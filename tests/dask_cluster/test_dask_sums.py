"""Sums over blocks, whoever holds them."""

import itertools

import numpy as np

from sk_mlp.dask.sums import partial_sums, span_sum


def test_the_order_of_additions_depends_on_the_blocks_alone():
    blocks = {(i, i + 1): np.array([10.0 ** (i % 17)]) / 3 for i in range(13)}
    whole = span_sum((0, 13), blocks)
    for cuts in ([0, 13], [0, 1, 13], [0, 4, 9, 13], list(range(14))):
        known = {}
        for held in itertools.pairwise(cuts):
            mine = {span: blocks[span] for span in blocks if held[0] <= span[0] < held[1]}
            known |= partial_sums(held, (0, 13), mine)
        assert span_sum((0, 13), known) == whole
    assert len(partial_sums((0, 6), (0, 12), {**blocks})) == 1  # half of the tree is one sum
